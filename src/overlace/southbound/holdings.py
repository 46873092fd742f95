"""Values that several holders share under one key, counted: a value goes when its last holder lets go."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from overlace.southbound.operations import Changes

K = TypeVar("K")
V = TypeVar("V")


class ClashError(Exception):
    """Two holders want different values under one key; `newcomer` is the value that came second."""

    def __init__(self, key: object, newcomer: object) -> None:
        super().__init__(key, newcomer)
        self.key = key
        self.newcomer = newcomer


@dataclass(slots=True)
class Staged(Generic[K, V]):
    """A change that was computed but not made: holders per key afterwards, and values that are new there."""

    counts: dict[K, int]
    values: dict[K, V]


class Holdings(Generic[K, V]):
    """A counted mapping. `stage` computes a change, `commit` makes it; between the two nothing is altered."""

    def __init__(self) -> None:
        self._values: dict[K, V] = {}
        self._further_holders: dict[K, int] = {}  # most values have one holder, which costs no entry here

    @property
    def values(self) -> Mapping[K, V]:
        """What is held, by key."""
        return self._values

    def __iter__(self) -> Iterator[V]:
        return iter(self._values.values())

    def stage(self, released: Iterable[K], claimed: Iterable[tuple[K, V]]) -> Staged[K, V]:
        """Compute letting go of what stands under `released`, then holding `claimed`. Raises ClashError."""
        counts: dict[K, int] = {}
        for key in released:
            counts[key] = (counts[key] if key in counts else self._count(key)) - 1
        fresh: dict[K, V] = {}
        for key, value in claimed:
            count = counts[key] if key in counts else self._count(key)
            if count:
                held = fresh[key] if key in fresh else self._values[key]
                if held is not value and held != value:
                    raise ClashError(key, value)
            else:
                fresh[key] = value
            counts[key] = count + 1
        return Staged(counts, fresh)

    def commit(self, staged: Staged[K, V]) -> Changes[V]:
        """Make a change that was staged on the present state, and say what it means for the switch."""
        changes: Changes[V] = Changes()
        for key, count in staged.counts.items():
            before = self._values.get(key)
            after = staged.values.get(key, before) if count else None
            self._note(changes, before, after)
            self._store(key, after, count)
        return changes

    def _note(self, changes: Changes[V], before: V | None, after: V | None) -> None:
        if after is None:
            if before is not None:
                changes.removed.append(before)
        elif before is None:
            changes.added.append(after)
        elif before is not after and before != after:
            changes.changed.append(after)

    def _store(self, key: K, value: V | None, count: int) -> None:
        if value is None:
            self._values.pop(key, None)
        else:
            self._values[key] = value
        if count > 1:
            self._further_holders[key] = count - 1
        else:
            self._further_holders.pop(key, None)

    def _count(self, key: K) -> int:
        return 1 + self._further_holders.get(key, 0) if key in self._values else 0
