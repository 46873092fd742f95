"""The store: one writer, many readers, nothing published before it is durable.

A transaction runs on the event loop's thread against the *head*, the newest state including what is still being
written. A writer thread takes all that waits and commits it as one SQL transaction; only then do the snapshot
and the feed move on and do the callers hear. If a write fails, all that waited fails, and the head goes back to
the durable snapshot. Who must be ready when a commit is durable may work ahead from the head (`foresee`).

A transaction that changes nothing has read the head all the same: it is answered when that head is durable.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from overlace.kit.clock import Clock
from overlace.kit.revision import Revision
from overlace.model.snapshot import Change, Snapshot
from overlace.store.allocation import Allocations
from overlace.store.engine import create_store_engine
from overlace.store.errors import StoreUnavailable
from overlace.store.history import LoggedRevision, LogQuestion, read_log
from overlace.store.loader import Loaded, begin_epoch, load
from overlace.store.migrations import migrate
from overlace.store.record import Origin, Record, encode_record
from overlace.store.transaction import Transaction
from overlace.store.writer import Writer

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Committed(Generic[R]):
    """What a transaction gave: the function's result, and the revision that carries it."""

    result: R
    revision: Revision
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Commit:
    """One step of the feed."""

    revision: Revision
    snapshot: Snapshot
    changes: tuple[Change, ...]


@dataclass(slots=True)
class StoreCounters:
    """What was written since the store was opened; a write is one database transaction for all that waits."""

    commits: int = 0
    writes: int = 0
    write_seconds: float = 0.0
    rows: int = 0
    failure: str | None = None
    """Why the last write was none; None when it was one."""


@dataclass(slots=True)
class _Waiting:
    """What is published when `record` is durable; None waits for the records before it."""

    record: Record | None
    commit: Commit
    allocations: Allocations
    done: asyncio.Future[None]


class Foreseer(Protocol):
    """Who works ahead on what is not yet durable, and makes nothing of it known before it is."""

    def accepted(self, snapshot: Snapshot, changes: tuple[Change, ...]) -> None:
        """The head is now this."""
        ...

    def given_up(self, snapshot: Snapshot, changes: tuple[Change, ...]) -> None:
        """The head is again the durable snapshot; these changes are lost."""
        ...


class Store:
    """Open it with `Store.open`. All methods are for the event loop's thread."""

    def __init__(self, engine: Engine, loaded: Loaded, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self.counters = StoreCounters()
        self.cluster = loaded.cluster
        self.ends = loaded.ends
        self.snapshot = loaded.snapshot
        self._allocations = loaded.allocations
        self._head, self._head_allocations = loaded.snapshot, loaded.allocations
        self._waiting: list[_Waiting] = []
        self._writer = Writer(engine)
        self._writing: asyncio.Future[None] | None = None
        self._closed = False
        self._listeners: list[Callable[[Commit], None]] = []
        self._foreseers: list[Foreseer] = []
        self._companions: list[Callable[[Transaction], None]] = []

    @classmethod
    async def open(cls, path: Path, clock: Clock, origin: str = "site") -> "Store":
        """Open or create the database. Raises sqlalchemy.exc.SQLAlchemyError or RuntimeError."""
        engine = create_store_engine(path)
        try:
            await asyncio.to_thread(migrate, engine)
            await asyncio.to_thread(begin_epoch, engine, clock.now())
            return cls(engine, await asyncio.to_thread(load, engine, origin), clock)
        except BaseException:
            engine.dispose()
            raise

    async def close(self) -> None:
        """Finish what waits, and let go of the file. Later transactions raise StoreUnavailable."""
        self._closed = True
        while self._writing is not None:
            await asyncio.wait([self._writing])
        self._writer.close()
        self._engine.dispose()

    @property
    def allocations(self) -> Allocations:
        """The durable state of all numbers."""
        return self._allocations

    async def transact(
        self, change: Callable[[Transaction], R], *, actor: str, request_id: str = "", source: str = ""
    ) -> Committed[R]:
        """Run `change` and make it durable. What it raises comes out, and nothing happened.

        Raises InvalidValue for a value that cannot be kept, StoreUnavailable when the database cannot be
        written. Cancelling the caller does not undo what `change` did.
        """
        if self._closed:
            raise StoreUnavailable("the store is closed")
        now = self._clock.now()
        transaction = Transaction(self._head, self._head_allocations, now)
        result = change(transaction)
        if transaction.changes:
            for companion in self._companions:
                companion(transaction)
        changes = transaction.changes
        if not changes and not transaction.numbers:
            revision = self._head.revision
            if self._head is not self.snapshot:
                await self._durable(None, ())
            return Committed(result, revision, ())
        revision = self._head.revision.next()
        origin = Origin(actor, request_id, source)
        record = encode_record(transaction, revision, origin, now.isoformat())
        self._head, self._head_allocations = transaction.snapshot.at(revision), transaction.allocations
        for foreseer in self._foreseers:
            self._tell(foreseer.accepted, self._head, changes)
        await self._durable(record, changes)
        return Committed(result, revision, changes)

    def subscribe(self, listener: Callable[[Commit], None]) -> Callable[[], None]:
        """Call `listener` for every commit, in order; call what is returned to stop that.

        What a listener raises goes to the event loop's exception handler and stops nobody else.
        """
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def foresee(self, foreseer: Foreseer) -> None:
        """Tell `foreseer` of every commit before it is written, and of those that then cannot be."""
        self._foreseers.append(foreseer)

    def accompany(self, companion: Callable[[Transaction], None]) -> None:
        """Let `companion` add to every transaction that changes something: what follows from a change at once
        is part of the same revision. What it raises fails the transaction."""
        self._companions.append(companion)

    async def log(self, question: LogQuestion) -> list[LoggedRevision]:
        """What was changed, as far as it is durable. Raises StoreUnavailable when the database cannot be read."""
        try:
            return await asyncio.to_thread(read_log, self._engine, self.snapshot.revision.origin, question)
        except SQLAlchemyError as reason:
            raise StoreUnavailable(f"the log of changes cannot be read: {reason}") from reason

    async def _durable(self, record: Record | None, changes: tuple[Change, ...]) -> None:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        commit = Commit(self._head.revision, self._head, changes)
        self._waiting.append(_Waiting(record, commit, self._head_allocations, done))
        self._write_next()
        await done

    def _write_next(self) -> None:
        if self._writing is not None or not self._waiting:
            return
        batch, self._waiting = self._waiting, []
        records = [each.record for each in batch if each.record is not None]
        start = self._clock.monotonic()
        self._writing = self._writer.write(records)
        self._writing.add_done_callback(lambda written: self._written(batch, written, start))

    def _written(self, batch: list[_Waiting], written: "asyncio.Future[None]", start: float) -> None:
        self._writing = None
        self.counters.writes += 1
        self.counters.write_seconds += self._clock.monotonic() - start
        failure = asyncio.CancelledError() if written.cancelled() else written.exception()
        self.counters.failure = None if failure is None else str(getattr(failure, "orig", None) or failure)
        if failure is not None:
            self._give_up(batch, failure)
        else:
            for each in batch:
                self._publish(each)
        self._write_next()

    def _publish(self, each: _Waiting) -> None:
        if each.record is not None:
            self.snapshot, self._allocations = each.commit.snapshot, each.allocations
            self.counters.commits += 1
            self.counters.rows += each.record.rows
            for listener in tuple(self._listeners):
                self._tell(listener, each.commit)
        if not each.done.done():
            each.done.set_result(None)

    def _tell(self, listener: Callable[..., None], *news: object) -> None:
        try:
            listener(*news)
        except Exception as reason:
            # It happened and others wait to hear it: the listener's fault must not become theirs.
            loop = asyncio.get_running_loop()
            loop.call_exception_handler({"message": "a listener of the store failed", "exception": reason})

    def _give_up(self, batch: list[_Waiting], failure: BaseException) -> None:
        """What came after the failed batch was built on it, and fails with it."""
        lost, self._waiting = [*batch, *self._waiting], []
        self._head, self._head_allocations = self.snapshot, self._allocations
        changes = tuple(change for each in lost for change in each.commit.changes)
        for foreseer in self._foreseers:
            self._tell(foreseer.given_up, self.snapshot, changes)
        for each in lost:
            if not each.done.done():
                error = StoreUnavailable(f"the database cannot be written: {failure}")
                error.__cause__ = failure
                each.done.set_exception(error)
