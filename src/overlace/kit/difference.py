"""Keyed difference: what to add, change and remove to turn one mapping into another."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Difference(Generic[K, V]):
    """The three parts of a difference; `changed` holds the wanted value."""

    added: Mapping[K, V]
    changed: Mapping[K, V]
    removed: Mapping[K, V]

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed)

    def __len__(self) -> int:
        return len(self.added) + len(self.changed) + len(self.removed)


def difference(present: Mapping[K, V], wanted: Mapping[K, V]) -> Difference[K, V]:
    """Compare by key, then by value (`is` first, since most values are shared)."""
    added: dict[K, V] = {}
    changed: dict[K, V] = {}
    for key, value in wanted.items():
        if key not in present:
            added[key] = value
        elif (old := present[key]) is not value and old != value:
            changed[key] = value
    removed = {key: value for key, value in present.items() if key not in wanted}
    return Difference(added, changed, removed)
