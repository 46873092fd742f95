"""Numbers as the store gives them: the lowest free one, so that they come back as soon as their quarantine ends."""

from dataclasses import dataclass, field


@dataclass
class Numbers:
    """One pool. A number given back rests until every switch has done the change that let go of it."""

    first: int
    last: int
    _taken: set[int] = field(default_factory=set)
    _leaving: set[int] = field(default_factory=set)
    _resting: dict[int, int] = field(default_factory=dict)
    """The change after which a number is free, by number."""

    def take(self) -> int | None:
        """A free number; None when there is none."""
        free = (n for n in range(self.first, self.last + 1) if n not in self._taken)
        number = next(free, None)
        if number is not None:
            self._taken.add(number)
        return number

    def give_back(self, number: int) -> None:
        """The object is gone from the snapshot."""
        self._leaving.add(number)

    def compiled(self, sequence: int) -> None:
        """What was given back is gone from the plan with this change."""
        self._resting.update(dict.fromkeys(self._leaving, sequence))
        self._leaving.clear()

    def done(self, sequence: int) -> None:
        """All holders have done every change up to `sequence`."""
        for number in [number for number, change in self._resting.items() if change <= sequence]:
            del self._resting[number]
            self._taken.discard(number)
