"""Commits as rows, and rows into the database: each table's in one statement."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table, and_, bindparam, delete, insert
from sqlalchemy.engine.interfaces import DBAPICursor

from overlace.kit.revision import Revision
from overlace.model.declaration import RESOURCES
from overlace.model.snapshot import Change
from overlace.store.codec import encode_row, encode_value
from overlace.store.statement import Statement
from overlace.store.tables import ALLOCATIONS, CHANGES, META, REVISIONS, VALUES
from overlace.store.transaction import NumberChange, Transaction

Row = dict[str, Any]
CURSOR = "cursor:"
"""Before a pool's name in the table `meta`: the last number that it gave."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Who asked for a transaction, and through what."""

    actor: str
    request_id: str
    source: str


@dataclass(frozen=True, slots=True)
class Record:
    """One commit as rows. `values` holds, by class and id, the row that the change leaves, or None."""

    revision: Row
    changes: tuple[Row, ...]
    values: dict[tuple[type, str], Row | None]
    numbers: tuple[NumberChange, ...]
    cursors: dict[str, int]

    @property
    def rows(self) -> int:
        """How many rows it writes, replaces or deletes when it is written by itself."""
        return 2 + len(self.changes) + len(self.values) + len(self.numbers) + len(self.cursors)


def encode_record(transaction: Transaction, revision: Revision, origin: Origin, at: str) -> Record:
    """A transaction as rows. Raises InvalidValue."""
    where = {"epoch": revision.epoch, "number": revision.number}
    about = {"actor": origin.actor, "request_id": origin.request_id, "source": origin.source, "at": at}
    changes = transaction.changes
    return Record(
        where | about,
        tuple(where | _change_row(change) for change in changes),
        {(each.cls, each.id): None if each.after is None else encode_row(each.after) for each in changes},
        transaction.numbers,
        transaction.cursors,
    )


def _change_row(change: Change) -> Row:
    before = None if change.before is None else encode_value(change.before)
    after = None if change.after is None else encode_value(change.after)
    return {"kind": RESOURCES[change.cls].kind, "id": change.id, "before": before, "after": after}


_INSERT_REVISION = Statement(insert(REVISIONS))
_INSERT_CHANGE = Statement(insert(CHANGES))


def _replacing(table: Table) -> Statement:
    return Statement(insert(table).prefix_with("OR REPLACE"))


_REPLACE_VALUE = {cls: _replacing(table) for cls, table in VALUES.items()}
_DELETE_VALUE = {
    cls: Statement(delete(table).where(table.c.id == bindparam("gone"))) for cls, table in VALUES.items()
}
_REPLACE_NUMBER = _replacing(ALLOCATIONS)
_DELETE_NUMBER = Statement(
    delete(ALLOCATIONS).where(
        and_(ALLOCATIONS.c.pool == bindparam("gone_pool"), ALLOCATIONS.c.value == bindparam("gone"))
    )
)
_REPLACE_META = _replacing(META)


def write_record(cursor: DBAPICursor, record: Record) -> None:
    """Write it as part of the transaction that is open. Raises the driver's errors."""
    _INSERT_REVISION.execute(cursor, [record.revision])
    _INSERT_CHANGE.execute(cursor, record.changes)
    _write_values(cursor, record)
    _write_numbers(cursor, record)
    meta = {"number": str(record.revision["number"])}
    meta |= {f"{CURSOR}{pool}": str(number) for pool, number in record.cursors.items()}
    _REPLACE_META.execute(cursor, [{"name": name, "value": value} for name, value in meta.items()])


def _write_values(cursor: DBAPICursor, record: Record) -> None:
    kept: dict[type, list[Row]] = {}
    for (cls, key), row in record.values.items():
        if row is None:
            _DELETE_VALUE[cls].execute(cursor, [{"gone": key}])
        else:
            kept.setdefault(cls, []).append(row)
    for cls, rows in kept.items():
        _REPLACE_VALUE[cls].execute(cursor, rows)


def _write_numbers(cursor: DBAPICursor, record: Record) -> None:
    since = record.revision["at"]
    kept = [
        {
            "pool": change.pool,
            "value": change.number,
            "state": "allocated" if change.state else "quarantined",
            "since": since,
        }
        for change in record.numbers
        if change.state is not None
    ]
    freed = [
        {"gone_pool": change.pool, "gone": change.number} for change in record.numbers if change.state is None
    ]
    _REPLACE_NUMBER.execute(cursor, kept)
    _DELETE_NUMBER.execute(cursor, freed)
