"""The scripts make what the declarations ask for."""

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from overlace.store.engine import create_store_engine
from overlace.store.migrations import migrate
from overlace.store.tables import METADATA


def test_the_scripts_and_the_declarations_agree(tmp_path: Path) -> None:
    engine = create_store_engine(tmp_path / "overlace.db")
    migrate(engine)
    migrate(engine)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []
    engine.dispose()


def test_a_schema_of_another_release_is_refused_and_left_alone(tmp_path: Path) -> None:
    engine = create_store_engine(tmp_path / "overlace.db")
    migrate(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql("update alembic_version set version_num = 'r9999'")
    with pytest.raises(RuntimeError, match="another release"):
        migrate(engine)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("select version_num from alembic_version").scalar() == "r9999"
    engine.dispose()
