"""Statements compiled once: SQLAlchemy writes the SQL, and rows then go to the driver with no more work per call.

Building and looking up a statement costs more than SQLite needs to carry it out, and is paid at every commit.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from sqlalchemy import Delete, Insert
from sqlalchemy.dialects.sqlite import pysqlite
from sqlalchemy.engine.interfaces import DBAPICursor

_DIALECT = pysqlite.dialect()


class Statement:
    """An insert or delete with named parameters, for many rows at once."""

    def __init__(self, construct: Insert | Delete) -> None:
        self._construct = construct

    def execute(self, cursor: DBAPICursor, rows: Sequence[Mapping[str, Any]]) -> None:
        """Carry it out for each row. Raises the driver's errors, and KeyError for a missing name."""
        if not rows:
            return
        text, names = self._compiled
        if len(rows) == 1:
            row = rows[0]
            cursor.execute(text, tuple(row[name] for name in names))
        else:
            cursor.executemany(text, [tuple(row[name] for name in names) for row in rows])

    @cached_property
    def _compiled(self) -> tuple[str, Sequence[str]]:
        compiled = self._construct.compile(dialect=_DIALECT)
        return str(compiled), tuple(compiled.positiontup or ())
