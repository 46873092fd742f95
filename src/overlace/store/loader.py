"""Reading the database at the start: all of it, in bulk."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any
from uuid import uuid4

from immutables import Map
from sqlalchemy import Connection, Engine, insert, select, update

from overlace.kit.revision import Revision
from overlace.model import index_tree
from overlace.model.declaration import RESOURCES
from overlace.model.index_tree import Tree
from overlace.model.snapshot import Snapshot
from overlace.store.allocation import Allocations, Pool
from overlace.store.codec import column_names, decode_cells
from overlace.store.numbers import Numbers
from overlace.store.record import CURSOR
from overlace.store.tables import ALLOCATIONS, EPOCHS, META, VALUES


@dataclass(frozen=True, slots=True)
class Loaded:
    """The contents of a database; `cluster` names the store that its switches are marked with, `ends` has the last
    revision of each epoch before the present one."""

    cluster: str
    ends: Mapping[int, int]
    snapshot: Snapshot
    allocations: Allocations


def begin_epoch(engine: Engine, now: datetime) -> None:
    """What is written from now on belongs to an epoch of its own; a new database begins its first by being loaded.

    A copy of a database that is started elsewhere must not get the same one: it is named by the time of the start, to
    the second (YYYYMMDDhhmmss, UTC).
    """
    with engine.begin() as connection:
        meta = {row.name: row.value for row in connection.execute(select(META))}
        if "epoch" in meta:
            epoch = max(int(meta["epoch"]) + 1, int(f"{now.astimezone(UTC):%Y%m%d%H%M%S}"))
            connection.execute(insert(EPOCHS), {"epoch": epoch, "after": int(meta["number"])})
            connection.execute(update(META).where(META.c.name == "epoch").values(value=str(epoch)))


def load(engine: Engine, origin: str) -> Loaded:
    """Everything at the last revision; a new database becomes one of `origin`."""
    with engine.begin() as connection:
        meta: dict[str, str] = {row.name: row.value for row in connection.execute(select(META))}
        if "origin" not in meta:
            meta = {"origin": origin, "epoch": "1", "number": "0", "cluster": str(uuid4())}
            connection.execute(insert(META), [{"name": name, "value": each} for name, each in meta.items()])
            connection.execute(insert(EPOCHS), {"epoch": 1, "after": 0})
        revision = Revision(meta["origin"], int(meta["epoch"]), int(meta["number"]))
        allocations = _allocations(connection, meta)
        return Loaded(meta["cluster"], _ends(connection), _snapshot(connection, revision), allocations)


def _ends(connection: Connection) -> dict[int, int]:
    """An epoch ends where the next one begins; the present one is not among them."""
    began = [(row.epoch, row.after) for row in connection.execute(select(EPOCHS).order_by(EPOCHS.c.epoch))]
    return {epoch: after for (epoch, _), (_, after) in pairwise(began)}


def _snapshot(connection: Connection, revision: Revision) -> Snapshot:
    """Built in dictionaries and frozen once: putting value by value would copy tree paths each time."""
    tables: dict[type, Map[str, Any]] = {}
    indexes: dict[tuple[type, str], Tree] = {}
    for cls in VALUES:
        values = dict(_values(connection, cls))
        if values:
            tables[cls] = Map(values)
            for index in RESOURCES[cls].indexes:
                entries = ((*keys, id_, value) for id_, value in values.items() for keys in index.keys(value))
                indexes[cls, index.name] = index_tree.build(entries)
    return Snapshot(revision, Map(tables), Map(indexes))


def _values(connection: Connection, cls: type) -> Iterator[tuple[str, Any]]:
    columns = VALUES[cls].columns
    wanted = [columns[name] for name in column_names(cls)]
    for cells in connection.execute(select(*wanted)):
        value = decode_cells(cls, cells)
        yield value.id, value  # the very object that is its id, and not another that is equal


def _allocations(connection: Connection, meta: dict[str, str]) -> Allocations:
    held: dict[str, tuple[list[int], list[int]]] = {}
    columns = (ALLOCATIONS.c.pool, ALLOCATIONS.c.value, ALLOCATIONS.c.state)
    for pool, value, state in connection.execute(select(*columns)):
        held.setdefault(pool, ([], []))[state != "allocated"].append(value)
    cursors = {
        name.removeprefix(CURSOR): int(value) for name, value in meta.items() if name.startswith(CURSOR)
    }
    pools = {
        name: Pool(cursors.get(name, 0), *map(Numbers.of, held.get(name, ((), ()))))
        for name in held.keys() | cursors.keys()
    }
    return Allocations(Map(pools))
