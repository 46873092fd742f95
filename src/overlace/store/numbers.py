"""A persistent set of numbers, most of which are neighbours: a bit for each, in pages of a persistent map."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from immutables import Map

_PAGE = 256


@dataclass(frozen=True, slots=True)
class Numbers:
    """Numbers from 0 on. `pages` maps a number divided by the size of a page to its neighbours' bits; none is empty."""

    pages: Map[int, int] = Map()
    count: int = 0

    @classmethod
    def of(cls, numbers: Iterable[int]) -> "Numbers":
        """These, at once."""
        pages: dict[int, int] = {}
        for number in numbers:
            page, bit = divmod(number, _PAGE)
            pages[page] = pages.get(page, 0) | 1 << bit
        return cls(Map(pages), sum(bits.bit_count() for bits in pages.values()))

    def __contains__(self, number: int) -> bool:
        return bool(self.pages.get(number // _PAGE, 0) >> number % _PAGE & 1)

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[int]:
        for page, bits in self.pages.items():
            left = bits
            while left:
                lowest = left & -left
                yield page * _PAGE + lowest.bit_length() - 1
                left ^= lowest

    def put(self, number: int) -> "Numbers":
        """With this one."""
        if number in self:
            return self
        page, bit = divmod(number, _PAGE)
        return Numbers(self.pages.set(page, self.pages.get(page, 0) | 1 << bit), self.count + 1)

    def without(self, number: int) -> "Numbers":
        """Without this one, if it is there."""
        if number not in self:
            return self
        page, bit = divmod(number, _PAGE)
        left = self.pages[page] ^ 1 << bit
        return Numbers(self.pages.set(page, left) if left else self.pages.delete(page), self.count - 1)
