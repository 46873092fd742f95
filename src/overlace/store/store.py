"""The store: one writer, many readers, nothing published before it is durable.

A transaction runs on the event loop's thread against the *head*, the newest state including what is not yet on the
disk. It is written at once (see `writer`); if that fails, nothing has happened. When the disk has it, which one sync
says of all that was written meanwhile, the snapshot and the feed move on and the callers hear. Who must be ready by
then may work ahead from the head (`foresee`).

A disk that fails to sync leaves open what it holds: there is no way back and none on. Nothing is answered any more,
and `broken` tells the process, which has to end and read what is there.

A transaction that changes nothing has read the head all the same: it is answered when that head is durable.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

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
    """What was written since the store was opened; a sync is for all commits that were written meanwhile."""

    commits: int = 0
    syncs: int = 0
    sync_seconds: float = 0.0
    rows: int = 0
    failure: str | None = None
    """Why the last write was none; None when it was one."""


@dataclass(slots=True)
class _Waiting:
    """What is published when the disk has it: `rows` of a commit, or none and only word that all before are there."""

    rows: int
    commit: Commit
    allocations: Allocations
    done: asyncio.Future[None]


class Store:
    """Open it with `Store.open`. All methods are for the event loop's thread."""

    def __init__(self, engine: Engine, path: Path, loaded: Loaded, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self.counters = StoreCounters()
        self.cluster = loaded.cluster
        self.ends = loaded.ends
        self.snapshot = loaded.snapshot
        self._allocations = loaded.allocations
        self._head, self._head_allocations = loaded.snapshot, loaded.allocations
        self._waiting: list[_Waiting] = []
        self._writer = Writer(engine, path)
        self._syncing: asyncio.Future[None] | None = None
        self._closed = False
        self._broken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._listeners: list[Callable[[Commit], None]] = []
        self._foreseers: list[Callable[[Snapshot, tuple[Change, ...]], None]] = []
        self._companions: list[Callable[[Transaction], None]] = []

    @classmethod
    async def open(cls, path: Path, clock: Clock, origin: str = "site") -> "Store":
        """Open or create the database. Raises sqlalchemy.exc.SQLAlchemyError or RuntimeError."""
        engine = create_store_engine(path)
        try:
            await asyncio.to_thread(migrate, engine)
            await asyncio.to_thread(begin_epoch, engine, clock.now())
            return cls(engine, path, await asyncio.to_thread(load, engine, origin), clock)
        except BaseException:
            engine.dispose()
            raise

    async def close(self) -> None:
        """Finish what waits, and let go of the file. Later transactions raise StoreUnavailable."""
        self._closed = True
        while self._syncing is not None:
            await asyncio.wait([self._syncing])
        self._writer.close()
        self._engine.dispose()
        self._broken.cancel()

    async def broken(self) -> None:
        """Wait until the disk fails to sync. Raises StoreUnavailable then; CancelledError when the store is closed."""
        await asyncio.shield(self._broken)

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
        if self._closed or self._broken.done():
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
                await self._durable(0, ())
            return Committed(result, revision, ())
        revision = self._head.revision.next()
        origin = Origin(actor, request_id, source)
        record = encode_record(transaction, revision, origin, now.isoformat())
        self._write(record)
        self._head, self._head_allocations = transaction.snapshot.at(revision), transaction.allocations
        for foreseer in self._foreseers:
            self._tell(foreseer, self._head, changes)
        await self._durable(record.rows, changes)
        return Committed(result, revision, changes)

    def subscribe(self, listener: Callable[[Commit], None]) -> Callable[[], None]:
        """Call `listener` for every commit, in order; call what is returned to stop that.

        What a listener raises goes to the event loop's exception handler and stops nobody else.
        """
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def foresee(self, foreseer: Callable[[Snapshot, tuple[Change, ...]], None]) -> None:
        """Tell `foreseer` of every commit before it is durable: nothing that it makes of it may be known before."""
        self._foreseers.append(foreseer)

    def accompany(self, companion: Callable[[Transaction], None]) -> None:
        """Let `companion` add to every transaction that changes something: what follows from a change at once
        is part of the same revision. What it raises fails the transaction."""
        self._companions.append(companion)

    async def log(self, question: LogQuestion) -> list[LoggedRevision]:
        """What was changed, as far as it is written. Raises StoreUnavailable when the database cannot be read."""
        try:
            return await asyncio.to_thread(read_log, self._engine, self.snapshot.revision.origin, question)
        except SQLAlchemyError as reason:
            raise StoreUnavailable(f"the log of changes cannot be read: {reason}") from reason

    def _write(self, record: Record) -> None:
        try:
            self._writer.write(record)
        except (SQLAlchemyError, sqlite3.Error, OSError) as failure:
            self.counters.failure = str(getattr(failure, "orig", None) or failure)
            raise StoreUnavailable(f"the database cannot be written: {self.counters.failure}") from failure
        self.counters.failure = None

    async def _durable(self, rows: int, changes: tuple[Change, ...]) -> None:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        commit = Commit(self._head.revision, self._head, changes)
        self._waiting.append(_Waiting(rows, commit, self._head_allocations, done))
        self._sync_next()
        await done

    def _sync_next(self) -> None:
        if self._syncing is not None or not self._waiting:
            return
        batch, self._waiting = self._waiting, []
        start = self._clock.monotonic()
        self._syncing = self._writer.sync()
        self._syncing.add_done_callback(lambda synced: self._synced(batch, synced, start))

    def _synced(self, batch: list[_Waiting], synced: "asyncio.Future[None]", start: float) -> None:
        self._syncing = None
        self.counters.syncs += 1
        self.counters.sync_seconds += self._clock.monotonic() - start
        if (failure := synced.exception()) is not None:
            self._break(batch, failure)
            return
        for each in batch:
            self._publish(each)
        self._sync_next()

    def _publish(self, each: _Waiting) -> None:
        if each.rows:
            self.snapshot, self._allocations = each.commit.snapshot, each.allocations
            self.counters.commits += 1
            self.counters.rows += each.rows
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

    def _break(self, batch: list[_Waiting], failure: BaseException) -> None:
        lost, self._waiting = [*batch, *self._waiting], []
        self.counters.failure = str(failure)
        reason = (
            f"the disk does not take the database's log ({failure}): what was asked last may be kept or not"
        )
        for future in [self._broken, *(each.done for each in lost)]:
            if not future.done():
                error = StoreUnavailable(reason)
                error.__cause__ = failure
                future.set_exception(error)
