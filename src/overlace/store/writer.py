"""The thread that writes commits: all that waits in one SQL transaction.

Python runs one thread at a time, and the event loop has much to do for a commit while the disk works on it. So the
loop first stands still until the writer waits for nothing but the disk: else the writer would only begin when the
loop has nothing left to do, and the one would take its time after the other, not beside it.

What has been written goes from the log into the database's own pages now and then, with two syncs more. SQLite by
itself does that inside a commit, so that every hundredth takes many times as long; here the commit was told before.
"""

import asyncio
import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Event, Thread

from sqlalchemy import Connection, Engine

from overlace.store.record import Record, write_records

_HEAD_START = 0.005
"""Seconds, at most, that the event loop stands still."""
_ROWS_IN_LOG = 500
"""So many rows are written before the log is emptied: about as many pages as SQLite would wait for."""


class Writer:
    """The thread. Its methods are for the event loop's."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: Connection | None = None
        self._rows_in_log = 0
        self._work: SimpleQueue[_Work | None] = SimpleQueue()
        self._thread = Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    def write(self, records: Sequence[Record]) -> "asyncio.Future[None]":
        """Write all records or, when what is returned raises (SQLAlchemy's errors, or the driver's), none."""
        work = _Work(records, asyncio.get_running_loop().create_future(), Event())
        self._work.put(work)
        work.syncing.wait(_HEAD_START)
        return work.written

    def close(self) -> None:
        """Finish what was begun."""
        self._work.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (work := self._work.get()) is not None:
            work.tell(self._outcome(work))
            self._empty_log()
        self._disconnect()

    def _outcome(self, work: "_Work") -> Exception | None:
        try:
            if work.records:
                self._transact(work)
        except Exception as reason:
            self._disconnect()
            return reason
        return None

    def _transact(self, work: "_Work") -> None:
        if self._connection is None:
            self._connection = self._engine.connect()
        with self._connection.begin():
            write_records(self._connection, work.records)
            work.syncing.set()
        self._rows_in_log += sum(record.rows for record in work.records)

    def _empty_log(self) -> None:
        """A failure is the next commit's to tell: the log only grows."""
        if self._connection is None or self._rows_in_log < _ROWS_IN_LOG:
            return
        self._rows_in_log = 0
        with suppress(sqlite3.Error):
            cursor = self._connection.connection.cursor()
            cursor.execute("PRAGMA wal_checkpoint(PASSIVE)")
            cursor.close()

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


@dataclass(frozen=True, slots=True)
class _Work:
    """Records to be written. `syncing` is set when nothing is left but to wait for the disk, or it has failed."""

    records: Sequence[Record]
    written: "asyncio.Future[None]"
    syncing: Event

    def tell(self, failure: Exception | None) -> None:
        """Let the event loop know."""
        self.syncing.set()
        with suppress(RuntimeError):  # it was closed meanwhile
            self.written.get_loop().call_soon_threadsafe(self._end, failure)

    def _end(self, failure: Exception | None) -> None:
        if self.written.done():
            return
        if failure is None:
            self.written.set_result(None)
        else:
            self.written.set_exception(failure)
