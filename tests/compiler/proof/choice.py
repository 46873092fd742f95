"""Where decisions come from: Hypothesis, which shrinks them, or a random generator, which is fast."""

from collections.abc import Sequence
from random import Random
from typing import Protocol, TypeVar

from hypothesis import strategies as st

T = TypeVar("T")


class Choice(Protocol):
    """Decides what an operation leaves open."""

    def one_of(self, options: Sequence[T]) -> T:
        """One of at least one option."""
        ...

    def some_of(self, options: Sequence[T], most: int) -> tuple[T, ...]:
        """Up to `most` different options, in any order."""
        ...


class RandomChoice:
    """Decisions of a generator: the same seed, the same decisions."""

    def __init__(self, random: Random) -> None:
        self._random = random

    def one_of(self, options: Sequence[T]) -> T:
        """See `Choice`."""
        return options[int(self._random.random() * len(options))]

    def some_of(self, options: Sequence[T], most: int) -> tuple[T, ...]:
        """See `Choice`."""
        many = int(self._random.random() * (min(most, len(options)) + 1))
        return tuple(self._random.sample(options, many))


class DrawnChoice:
    """Decisions that Hypothesis draws, records and shrinks."""

    def __init__(self, data: st.DataObject) -> None:
        self._data = data

    def one_of(self, options: Sequence[T]) -> T:
        """See `Choice`."""
        return options[self._data.draw(st.integers(0, len(options) - 1))] if len(options) > 1 else options[0]

    def some_of(self, options: Sequence[T], most: int) -> tuple[T, ...]:
        """See `Choice`."""
        if not options:
            return ()
        return tuple(self._data.draw(st.lists(st.sampled_from(options), unique=True, max_size=most)))
