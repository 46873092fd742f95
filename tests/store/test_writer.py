"""The disk is at work before the event loop goes on, and on the log that is written to."""

import asyncio
import os
import sqlite3
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Event

import pytest
from sqlalchemy.engine.interfaces import DBAPICursor

from overlace.kit.clock import ManualClock
from overlace.model.network import Network
from overlace.store import writer
from overlace.store.engine import create_store_engine
from overlace.store.errors import StoreUnavailable
from overlace.store.loader import load
from overlace.store.record import Record, write_record
from overlace.store.store import Committed, Store
from overlace.store.transaction import Transaction

NETWORK = Network(id="n", project_id="red", name="front")


def create(tx: Transaction) -> None:
    tx.put(NETWORK)


async def test_given_a_commit_when_the_loop_goes_on_then_nothing_but_the_disk_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "_HEAD_START", 60)  # however slow the machine
    store = await Store.open(tmp_path / "overlace.db", ManualClock())
    done: list[str] = []
    sync = os.fdatasync

    def slow(log: int) -> None:
        done.append("asked")
        sync(log)

    monkeypatch.setattr(os, "fdatasync", slow)
    async with asyncio.TaskGroup() as group:
        group.create_task(store.transact(create, actor="a"))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        done.append("loop")
    assert done == ["asked", "loop"]
    await store.close()


async def test_given_a_database_that_another_has_locked_when_a_commit_comes_then_it_is_refused_and_the_next_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "_LOCK_TIME", 1)
    path = tmp_path / "overlace.db"
    store = await Store.open(path, ManualClock())
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match="locked"):
        await store.transact(create, actor="a")
    assert store.snapshot.get(Network, "n") is None
    other.execute("ROLLBACK")
    other.close()
    await store.transact(create, actor="a")
    assert store.snapshot.get(Network, "n") is not None
    await store.close()


async def test_given_a_connection_that_broke_when_the_next_commit_comes_then_it_has_a_new_one_and_its_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "overlace.db"
    store = await Store.open(path, ManualClock())
    await store.transact(create, actor="a")
    before = store._writer._log
    assert before is not None

    def breaks(*_: object) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    with monkeypatch.context() as patched:
        patched.setattr(writer, "write_record", breaks)
        with pytest.raises(StoreUnavailable, match="disk I/O error"):
            await store.transact(rename, actor="a")
    synced: list[int] = []
    sync = os.fdatasync

    def noted(log: int) -> None:
        synced.append(os.fstat(log).st_ino)
        sync(log)

    monkeypatch.setattr(os, "fdatasync", noted)
    await store.transact(rename, actor="a")
    # what was synced is the file that the name leads to
    assert synced == [path.with_name("overlace.db-wal").stat().st_ino]
    engine = create_store_engine(path)
    assert load(engine, "site").snapshot == store.snapshot
    engine.dispose()
    await store.close()


async def test_given_a_commit_that_waits_for_the_disk_when_the_next_one_fails_then_the_first_is_synced_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "overlace.db"
    store = await Store.open(path, ManualClock())
    await store.transact(create, actor="a")
    synced: list[int] = []
    go_on, sync = Event(), os.fdatasync
    reader = sqlite3.connect(path)  # so that the log stays when the writer's connection goes
    assert reader.execute("SELECT count(*) FROM revisions").fetchone() == (1,)

    def noted(log: int) -> None:
        assert go_on.wait(30)
        synced.append(os.fstat(log).st_ino)
        sync(log)

    def fails(cursor: DBAPICursor, record: Record) -> None:
        if record.revision["number"] == 4:
            raise sqlite3.OperationalError("disk I/O error")
        write_record(cursor, record)

    monkeypatch.setattr(os, "fdatasync", noted)
    monkeypatch.setattr(writer, "write_record", fails)
    # given one that the disk is at, and one that was written meanwhile
    names = ("one", "two", "three")
    put = [partial(Transaction.put, value=replace(NETWORK, name=name)) for name in names]
    attempts = [store.transact(each, actor="a") for each in put]
    outcomes = asyncio.gather(*attempts, return_exceptions=True)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    # when the third fails and with it the connection
    go_on.set()
    assert [type(each) for each in await outcomes] == [Committed, Committed, StoreUnavailable]
    # then the second has been synced by itself
    assert synced == [path.with_name("overlace.db-wal").stat().st_ino] * 2
    reader.close()
    await store.close()


def rename(tx: Transaction) -> None:
    tx.put(Network(id="n", project_id="red", name="back"))


async def test_given_many_rows_in_the_log_when_their_commit_was_told_then_they_go_into_the_database(
    tmp_path: Path,
) -> None:
    path = tmp_path / "overlace.db"
    store = await Store.open(path, ManualClock())
    empty = path.stat().st_size

    def create_many(tx: Transaction) -> None:
        for number in range(500):
            tx.put(replace(NETWORK, id=f"n{number}"))

    await store.transact(create_many, actor="a")
    await store.transact(create, actor="a")  # the writer takes it when it has done with the first
    assert path.stat().st_size > empty
    await store.close()
