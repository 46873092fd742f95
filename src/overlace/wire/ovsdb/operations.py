"""Operations of a transaction (RFC 7047 section 5.2), each a frozen value in wire form.

A row is given as a mapping from column to value; values are what `overlace.wire.ovsdb.values` writes. A
condition is a triple such as ``("name", "==", "br-int")``, and so is a mutation: ``("ports", "insert",
uuids)``.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from overlace.wire.ovsdb.values import InputValue, NamedUuid, Uuid, encode_value

RowInput = Mapping[str, InputValue]
Clause = tuple[str, str, InputValue]


class Insert(msgspec.Struct, frozen=True, tag_field="op", tag="insert", omit_defaults=True):
    """Make a row; `uuid_name` lets other operations of the transaction refer to it."""

    table: str
    row: dict[str, Any]
    uuid_name: str | None = msgspec.field(default=None, name="uuid-name")


class Update(msgspec.Struct, frozen=True, tag_field="op", tag="update"):
    """Set columns of the rows that meet all conditions."""

    table: str
    where: list[Any]
    row: dict[str, Any]


class Mutate(msgspec.Struct, frozen=True, tag_field="op", tag="mutate"):
    """Change columns in place: insert into and delete from sets and maps, arithmetic on numbers."""

    table: str
    where: list[Any]
    mutations: list[Any]


class Delete(msgspec.Struct, frozen=True, tag_field="op", tag="delete"):
    """Remove the rows that meet all conditions."""

    table: str
    where: list[Any]


class Select(msgspec.Struct, frozen=True, tag_field="op", tag="select", omit_defaults=True):
    """Read rows; all columns when `columns` is None."""

    table: str
    where: list[Any]
    columns: list[str] | None = None


class Wait(msgspec.Struct, frozen=True, tag_field="op", tag="wait"):
    """Hold the transaction, up to `timeout` ms, until the rows are (`==`) or are not (`!=`) these."""

    table: str
    where: list[Any]
    columns: list[str]
    until: str
    rows: list[dict[str, Any]]
    timeout: int


class Comment(msgspec.Struct, frozen=True, tag_field="op", tag="comment"):
    """Text for the database's log."""

    comment: str


class Assert(msgspec.Struct, frozen=True, tag_field="op", tag="assert"):
    """Abort the transaction unless this session owns the lock."""

    lock: str


class Abort(msgspec.Struct, frozen=True, tag_field="op", tag="abort"):
    """Abort the transaction: for dry runs."""


class Commit(msgspec.Struct, frozen=True, tag_field="op", tag="commit"):
    """With `durable`, the reply comes only after the transaction is on disk."""

    durable: bool


Operation = Insert | Update | Mutate | Delete | Select | Wait | Comment | Assert | Abort | Commit


def insert(table: str, row: RowInput, name: NamedUuid | None = None) -> Insert:
    """Make a row, which `name` stands for in the rest of the transaction."""
    return Insert(table, _row(row), None if name is None else str(name))


def update(table: str, where: Iterable[Clause], row: RowInput) -> Update:
    """Set columns of all rows that meet `where`."""
    return Update(table, _clauses(where), _row(row))


def mutate(table: str, where: Iterable[Clause], mutations: Iterable[Clause]) -> Mutate:
    """Apply mutators (``insert delete += -= *= /= %=``) to all rows that meet `where`."""
    return Mutate(table, _clauses(where), _clauses(mutations))


def delete(table: str, where: Iterable[Clause]) -> Delete:
    """Remove all rows that meet `where`."""
    return Delete(table, _clauses(where))


def select(table: str, where: Iterable[Clause] = (), columns: Sequence[str] | None = None) -> Select:
    """Read all rows that meet `where`."""
    return Select(table, _clauses(where), None if columns is None else list(columns))


def wait(table: str, where: Iterable[Clause], rows: Sequence[RowInput], *, until: str = "==") -> Wait:
    """Fail the transaction unless the columns of the rows that meet `where` are what `rows` say (timeout 0).

    This is how a transaction is made conditional on what was seen before. Raises ValueError when `rows` do
    not all name the same columns, or are none, so that no column is known.
    """
    columns = {tuple(sorted(row)) for row in rows}
    if len(columns) != 1:
        raise ValueError("wait needs at least one row, and the same columns in every row")
    return Wait(table, _clauses(where), list(columns.pop()), until, [_row(row) for row in rows], 0)


def comment(text: str) -> Comment:
    """Say in the database's log why the transaction was made."""
    return Comment(text)


def assert_lock(lock: str) -> Assert:
    """Abort unless the session holds `lock`."""
    return Assert(lock)


def abort() -> Abort:
    """Try the operations before this one without effect."""
    return Abort()


def commit(*, durable: bool) -> Commit:
    """Ask for the commit to be on disk before the reply."""
    return Commit(durable)


def by_uuid(uuid: Uuid) -> list[Clause]:
    """The condition that only the row `uuid` meets."""
    return [("_uuid", "==", uuid)]


def by_column(column: str, value: InputValue) -> list[Clause]:
    """The condition that a column has exactly this value."""
    return [(column, "==", value)]


def _row(row: RowInput) -> dict[str, Any]:
    return {column: encode_value(value) for column, value in row.items()}


def _clauses(clauses: Iterable[Clause]) -> list[Any]:
    return [[column, function, encode_value(value)] for column, function, value in clauses]
