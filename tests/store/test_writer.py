"""The writer has a head start before the event loop goes on, and no more than that."""

import asyncio
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import event

from overlace.kit.clock import ManualClock
from overlace.model.network import Network
from overlace.store import writer
from overlace.store.engine import create_store_engine
from overlace.store.loader import load
from overlace.store.store import Store
from overlace.store.transaction import Transaction

NETWORK = Network(id="n", project_id="red", name="front")


def create(tx: Transaction) -> None:
    tx.put(NETWORK)


async def test_given_a_commit_when_the_loop_goes_on_then_nothing_but_the_disk_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "_HEAD_START", 60)  # however slow the machine
    store = await Store.open(tmp_path / "overlace.db", ManualClock())
    written: list[str] = []
    event.listen(store._engine, "commit", lambda _: written.append("rows"))
    async with asyncio.TaskGroup() as group:
        group.create_task(store.transact(create, actor="a"))
        await asyncio.sleep(0)
        written.append("loop")
    assert written == ["rows", "loop"]
    await store.close()


async def test_given_a_locked_database_when_a_commit_waits_for_it_then_the_loop_does_not(
    tmp_path: Path,
) -> None:
    path = tmp_path / "overlace.db"
    store = await Store.open(path, ManualClock())
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    async with asyncio.TaskGroup() as group:
        task = group.create_task(store.transact(create, actor="a"))
        for _ in range(10):
            await asyncio.sleep(0)
        assert not task.done()
        other.execute("ROLLBACK")
        other.close()
    assert store.snapshot.get(Network, "n") is not None
    await store.close()


async def test_given_a_connection_that_broke_when_the_next_commit_comes_then_it_has_a_new_one(
    tmp_path: Path,
) -> None:
    path = tmp_path / "overlace.db"
    store = await Store.open(path, ManualClock())
    await store.transact(create, actor="a")
    connection = store._writer._connection
    assert connection is not None

    def breaks(*_: object) -> None:
        raise OSError("disk I/O error")

    event.listen(store._engine, "commit", breaks)
    outcome = (await asyncio.gather(store.transact(rename, actor="a"), return_exceptions=True))[0]
    assert "disk I/O error" in str(outcome)
    event.remove(store._engine, "commit", breaks)
    await store.transact(rename, actor="a")
    assert connection.closed
    engine = create_store_engine(path)
    assert load(engine, "site").snapshot == store.snapshot
    engine.dispose()
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
