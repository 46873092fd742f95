"""A transaction: the next snapshot in the making. It does no I/O, and is nothing until the store commits it."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any, TypeVar

from overlace.model.declaration import Entity
from overlace.model.snapshot import Change, Snapshot
from overlace.store.allocation import Allocations
from overlace.store.errors import NotFound

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class NumberChange:
    """One number's new state: True allocated, False in quarantine, None free."""

    pool: str
    number: int
    state: bool | None


class Transaction:
    """Reads its own writes. `now` stamps what it creates and changes, to the second as the API tells it."""

    def __init__(self, snapshot: Snapshot, allocations: Allocations, now: datetime) -> None:
        self._before = snapshot
        self.snapshot = snapshot
        self.allocations = allocations
        self.numbers: list[NumberChange] = []
        self._now = now.replace(microsecond=0)
        self._touched: dict[tuple[type, str], None] = {}

    def get(self, cls: type[V], key: str) -> V | None:
        """The value of that class and id, or None."""
        return self.snapshot.get(cls, key)

    def all(self, cls: type[V]) -> Iterator[V]:
        """Every value of a class."""
        return self.snapshot.all(cls)

    def members(self, cls: type[V], index: str, outer: str, inner: str = "") -> list[V]:
        """The values under (`outer`, `inner`) of an index."""
        return list(self.snapshot.members(cls, index, outer, inner))

    def count_members(self, cls: type, index: str, outer: str, inner: str = "") -> int:
        """How many values stand under (`outer`, `inner`)."""
        return self.snapshot.count_members(cls, index, outer, inner)

    def put(self, value: Entity) -> Any:
        """Insert or replace; gives the value as kept, with revision number and timestamps."""
        before = self.snapshot.get(type(value), value.id)
        if before == value:
            return before
        kept = self._stamped(value, before)
        self.snapshot = self.snapshot.put(kept)
        self._touched[type(value), value.id] = None
        return kept

    def delete(self, cls: type, key: str) -> None:
        """Remove a value. Raises NotFound (a KeyError)."""
        if self.snapshot.get(cls, key) is None:
            raise NotFound(cls, key)
        self.snapshot = self.snapshot.without(cls, key)
        self._touched[cls, key] = None

    def allocate(self, pool: str) -> int:
        """A free number. Raises PoolExhausted."""
        number, self.allocations = self.allocations.allocate(pool)
        self.numbers.append(NumberChange(pool, number, state=True))
        return number

    def request(self, pool: str, value: int) -> None:
        """Take this very number. Raises NumberTaken."""
        self.allocations = self.allocations.request(pool, value)
        self.numbers.append(NumberChange(pool, value, state=True))

    def release(self, pool: str, value: int) -> None:
        """Give a number back, into quarantine."""
        self.allocations = self.allocations.release(pool, value)
        self.numbers.append(NumberChange(pool, value, state=False))

    def end_quarantine(self, pool: str, value: int) -> None:
        """Nobody can act on the number any more: it is free."""
        self.allocations = self.allocations.end_quarantine(pool, value)
        self.numbers.append(NumberChange(pool, value, state=None))

    @property
    def changes(self) -> tuple[Change, ...]:
        """What differs from the snapshot before, each object once."""
        pairs = (
            (cls, key, self._before.get(cls, key), self.snapshot.get(cls, key)) for cls, key in self._touched
        )
        return tuple(
            Change(cls, key, before, after) for cls, key, before, after in pairs if before is not after
        )

    def _stamped(self, value: Entity, before: Any) -> Any:
        names = {each.name for each in fields(value)}  # type: ignore[arg-type]
        if "revision_number" not in names:
            return value
        if before is None:
            return replace(value, revision_number=1, created_at=self._now, updated_at=self._now)  # type: ignore[type-var]
        return replace(  # type: ignore[type-var]
            value,
            revision_number=before.revision_number + 1,
            created_at=before.created_at,
            updated_at=self._now,
        )
