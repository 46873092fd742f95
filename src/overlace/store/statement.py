"""Statements compiled once: SQLAlchemy writes the SQL, and rows then go to the driver with no more work per call.

Building and looking up a statement costs more than SQLite needs to carry it out, and is paid at every commit.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Delete, Insert
from sqlalchemy.engine.interfaces import Dialect


class Statement:
    """An insert or delete with named parameters, for many rows at once."""

    def __init__(self, construct: Insert | Delete) -> None:
        self._construct = construct
        self._dialect: Dialect | None = None
        self._text = ""
        self._names: Sequence[str] = ()

    def execute(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Carry it out for each row. Raises the driver's errors, and KeyError for a missing name."""
        if not rows:
            return
        if self._dialect is not connection.dialect:
            self._compile(connection.dialect)
        cursor = connection.connection.cursor()
        cursor.executemany(self._text, [tuple(row[name] for name in self._names) for row in rows])
        cursor.close()

    def _compile(self, dialect: Dialect) -> None:
        compiled = self._construct.compile(dialect=dialect)
        self._text, self._names = str(compiled), tuple(compiled.positiontup or ())
        self._dialect = dialect
