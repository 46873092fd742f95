"""The database: one table a resource with a column for every field, and the tables of the store itself.

The tables follow the declarations; the migrations do not, for they tell what past releases made. A test holds the
two against each other.
"""

from dataclasses import fields
from functools import reduce
from operator import or_
from types import NoneType, UnionType
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

from sqlalchemy import BigInteger, Boolean, Column, Integer, MetaData, String, Table, Text
from sqlalchemy.types import TypeEngine

from overlace.model import (
    controller,
    identity,
    machine,
    move,
    network,
    policy,
    port,
    procedure,
    replica,
    site,
    trail,
)
from overlace.model.declaration import RESOURCES, ResourceType

DECLARED = (controller, identity, machine, move, network, policy, port, procedure, replica, site, trail)
"""The modules whose import declares the resources."""

HEXADECIMAL: Final = frozenset({"datapath_id"})
"""Unsigned 64-bit fields, kept as 16 digits as OVSDB does: SQL integers have a sign."""

METADATA = MetaData()

META = Table(
    "meta", METADATA, Column("name", String, primary_key=True), Column("value", Text, nullable=False)
)
EPOCHS = Table(
    "epochs",
    METADATA,
    Column("epoch", BigInteger, primary_key=True),
    Column("after", BigInteger, nullable=False),
)
"""The epochs of this store, each with the number of the last revision before it."""
REVISIONS = Table(
    "revisions",
    METADATA,
    Column("epoch", Integer, primary_key=True),
    Column("number", BigInteger, primary_key=True),
    Column("actor", String, nullable=False),
    Column("request_id", String, nullable=False),
    Column("source", String, nullable=False),
    Column("at", String, nullable=False),
)
CHANGES = Table(
    "changes",
    METADATA,
    Column("epoch", Integer, primary_key=True),
    Column("number", BigInteger, primary_key=True),
    Column("kind", String, primary_key=True),
    Column("id", String, primary_key=True),
    Column("before", Text),
    Column("after", Text),
)
ALLOCATIONS = Table(
    "allocations",
    METADATA,
    Column("pool", String, primary_key=True),
    Column("value", BigInteger, primary_key=True),
    Column("state", String, nullable=False),
    Column("since", String, nullable=False),
)


def without_none(kind: Any) -> tuple[Any, bool]:
    """A declared type without its None, and whether it had one."""
    if get_origin(kind) not in (Union, UnionType):
        return kind, False
    kinds = tuple(each for each in get_args(kind) if each is not NoneType)
    optional = len(kinds) < len(get_args(kind))
    return reduce(or_, kinds), optional


def _column_type(name: str, kind: Any) -> TypeEngine[Any]:
    base = getattr(kind, "__supertype__", kind)  # Mac is a NewType of int
    if name in HEXADECIMAL:
        return String(16)
    if base is bool:
        return Boolean()
    if base is int:
        return BigInteger()
    return Text() if get_origin(base) is tuple else String()


def _table(declared: ResourceType) -> Table:
    types = get_type_hints(declared.cls)
    columns: list[Column[Any]] = []
    names = [each.name for each in fields(declared.cls)]
    if "id" not in names:
        columns.append(Column("id", String(), primary_key=True))
    for name in names:
        kind, optional = without_none(types[name])
        key = name == "id"
        columns.append(Column(name, _column_type(name, kind), primary_key=key, nullable=optional and not key))
    return Table(f"resource_{declared.kind}", METADATA, *columns)


VALUES: dict[type, Table] = {cls: _table(declared) for cls, declared in RESOURCES.items()}
