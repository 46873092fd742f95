"""How commits get to the disk: rows at once, on the event loop's thread; then a thread of their own waits for the disk.

A commit that SQLite has written is in the system's memory: the end of this process does not harm it, the end of the
power does, until the disk has it too. SQLite would wait for that inside the commit. Here it does not (its
`synchronous=NORMAL`), and `fdatasync` of the log does the same afterwards, for all that was written meanwhile.

Python runs one thread at a time, and the event loop has much to do for a commit while the disk works on it. So the
loop first stands still until the thread waits for nothing but the disk: else it would only begin when the
loop has nothing left to do, and the one would take its time after the other, not beside it.

What has been written goes from the log into the database's own pages now and then, with two syncs more. SQLite by
itself does that inside a commit, so that every hundredth takes many times as long; here the commit was told before.
"""

import asyncio
import os
import sqlite3
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from threading import Event, Thread

from sqlalchemy import Engine, PoolProxiedConnection

from overlace.store.record import Record, write_record

_HEAD_START = 0.005
"""Seconds, at most, that the event loop stands still."""
_LOCK_TIME = 250
"""Milliseconds that a commit waits for somebody else who writes to the database, and the event loop with it."""
_ROWS_IN_LOG = 500
"""So many rows are written before the log is emptied: about as many pages as SQLite would wait for."""


class Writer:
    """Its methods are for the event loop's thread."""

    def __init__(self, engine: Engine, path: Path) -> None:
        self._engine = engine
        self._log_path = path.with_name(f"{path.name}-wal")
        self._connection: PoolProxiedConnection | None = None
        self._log: int | None = None
        self._rows_in_log = 0
        self._work: SimpleQueue[_Sync | _Close | None] = SimpleQueue()
        self._thread = Thread(target=self._run, name="store-sync", daemon=True)
        self._thread.start()

    def write(self, record: Record) -> None:
        """Write one commit, or nothing. Raises SQLAlchemyError, sqlite3.Error or OSError."""
        try:
            cursor = self._connected().cursor()
            cursor.execute("BEGIN IMMEDIATE")
            write_record(cursor, record)
            cursor.execute("COMMIT")
            cursor.close()
        except BaseException:
            self._disconnect()
            raise
        self._rows_in_log += record.rows

    def sync(self) -> "asyncio.Future[None]":
        """Done when all that was written is on the disk; an OSError says that this is not known any more."""
        loop = asyncio.get_running_loop()
        full = self._rows_in_log >= _ROWS_IN_LOG
        if full:
            self._rows_in_log = 0
        work = _Sync(self._log, full, loop.create_future(), Event())
        self._work.put(work)
        work.begun.wait(_HEAD_START)
        return work.done

    def close(self) -> None:
        """Finish what was begun."""
        self._disconnect()
        self._follow(None)
        self._work.put(None)
        self._thread.join()

    def _connected(self) -> PoolProxiedConnection:
        if self._connection is None:
            connection = self._engine.raw_connection()
            cursor = connection.cursor()
            cursor.execute("PRAGMA synchronous=NORMAL")
            cursor.execute(f"PRAGMA busy_timeout={_LOCK_TIME}")
            cursor.execute("SELECT count(*) FROM sqlite_master")  # the log is there from the first look on
            cursor.close()
            self._connection = connection
            self._follow(self._opened())
        return self._connection

    def _follow(self, log: int | None) -> None:
        """Sync this log from now on. What was written to the one before is in here, or in the database itself: SQLite
        removes a log only once it has synced both."""
        before, self._log = self._log, log
        if before is not None:
            self._work.put(_Close(before))

    def _opened(self) -> int:
        """The log, whose name is on the disk from now on."""
        directory = os.open(self._log_path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
        return os.open(self._log_path, os.O_RDONLY | os.O_CLOEXEC)

    def _disconnect(self) -> None:
        """What is under way is rolled back. What was written before still has to be synced, so its log stays open."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.invalidate()

    def _run(self) -> None:
        while (work := self._work.get()) is not None:
            match work:
                case _Sync():
                    work.carry_out()
                    if work.full:
                        self._empty_log()
                case _Close():
                    os.close(work.log)

    def _empty_log(self) -> None:
        """A failure is the next commit's to tell: the log only grows."""
        with suppress(sqlite3.Error):
            connection = self._engine.raw_connection()
            try:
                cursor = connection.cursor()
                cursor.execute("PRAGMA wal_checkpoint(PASSIVE)")
                cursor.close()
            finally:
                connection.close()


@dataclass(frozen=True, slots=True)
class _Close:
    """Nobody asks for this log any more."""

    log: int


@dataclass(frozen=True, slots=True)
class _Sync:
    """`begun` is set when nothing is left but to wait for the disk. Without a log nothing was written."""

    log: int | None
    full: bool
    done: "asyncio.Future[None]"
    begun: Event

    def carry_out(self) -> None:
        """In the thread."""
        self.begun.set()
        failure: OSError | None = None
        try:
            if self.log is not None:
                os.fdatasync(self.log)
        except OSError as reason:
            failure = reason
        with suppress(RuntimeError):  # the loop was closed meanwhile
            self.done.get_loop().call_soon_threadsafe(self._end, failure)

    def _end(self, failure: OSError | None) -> None:
        if self.done.done():
            return
        if failure is None:
            self.done.set_result(None)
        else:
            self.done.set_exception(failure)
