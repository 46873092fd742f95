"""Whenever the process is killed, what it acknowledged is there, whole, and nothing is there by half."""

import asyncio
import random
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from overlace.kit.clock import ManualClock
from overlace.model.network import Network
from overlace.model.site import Host
from overlace.store.store import Store

WRITER = """
import asyncio, sys
from pathlib import Path
from overlace.kit.clock import ManualClock
from overlace.model.network import Network
from overlace.model.site import Host
from overlace.store.store import Store

async def lane(store, lane):
    number = 0
    while True:
        def create(tx, name=f"{lane}-{number}"):
            key = tx.allocate("host_key")
            tx.put(Host(id=name, site_id="a", key=key))
            tx.put(Network(id=name, project_id="red", name=str(key), key=tx.allocate("vni")))
        await store.transact(create, actor="writer")
        print("made", f"{lane}-{number}", flush=True)
        if number % 3 == 0:
            def remove(tx, name=f"{lane}-{number}"):
                network = tx.get(Network, name)
                tx.release("vni", network.key)
                tx.delete(Network, name)
            await store.transact(remove, actor="writer")
            print("gone", f"{lane}-{number}", flush=True)
        number += 1

async def main():
    store = await Store.open(Path(sys.argv[1]), ManualClock())
    print("open", "-", flush=True)
    async with asyncio.TaskGroup() as tasks:
        for each in range(8):
            tasks.create_task(lane(store, each))

asyncio.run(main())
"""


def _write_until_killed(path: Path, seconds: float) -> list[tuple[str, str]]:
    """Start a writer, kill it so long after it opened the database, and give what it acknowledged."""
    command = [sys.executable, "-c", WRITER, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "open -\n"
        killer = threading.Timer(seconds, writer.kill)
        killer.start()
        lines = writer.stdout.readlines()
        killer.join()
    whole = [line.split() for line in lines if line.endswith("\n")]
    return [(verb, name) for verb, name in whole]


def _check(store: Store, acknowledged: list[tuple[str, str]]) -> None:
    hosts = {host.id: host for host in store.snapshot.all(Host)}
    networks = {network.id: network for network in store.snapshot.all(Network)}
    made = {name for verb, name in acknowledged if verb == "made"}
    gone = {name for verb, name in acknowledged if verb == "gone"}
    assert made <= hosts.keys()
    assert not gone & networks.keys()
    # A transaction in flight at the kill may have happened or not; each is there in all its parts.
    assert len({host.key for host in hosts.values()}) == len(hosts)
    for name, network in networks.items():
        assert network.name == str(hosts[name].key)
    removed = hosts.keys() - networks.keys()
    assert all(int(name.split("-")[1]) % 3 == 0 for name in removed)
    assert {host.key for host in hosts.values()} == set(store.allocations.pools["host_key"].allocated)
    assert store.snapshot.revision.number == len(hosts) + len(removed)
    _check_wire_identifiers(store, {network.key for network in networks.values()}, len(removed))


def _check_wire_identifiers(store: Store, used: set[int], released: int) -> None:
    allocated = set(store.allocations.pools["vni"].allocated)
    assert allocated == used
    assert len(list(store.allocations.quarantined())) == released


@pytest.mark.parametrize("seed", range(4))
async def test_a_kill_at_any_moment_loses_nothing_acknowledged(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "overlace.db"
    seconds = random.Random(seed).uniform(0.1, 0.6)
    acknowledged = await asyncio.to_thread(_write_until_killed, path, seconds)
    assert acknowledged
    store = await Store.open(path, ManualClock())
    _check(store, acknowledged)
    await store.close()


def _begin_and_be_killed(path: Path, seconds: float) -> None:
    """Kill a writer so long after the file appeared: while its tables are made, or soon after."""
    command = [sys.executable, "-c", WRITER, str(path)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as writer:
        while not path.exists():
            time.sleep(0.005)
        time.sleep(seconds)
        writer.kill()


@pytest.mark.parametrize("seconds", [0.0, 0.02, 0.05, 0.1])
async def test_a_kill_while_the_database_is_made_leaves_one_that_opens(
    tmp_path: Path, seconds: float
) -> None:
    path = tmp_path / "overlace.db"
    await asyncio.to_thread(_begin_and_be_killed, path, seconds)
    store = await Store.open(path, ManualClock())
    assert (await store.transact(lambda tx: tx.allocate("hop_label"), actor="a")).result == 16
    await store.close()
