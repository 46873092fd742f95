"""A transaction: the next snapshot in the making. It does no I/O, and is nothing until the store commits it."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final, TypeVar

from overlace.model.declaration import Entity, InnerKey
from overlace.model.snapshot import Change, Snapshot
from overlace.store.allocation import Allocations
from overlace.store.errors import NotFound

V = TypeVar("V")

_STAMPS: Final = frozenset({"revision_number", "created_at", "updated_at"})


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
        self._held_before = allocations
        self._now = now.astimezone(UTC).replace(microsecond=0)
        self._touched: dict[tuple[type, str], None] = {}
        self._counted: set[tuple[type, str]] = set()
        self._numbers: dict[tuple[str, int], None] = {}

    @property
    def now(self) -> datetime:
        """The time of the transaction, in UTC, to the second."""
        return self._now

    def get(self, cls: type[V], key: str) -> V | None:
        """The value of that class and id, or None."""
        return self.snapshot.get(cls, key)

    def all(self, cls: type[V]) -> Iterator[V]:
        """Every value of a class."""
        return self.snapshot.all(cls)

    def members(self, cls: type[V], index: str, outer: str, inner: InnerKey = "") -> list[V]:
        """The values under (`outer`, `inner`) of an index."""
        return list(self.snapshot.members(cls, index, outer, inner))

    def count_members(self, cls: type, index: str, outer: str, inner: InnerKey = "") -> int:
        """How many values stand under (`outer`, `inner`)."""
        return self.snapshot.count_members(cls, index, outer, inner)

    def put(self, value: Entity) -> Any:
        """Insert or replace; gives the value as kept, with revision number and timestamps."""
        kept = self._stamped(value, self._before.get(type(value), value.id))
        if self.snapshot.get(type(value), value.id) != kept:
            self.snapshot = self.snapshot.put(kept)
            self._touched[type(value), value.id] = None
        return kept

    def touch(self, cls: type[Any], key: str) -> None:
        """Count a change of what belongs to a value as a change of it: once a transaction. Raises NotFound."""
        value: Any = self.snapshot.get(cls, key)
        if value is None:
            raise NotFound(cls, key)
        self._counted.add((cls, key))
        self.put(value)

    def delete(self, cls: type, key: str) -> None:
        """Remove a value. Raises NotFound (a KeyError)."""
        if self.snapshot.get(cls, key) is None:
            raise NotFound(cls, key)
        self.snapshot = self.snapshot.without(cls, key)
        self._touched[cls, key] = None

    def allocate(self, pool: str) -> int:
        """A free number. Raises PoolExhausted, or KeyError for a pool that is none."""
        number, self.allocations = self.allocations.allocate(pool)
        self._numbers[pool, number] = None
        return number

    def request(self, pool: str, value: int) -> None:
        """Take this very number. Raises NumberTaken, or KeyError for a pool that is none."""
        self.allocations = self.allocations.request(pool, value)
        self._numbers[pool, value] = None

    def release(self, pool: str, value: int) -> None:
        """Give a number back, into quarantine. What is not allocated stays as it is."""
        self.allocations = self.allocations.release(pool, value)
        self._numbers[pool, value] = None

    def end_quarantine(self, pool: str, value: int) -> None:
        """Nobody can act on the number any more: it is free. What is not in quarantine stays as it is."""
        self.allocations = self.allocations.end_quarantine(pool, value)
        self._numbers[pool, value] = None

    @property
    def changes(self) -> tuple[Change, ...]:
        """What differs from the snapshot before, each object once."""
        pairs = (
            (cls, key, self._before.get(cls, key), self.snapshot.get(cls, key)) for cls, key in self._touched
        )
        return tuple(Change(cls, key, before, after) for cls, key, before, after in pairs if before != after)

    @property
    def numbers(self) -> tuple[NumberChange, ...]:
        """The numbers whose state differs from before, each once."""
        return tuple(
            NumberChange(pool, number, after)
            for pool, number in self._numbers
            if (after := self.allocations.state(pool, number)) != self._held_before.state(pool, number)
        )

    @property
    def cursors(self) -> dict[str, int]:
        """The last number given of every pool that gave one."""
        pools = {pool for pool, _ in self._numbers if pool in self.allocations.pools}
        cursors = {pool: self.allocations.pools[pool].cursor for pool in pools}
        return {pool: number for pool, number in cursors.items() if number != self._cursor_before(pool)}

    def _cursor_before(self, pool: str) -> int:
        known = self._held_before.pools.get(pool)
        return 0 if known is None else known.cursor

    def _stamped(self, value: Entity, before: Any) -> Any:
        """The store keeps the stamps: what the caller gives for them says nothing, and is no change."""
        if not _is_stamped(type(value)):
            return value
        given: Any = value
        if before is None:
            return replace(given, revision_number=1, created_at=self._now, updated_at=self._now)
        stamps = {name: getattr(before, name) for name in _STAMPS}
        if replace(given, **stamps) == before and (type(value), value.id) not in self._counted:
            return before
        stamps |= {"revision_number": before.revision_number + 1, "updated_at": self._now}
        return replace(given, **stamps)


@cache
def _is_stamped(cls: type) -> bool:
    return _STAMPS.issubset(each.name for each in fields(cls))
