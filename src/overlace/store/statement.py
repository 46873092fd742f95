"""Statements compiled once: SQLAlchemy writes the SQL, and rows then go to the driver with no more work per call.

Building and looking up a statement costs more than SQLite needs to carry it out, and is paid at every commit.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from operator import itemgetter
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
        text, values_of = self._compiled
        if len(rows) == 1:
            cursor.execute(text, values_of(rows[0]))
        else:
            cursor.executemany(text, [values_of(row) for row in rows])

    @cached_property
    def _compiled(self) -> tuple[str, Callable[[Mapping[str, Any]], tuple[Any, ...]]]:
        compiled = self._construct.compile(dialect=_DIALECT)
        names = tuple(compiled.positiontup or ())
        return str(compiled), itemgetter(*names) if len(names) > 1 else lambda row: tuple(
            row[name] for name in names
        )
