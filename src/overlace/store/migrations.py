"""The schema's history: each step is a function, applied once, in order, inside the opening transaction.

Alembic gives the operations; the version stands in its usual table, so its command line can read it.
"""

from collections.abc import Callable

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Column, MetaData, String, Table, select

from overlace.store.tables import METADATA

_VERSION = Table("alembic_version", MetaData(), Column("version_num", String(32), primary_key=True))


def _0001_first_tables(operations: Operations) -> None:
    METADATA.create_all(operations.get_bind())


STEPS: tuple[tuple[str, Callable[[Operations], None]], ...] = (("0001", _0001_first_tables),)


def migrate(context: MigrationContext) -> None:
    """Apply the steps that are missing. Raises RuntimeError for a database of a newer release."""
    connection = context.connection
    assert connection is not None
    _VERSION.create(connection, checkfirst=True)
    present = connection.execute(select(_VERSION.c.version_num)).scalar_one_or_none()
    known = [name for name, _ in STEPS]
    if present is not None and present not in known:
        raise RuntimeError(
            f"the database is of a newer release (schema {present}, this one knows {known[-1]})"
        )
    done = known.index(present) + 1 if present is not None else 0
    for _, step in STEPS[done:]:
        step(Operations(context))
    if done == 0:
        connection.execute(_VERSION.insert().values(version_num=known[-1]))
    else:
        connection.execute(_VERSION.update().values(version_num=known[-1]))
