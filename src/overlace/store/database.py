"""The only module that speaks SQL. All of it runs on the writer's thread, but for the loading at the start.

SQLite keeps a write-ahead log and syncs it at every commit: what was acknowledged survives the end of the process
and of the power.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, Engine, create_engine, delete, event, insert, select
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlalchemy.engine.interfaces import DBAPIConnection

from overlace.kit.revision import Revision
from overlace.model.declaration import RESOURCES
from overlace.model.snapshot import Change, Snapshot
from overlace.store.allocation import Allocations
from overlace.store.codec import decode_value, encode_value
from overlace.store.migrations import migrate
from overlace.store.tables import ALLOCATIONS, CHANGES, META, REVISIONS, VALUES
from overlace.store.transaction import NumberChange


@dataclass(frozen=True, slots=True)
class Record:
    """One commit, as it is written."""

    revision: Revision
    changes: tuple[Change, ...]
    numbers: tuple[NumberChange, ...]
    actor: str
    request_id: str
    source: str
    at: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """The contents of a database; `cluster` names the store that its switches are marked with."""

    cluster: str
    snapshot: Snapshot
    allocations: Allocations


class Database:
    """One SQLite file."""

    def __init__(self, path: Path) -> None:
        self._engine = _engine(path)

    def prepare(self) -> None:
        """Bring the schema up to date. Raises sqlalchemy.exc.SQLAlchemyError."""
        with self._engine.begin() as connection:
            migrate(MigrationContext.configure(connection))

    def load(self, origin: str) -> Loaded:
        """Everything, at the last revision."""
        with self._engine.begin() as connection:
            meta = {row.name: row.value for row in connection.execute(select(META))}
            if "origin" not in meta:
                meta = {"origin": origin, "epoch": "1", "number": "0", "cluster": str(uuid4())}
                rows = [{"name": name, "value": value} for name, value in meta.items()]
                connection.execute(insert(META), rows)
            revision = Revision(meta["origin"], int(meta["epoch"]), int(meta["number"]))
            return Loaded(meta["cluster"], _load_values(connection, revision), _load_numbers(connection))

    def write(self, records: Iterable[Record]) -> None:
        """All records in one SQL transaction. Raises sqlalchemy.exc.SQLAlchemyError; then none is written."""
        with self._engine.begin() as connection:
            number = None
            for record in records:
                _write_record(connection, record)
                number = record.revision.number
            if number is not None:
                connection.execute(META.update().where(META.c.name == "number").values(value=str(number)))

    def history(self, limit: int) -> list[dict[str, object]]:
        """The newest changes first: who, when, what."""
        joined = CHANGES.join(
            REVISIONS, (CHANGES.c.epoch == REVISIONS.c.epoch) & (CHANGES.c.number == REVISIONS.c.number)
        )
        who = (REVISIONS.c.actor, REVISIONS.c.request_id, REVISIONS.c.source, REVISIONS.c.at)
        newest = CHANGES.c.epoch.desc(), CHANGES.c.number.desc()
        wanted = select(CHANGES, *who).select_from(joined).order_by(*newest).limit(limit)
        with self._engine.connect() as connection:
            return [dict(row._mapping) for row in connection.execute(wanted)]

    def close(self) -> None:
        """Let go of the file."""
        self._engine.dispose()


def _engine(path: Path) -> Engine:
    engine = create_engine(f"sqlite:///{path}")

    @event.listens_for(engine, "connect")
    def _on_connect(connection: DBAPIConnection, _: object) -> None:
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=5000"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    return engine


def _load_values(connection: Connection, revision: Revision) -> Snapshot:
    snapshot = Snapshot.empty(revision)
    for cls, table in VALUES.items():
        for (text,) in connection.execute(select(table.c.value)):
            snapshot = snapshot.put(decode_value(cls, text))
    return snapshot


def _load_numbers(connection: Connection) -> Allocations:
    allocations = Allocations()
    for row in connection.execute(select(ALLOCATIONS)):
        allocations = allocations.restore(row.pool, row.number, allocated=row.allocated)
    return allocations


def _write_record(connection: Connection, record: Record) -> None:
    at = {"epoch": record.revision.epoch, "number": record.revision.number}
    about = {"actor": record.actor, "request_id": record.request_id, "source": record.source, "at": record.at}
    connection.execute(insert(REVISIONS).values(**at, **about))
    for change in record.changes:
        before = None if change.before is None else encode_value(change.before)
        after = None if change.after is None else encode_value(change.after)
        kind = RESOURCES[change.cls].kind
        row = {"kind": kind, "id": change.id, "before": before, "after": after}
        connection.execute(insert(CHANGES).values(**at, **row))
        table = VALUES[change.cls]
        if after is None:
            connection.execute(delete(table).where(table.c.id == change.id))
        else:
            kept = upsert(table).values(id=change.id, value=after)
            connection.execute(kept.on_conflict_do_update(index_elements=["id"], set_={"value": after}))
    for change_of in record.numbers:
        _write_number(connection, change_of)


def _write_number(connection: Connection, change: NumberChange) -> None:
    if change.state is None:
        which = (ALLOCATIONS.c.pool == change.pool) & (ALLOCATIONS.c.number == change.number)
        connection.execute(delete(ALLOCATIONS).where(which))
        return
    row = {"pool": change.pool, "number": change.number, "allocated": change.state}
    kept = upsert(ALLOCATIONS).values(**row)
    connection.execute(
        kept.on_conflict_do_update(index_elements=["pool", "number"], set_={"allocated": change.state})
    )
