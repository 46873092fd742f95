"""How the store opens SQLite.

It keeps a write-ahead log, which is synced for every commit: what was acknowledged survives the end of the process and
of the power. The writer syncs the log by itself and empties it (see `writer`); that SQLite does so too is for
whoever else writes, and for a log that grew all the same.
"""

from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection

_PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=5000", "wal_autocheckpoint=10000")


def create_store_engine(path: Path) -> Engine:
    """An engine for the database at `path`, which is made when it is not there."""
    engine = create_engine(f"sqlite:///{path}")
    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "begin", _on_begin)
    return engine


def _on_connect(connection: DBAPIConnection, _: object) -> None:
    # The driver would begin transactions by itself, but not for DDL: half a migration could stay.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _on_begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")
