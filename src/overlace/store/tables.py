"""The database: one table of values a resource, and the tables of the store itself."""

from sqlalchemy import BigInteger, Boolean, Column, Integer, MetaData, String, Table, Text

from overlace.model import identity, network, policy, port, site
from overlace.model.declaration import RESOURCES

DECLARED = (identity, network, policy, port, site)
"""The modules whose import declares the resources."""

METADATA = MetaData()

META = Table(
    "meta", METADATA, Column("name", String, primary_key=True), Column("value", Text, nullable=False)
)
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
    Column("number", BigInteger, primary_key=True),
    Column("allocated", Boolean, nullable=False),
)
VALUES: dict[type, Table] = {
    cls: Table(
        f"resource_{declared.kind}",
        METADATA,
        Column("id", String, primary_key=True),
        Column("value", Text, nullable=False),
    )
    for cls, declared in RESOURCES.items()
}
