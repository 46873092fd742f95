"""Given much whose time has passed, when the chores are done, then others' changes go in between."""

import asyncio
from pathlib import Path

from overlace.app.chores import end_quarantine
from overlace.compiler.plan import PlanChange
from overlace.engine.engine import Engine
from overlace.engine.quarantine import Quarantine
from overlace.kit.clock import ManualClock
from overlace.kit.revision import Revision
from overlace.model.network import Network
from overlace.store.store import Commit, Store
from overlace.store.transaction import Transaction


class NoSwitches:
    """Nothing has to be told."""

    def publish(self, change: PlanChange, revision: Revision) -> None:
        """Nobody is there."""

    def durable(self, revision: Revision) -> None:
        """Nobody is there."""


def give_back(tx: Transaction) -> None:
    for _ in range(250):
        tx.release("group_key", tx.allocate("group_key"))


async def test_many_numbers_are_free_again_and_a_change_does_not_wait_for_all_of_them(tmp_path: Path) -> None:
    store = await Store.open(tmp_path / "overlace.db", ManualClock())
    # given many numbers that were given back, and no switch that could act on them
    await store.transact(give_back, actor="a")
    engine = Engine(store.snapshot, NoSwitches(), lambda _: None)
    commits: list[Commit] = []
    store.subscribe(commits.append)
    # when their rest is over, and somebody changes something meanwhile
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(end_quarantine(store, engine, Quarantine(), 10.0))
        await asyncio.sleep(0)
        change = store.transact(lambda tx: tx.put(Network(id="n", project_id="red", name="n")), actor="b")
        tasks.create_task(change)
    # then all of them are free, and the change was in time
    assert list(store.allocations.quarantined()) == []
    with_network = [commit.snapshot.get(Network, "n") is not None for commit in commits]
    assert with_network.index(True) < len(with_network) - 1
    await store.close()
