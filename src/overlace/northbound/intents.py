"""What the API needs of the store, structurally, so that handlers and rules can be tried without one."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Protocol, TypeVar

from overlace.kit.revision import Revision
from overlace.model.declaration import Entity, InnerKey
from overlace.model.snapshot import Snapshot

V = TypeVar("V")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)


class Reader(Protocol):
    """What a snapshot and a transaction have in common."""

    def get(self, cls: type[V], key: str, /) -> V | None:
        """The value of that class and id, or None."""
        ...

    def all(self, cls: type[V], /) -> Iterable[V]:
        """Every value of a class."""
        ...

    def members(self, cls: type[V], index: str, outer: str, inner: InnerKey = "", /) -> Iterable[V]:
        """The values under (`outer`, `inner`) of an index."""
        ...

    def count_members(self, cls: type, index: str, outer: str, inner: InnerKey = "", /) -> int:
        """How many values stand under (`outer`, `inner`)."""
        ...


class Transaction(Reader, Protocol):
    """Reads its own writes; nothing is seen outside until it commits."""

    @property
    def now(self) -> datetime:
        """The time of the transaction, in UTC."""
        ...

    def put(self, value: Entity, /) -> object:
        """Insert or replace; keeps revision_number and timestamps."""
        ...

    def delete(self, cls: type, key: str, /) -> object:
        """Remove a value. Raises KeyError when there is none."""
        ...

    def touch(self, cls: type, key: str, /) -> object:
        """Count a change of what belongs to a value as a change of it."""
        ...

    def allocate(self, pool: str, /) -> int:
        """A free number of the pool."""
        ...

    def request(self, pool: str, value: int, /) -> object:
        """Take this very number. Raises an error when it is held."""
        ...

    def release(self, pool: str, value: int, /) -> object:
        """Give a number back (into quarantine)."""
        ...


class Committed(Protocol[R_co]):
    """What a transaction gave."""

    @property
    def result(self) -> R_co:
        """What the function returned."""
        ...

    @property
    def revision(self) -> Revision:
        """The revision that carries it."""
        ...


class Store(Protocol):
    """The current snapshot, and transactions that make the next."""

    @property
    def snapshot(self) -> Snapshot:
        """The newest committed state."""
        ...

    async def transact(
        self, fn: Callable[[Transaction], R], /, *, actor: str, request_id: str, source: str
    ) -> Committed[R]:
        """Run `fn` in a transaction and wait until it is durable; what `fn` raises undoes it."""
        ...
