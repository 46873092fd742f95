"""The schema that a server states (RFC 7047 section 3.2), as far as reading its rows needs it."""

from collections.abc import Mapping
from enum import Enum
from typing import Any

import msgspec
from immutables import Map

from overlace.wire.errors import MalformedError
from overlace.wire.ovsdb.values import Atom, Uuid, Value, decode_atom, decode_map, decode_set

_NIL = Uuid("00000000-0000-0000-0000-000000000000")
_DEFAULTS: Mapping[str, Atom] = {"integer": 0, "real": 0.0, "boolean": False, "string": "", "uuid": _NIL}


class ColumnKind(Enum):
    """How a column reads in Python."""

    SCALAR = "exactly one atom"
    OPTIONAL = "one atom or None"
    SET = "frozenset"
    MAP = "Map"


class Column(msgspec.Struct, frozen=True):
    """The type of one column; `composite` columns are those whose elements update2 sends as differences."""

    kind: ColumnKind
    default: Value | None
    composite: bool

    def decode(self, json: Any) -> Value | None:
        """Read a value of this column. Raises MalformedError when it has another shape."""
        match self.kind:
            case ColumnKind.SCALAR:
                return decode_atom(json)
            case ColumnKind.MAP:
                return decode_map(json)
            case ColumnKind.SET:
                return decode_set(json)
            case ColumnKind.OPTIONAL:
                return _only(decode_set(json))


Columns = Mapping[str, Column]


class DatabaseSchema(msgspec.Struct, frozen=True):
    """Name, version and the columns of every table."""

    name: str
    version: str
    tables: Mapping[str, Columns]


class _BaseType(msgspec.Struct):
    type: str


class _ColumnType(msgspec.Struct):
    key: _BaseType | str
    value: _BaseType | str | None = None
    min: int = 1
    max: int | str = 1


class _Column(msgspec.Struct):
    type: _ColumnType | str


class _Table(msgspec.Struct):
    columns: dict[str, _Column]


class _Schema(msgspec.Struct):
    name: str
    tables: dict[str, _Table]
    version: str = ""


def parse_schema(json: Any) -> DatabaseSchema:
    """Read the result of a get_schema request. Raises MalformedError."""
    try:
        schema = msgspec.convert(json, _Schema)
    except msgspec.ValidationError as error:
        raise MalformedError(f"not a database schema: {error}") from error
    tables = {
        table_name: {name: _column(column.type) for name, column in table.columns.items()}
        for table_name, table in schema.tables.items()
    }
    return DatabaseSchema(schema.name, schema.version, tables)


def _column(described: _ColumnType | str) -> Column:
    column_type = _ColumnType(described) if isinstance(described, str) else described
    composite = column_type.max == "unlimited" or column_type.max != 1
    base = column_type.key if isinstance(column_type.key, str) else column_type.key.type
    if base not in _DEFAULTS:
        raise MalformedError(f"unknown OVSDB base type {base!r}")
    if column_type.value is not None:
        return Column(ColumnKind.MAP, Map(), composite)
    if composite:
        default = frozenset((_DEFAULTS[base],)) if column_type.min else frozenset[Atom]()
        return Column(ColumnKind.SET, default, composite)
    if column_type.min == 0:
        return Column(ColumnKind.OPTIONAL, None, composite)
    return Column(ColumnKind.SCALAR, _DEFAULTS[base], composite)


def _only(items: frozenset[Atom]) -> Atom | None:
    if len(items) > 1:
        raise MalformedError(f"{len(items)} elements in a column that holds at most one")
    return next(iter(items), None)
