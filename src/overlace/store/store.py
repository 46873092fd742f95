"""The store: one writer, many readers, nothing published before it is durable.

A transaction runs on the event loop's thread against the *head*, the newest state including what is still being
written. A writer thread takes all that waits and commits it as one SQL transaction; only then do the snapshot
and the feed move on and do the callers hear. If a write fails, all that waited fails, and the head goes back to
the durable snapshot.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from sqlalchemy.exc import SQLAlchemyError

from overlace.kit.clock import Clock
from overlace.kit.revision import Revision
from overlace.model.snapshot import Change, Snapshot
from overlace.store.allocation import Allocations
from overlace.store.database import Database, Loaded, Record
from overlace.store.errors import StoreUnavailable
from overlace.store.transaction import Transaction

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
class _Waiting:
    record: Record
    snapshot: Snapshot
    allocations: Allocations
    done: asyncio.Future[None]


class Store:
    """Open it with `Store.open`."""

    def __init__(self, database: Database, loaded: Loaded, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self.cluster = loaded.cluster
        self.snapshot = loaded.snapshot
        self._allocations = loaded.allocations
        self._head, self._head_allocations = loaded.snapshot, loaded.allocations
        self._waiting: list[_Waiting] = []
        self._writer = ThreadPoolExecutor(1, "store-writer")
        self._writing: asyncio.Future[None] | None = None
        self._listeners: list[Callable[[Commit], None]] = []

    @classmethod
    async def open(cls, path: Path, clock: Clock, origin: str = "site") -> "Store":
        """Open or create the database. Raises sqlalchemy.exc.SQLAlchemyError or RuntimeError."""
        database = Database(path)
        await asyncio.to_thread(database.prepare)
        return cls(database, await asyncio.to_thread(database.load, origin), clock)

    async def close(self) -> None:
        """Finish what waits, and let go of the file."""
        while self._writing is not None:
            await asyncio.wait([self._writing])
        self._writer.shutdown()
        self._database.close()

    async def transact(
        self, change: Callable[[Transaction], R], *, actor: str, request_id: str = "", source: str = ""
    ) -> Committed[R]:
        """Run `change` and make it durable. What it raises comes out, and nothing happened.

        Raises StoreUnavailable when the database cannot be written.
        """
        transaction = Transaction(self._head, self._head_allocations, self._clock.now())
        result = change(transaction)
        changes = transaction.changes
        if not changes and not transaction.numbers:
            return Committed(result, self._head.revision, ())
        revision = self._head.revision.next()
        self._head = transaction.snapshot.at(revision)
        self._head_allocations = transaction.allocations
        at = self._clock.now().isoformat()
        record = Record(revision, changes, tuple(transaction.numbers), actor, request_id, source, at)
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(record, self._head, self._head_allocations, done))
        self._write_next()
        await done
        return Committed(result, revision, changes)

    def subscribe(self, listener: Callable[[Commit], None]) -> Callable[[], None]:
        """Call `listener` for every commit, in order; call what is returned to stop that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    async def history(self, limit: int = 100) -> list[dict[str, Any]]:
        """The newest changes first: who changed what, when, from where, before and after."""
        return await asyncio.get_running_loop().run_in_executor(self._writer, self._database.history, limit)

    def _write_next(self) -> None:
        if self._writing is not None or not self._waiting:
            return
        batch, self._waiting = self._waiting, []
        records = [each.record for each in batch]
        loop = asyncio.get_running_loop()
        self._writing = loop.run_in_executor(self._writer, self._database.write, records)
        self._writing.add_done_callback(lambda written: self._written(batch, written))

    def _written(self, batch: list[_Waiting], written: "asyncio.Future[None]") -> None:
        self._writing = None
        failure = written.exception()
        if failure is None:
            for each in batch:
                self._publish(each)
        elif isinstance(failure, SQLAlchemyError | OSError):
            self._give_up(batch, failure)
        else:
            raise failure
        self._write_next()

    def _publish(self, each: _Waiting) -> None:
        self.snapshot, self._allocations = each.snapshot, each.allocations
        commit = Commit(each.record.revision, each.snapshot, each.record.changes)
        for listener in tuple(self._listeners):
            listener(commit)
        if not each.done.done():
            each.done.set_result(None)

    def _give_up(self, batch: list[_Waiting], failure: BaseException) -> None:
        """What came after the failed batch was built on it, and fails with it."""
        lost, self._waiting = [*batch, *self._waiting], []
        self._head, self._head_allocations = self.snapshot, self._allocations
        for each in lost:
            if not each.done.done():
                each.done.set_exception(StoreUnavailable(f"the database cannot be written: {failure}"))
