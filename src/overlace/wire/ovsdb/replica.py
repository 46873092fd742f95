"""A local copy of chosen tables and columns, kept equal to the server by its monitor notifications.

Reads both notification formats: `update` (RFC 7047 4.1.6: whole new rows) and `update2` (ovsdb-server(7)
4.1.14: differences, default values omitted). Rows are immutable; a change gives a new row that shares the
rest.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from immutables import Map

from overlace.wire.errors import MalformedError
from overlace.wire.ovsdb.schema import Column, ColumnKind, Columns, DatabaseSchema
from overlace.wire.ovsdb.values import Uuid, Value

Selection = Mapping[str, tuple[str, ...]]
"""The columns wanted of each table wanted."""


class Row(msgspec.Struct, frozen=True):
    """One row of a table; optional columns that are empty hold None."""

    table: str
    uuid: Uuid
    columns: Map[str, Value | None]

    def __getitem__(self, column: str) -> Value | None:
        """The value of a column. Raises KeyError when it is not monitored or this server does not have it."""
        return self.columns[column]


class RowChange(msgspec.Struct, frozen=True):
    """What happened to a row: `before` is None for a new one, `after` for a deleted one."""

    table: str
    uuid: Uuid
    before: Row | None
    after: Row | None


class Replica:
    """The copy. Every method that reads a server's message raises MalformedError when it makes no sense."""

    def __init__(self, schema: DatabaseSchema, selection: Selection) -> None:
        """Copy the wanted columns that this server's schema has: older servers lack some."""
        self._columns: dict[str, Columns] = {
            table: {name: schema.tables[table][name] for name in names if name in schema.tables[table]}
            for table, names in selection.items()
            if table in schema.tables
        }
        self._rows: dict[str, dict[Uuid, Row]] = {table: {} for table in self._columns}
        self._defaults = {
            table: Map({name: column.default for name, column in columns.items()})
            for table, columns in self._columns.items()
        }

    def monitor_requests(self) -> dict[str, Any]:
        """The <monitor-requests> that monitor and monitor_cond take."""
        return {table: {"columns": list(columns)} for table, columns in self._columns.items()}

    def rows(self, table: str) -> Mapping[Uuid, Row]:
        """The present rows of a monitored table. Raises KeyError for any other."""
        return self._rows[table]

    def weight(self, row: int) -> int:
        """About how much all rows hold: their texts, and `row` for each."""
        kept = (each for rows in self._rows.values() for each in rows.values())
        return sum(row + sum(map(_weight, each.columns.values())) for each in kept)

    def apply_update(self, updates: Any) -> list[RowChange]:
        """Take <table-updates> (RFC 7047 4.1.6), from an update notification or the reply to monitor."""
        return [
            self._store(table, uuid, self._whole_row(table, uuid, row_update))
            for table, uuid, row_update in self._each(updates)
        ]

    def apply_update2(self, updates: Any) -> list[RowChange]:
        """Take <table-updates2> (ovsdb-server(7)), from update2 or the reply to monitor_cond."""
        return [
            self._store(table, uuid, self._changed_row(table, uuid, row_update))
            for table, uuid, row_update in self._each(updates)
        ]

    def _each(self, updates: Any) -> Iterator[tuple[str, Uuid, dict[str, Any]]]:
        for table, rows in _object(updates).items():
            if table not in self._columns:
                raise MalformedError(f"update of table {table!r:.80}, which is not monitored")
            for uuid, row_update in _object(rows).items():
                yield table, Uuid(uuid), _object(row_update)

    def _whole_row(self, table: str, uuid: Uuid, row_update: dict[str, Any]) -> Row | None:
        if row_update.get("new") is None:
            return None
        return Row(table, uuid, self._defaults[table].update(self._read(table, row_update["new"])))

    def _changed_row(self, table: str, uuid: Uuid, row_update: dict[str, Any]) -> Row | None:
        match row_update:
            case {"initial": row} | {"insert": row}:
                return Row(table, uuid, self._defaults[table].update(self._read(table, row)))
            case {"modify": difference}:
                return self._modified_row(table, uuid, difference)
            case {"delete": _}:
                return None
        raise MalformedError(f"row update of none of the known kinds: {row_update!r:.80}")

    def _modified_row(self, table: str, uuid: Uuid, difference: Any) -> Row:
        row = self._rows[table].get(uuid)
        if row is None:
            raise MalformedError(f"modification of row {uuid:.40} of {table}, which is not there")
        columns = self._columns[table]
        changes = {
            name: apply_difference(columns[name], row.columns[name], value)
            for name, value in self._read(table, difference).items()
        }
        return Row(table, uuid, row.columns.update(changes))

    def _read(self, table: str, row: Any) -> dict[str, Value | None]:
        columns = self._columns[table]
        values: dict[str, Value | None] = {}
        for name, value in _object(row).items():
            if name not in columns:
                raise MalformedError(f"column {name!r:.80} of {table} is not monitored")
            values[name] = columns[name].decode(value)
        return values

    def _store(self, table: str, uuid: Uuid, after: Row | None) -> RowChange:
        rows = self._rows[table]
        before = rows.get(uuid)
        if after is not None:
            rows[uuid] = after
        elif before is not None:
            del rows[uuid]
        return RowChange(table, uuid, before, after)


def apply_difference(column: Column, old: Value | None, difference: Value | None) -> Value | None:
    """The new value of a column from its old one and what update2 said (ovsdb-server(7) 4.1.14)."""
    if column.composite and column.kind is ColumnKind.SET:
        assert isinstance(old, frozenset)
        assert isinstance(difference, frozenset)
        return old ^ difference
    if column.composite and column.kind is ColumnKind.MAP:
        assert isinstance(old, Map)
        assert isinstance(difference, Map)
        gone = [key for key, value in difference.items() if key in old and old[key] == value]
        merged = old.update(difference)
        for key in gone:
            merged = merged.delete(key)
        return merged
    return difference


def _weight(value: Value | None) -> int:
    if isinstance(value, str):
        return len(value)
    if isinstance(value, Map):
        return sum(_weight(key) + _weight(each) for key, each in value.items())
    return sum(map(_weight, value)) if isinstance(value, frozenset) else 0


def _object(json: Any) -> dict[str, Any]:
    if not isinstance(json, dict):
        raise MalformedError(f"{json!r:.80} stands where an object should")
    return json
