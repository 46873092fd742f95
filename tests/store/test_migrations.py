"""The scripts make what the declarations ask for, and bring databases of past releases along."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection

from overlace.kit.clock import ManualClock
from overlace.model.controller import Controller, controller_of
from overlace.model.identity import Quota, User
from overlace.model.policy import SecurityGroup, SecurityGroupRule
from overlace.model.port import Port
from overlace.model.site import Host, Site
from overlace.store import migrations
from overlace.store.engine import create_store_engine
from overlace.store.migrations import migrate
from overlace.store.store import Store
from overlace.store.tables import METADATA

SAMPLES = Path(__file__).parent / "samples"


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


@contextmanager
def release(path: Path, revision: str) -> Iterator[Connection]:
    """A database as the release with this revision makes it."""
    engine = create_store_engine(path)
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        yield connection
    engine.dispose()


async def test_a_database_of_the_release_before_is_opened_with_all_that_is_in_it(tmp_path: Path) -> None:
    path = tmp_path / "overlace.db"
    with release(path, "r0002") as connection:
        meta = {"origin": "site", "epoch": "1", "number": "7", "cluster": "ours", "cursor:vni": "5000"}
        for name, value in meta.items():
            connection.exec_driver_sql("insert into meta (name, value) values (?, ?)", (name, value))
        connection.exec_driver_sql("insert into resource_site (id, description, mtu) values ('a', '', 9000)")

    store = await Store.open(path, ManualClock())
    assert store.snapshot.get(Site, "a") == Site(id="a", mtu=9000)
    assert (store.cluster, store.snapshot.revision.number, store.ends) == ("ours", 7, {1: 7})
    assert (await store.transact(lambda tx: tx.allocate("vni"), actor="test")).result == 5001
    await store.close()


@pytest.mark.parametrize("revision", ["r0004", "r0011"])
async def test_a_whole_database_that_an_earlier_release_wrote_is_opened_and_goes_on(
    tmp_path: Path, revision: str
) -> None:
    # given one that it has made itself
    path = tmp_path / "overlace.db"
    with closing(sqlite3.connect(path)) as written:
        written.executescript((SAMPLES / f"{revision}.sql").read_text())
        (before,) = written.execute("select max(number) from revisions").fetchone()

    # when this release opens it, then everything is there
    store = await Store.open(path, ManualClock())
    seen = store.snapshot
    assert (seen.revision.number, store.ends) == (before, {1: before})
    hosts = sorted(seen.all(Host), key=lambda each: each.id)
    assert [[str(each.address) for each in host.endpoints] for host in hosts] == [
        ["192.0.2.1", "2001:db8::1"],
        ["192.0.2.2", "2001:db8::2"],
    ]
    first, second = sorted(seen.all(Port), key=lambda each: each.name)
    assert [str(each.ip_address) for each in first.fixed_ips] == ["10.0.0.11", "fd00::11"]
    assert [str(each.ip_address) for each in first.allowed_address_pairs] == ["10.0.0.100/32"]
    (group,) = (each for each in seen.all(SecurityGroup) if each.name == "open")
    assert first.security_groups == second.security_groups == (group.id,)
    assert [each for each in seen.all(SecurityGroupRule) if each.port_range_min == 80]
    assert [(each.id, each.limit) for each in seen.all(Quota)] == [("blue:port", 77)]

    # and it goes on: no number is given twice, not even that of the port that was removed
    given = (await store.transact(lambda tx: tx.allocate("port_key"), actor="test")).result
    assert given == max(first.key, second.key) + 2
    assert store.snapshot.revision.number == before + 1
    await store.close()


async def test_users_of_the_release_before_keep_their_passwords(tmp_path: Path) -> None:
    path = tmp_path / "overlace.db"
    with release(path, "r0004") as connection:
        meta = {"origin": "site", "epoch": "1", "number": "7", "cluster": "ours"}
        for name, value in meta.items():
            connection.exec_driver_sql("insert into meta (name, value) values (?, ?)", (name, value))
        connection.exec_driver_sql(
            "insert into resource_user (id, name, password_hash, enabled) values ('u', 'alice', 'hash', 1)"
        )
    store = await Store.open(path, ManualClock())
    assert store.snapshot.get(User, "u") == User(id="u", name="alice", password_hash="hash")
    await store.close()


async def test_what_was_said_of_the_controller_goes_on_with_the_usual_tunnel_port(tmp_path: Path) -> None:
    path = tmp_path / "overlace.db"
    with release(path, "r0003") as connection:
        meta = {"origin": "site", "epoch": "1", "number": "7", "cluster": "ours"}
        for name, value in meta.items():
            connection.exec_driver_sql("insert into meta (name, value) values (?, ?)", (name, value))
        connection.exec_driver_sql(
            "insert into resource_controller (id, observe_only) values ('controller', 1)"
        )
    store = await Store.open(path, ManualClock())
    assert controller_of(store.snapshot) == Controller(observe_only=True, tunnel_port=4789)
    await store.close()
