"""Nothing is published before it is durable, and nothing acknowledged is lost."""

import asyncio
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from functools import partial
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest

from overlace.kit.addresses import Mac
from overlace.kit.clock import ManualClock
from overlace.model.network import AllocationPool, HostRoute, Network, Segment, Subnet
from overlace.model.policy import Direction, EtherType, SecurityGroupRule
from overlace.model.port import AddressPair, Binding, BindingState, DhcpOption, FixedIp, Port
from overlace.model.site import Host, TunnelEndpoint
from overlace.model.snapshot import Change, Snapshot
from overlace.store.errors import NotFound, NumberTaken, StoreUnavailable
from overlace.store.store import Commit, Store
from overlace.store.transaction import Transaction

V4, V6 = ip_address("192.168.0.5"), ip_address("fd00::5")
NETWORK = Network(id="n", project_id="red", name="front", key=1, tags=("a", "b"))
PORT = Port(
    id="p",
    project_id="red",
    network_id="n",
    name="",
    mac_address=Mac(2),
    fixed_ips=(FixedIp("s", V4), FixedIp("s6", V6)),
    allowed_address_pairs=(
        AddressPair(ip_network("10.0.0.0/8"), Mac(9)),
        AddressPair(ip_network("fd01::/64")),
    ),
    extra_dhcp_opts=(DhcpOption("mtu", "1400"),),
    security_groups=("g",),
)
SUBNET = Subnet(
    id="s",
    project_id="red",
    network_id="n",
    name="",
    cidr=ip_network("192.168.0.0/24"),
    gateway_ip=ip_address("192.168.0.1"),
    allocation_pools=(AllocationPool(ip_address("192.168.0.2"), ip_address("192.168.0.254")),),
    host_routes=(HostRoute(ip_network("10.0.0.0/8"), ip_address("192.168.0.9")),),
    dns_nameservers=(ip_address("fd00::53"),),
)
RULE = SecurityGroupRule(
    id="r",
    project_id="red",
    security_group_id="g",
    direction=Direction.INGRESS,
    ethertype=EtherType.IPV6,
    remote_ip_prefix=ip_network("fd00::/8"),
)
BINDING = Binding(port_id="p", network_id="n", host_id="h", state=BindingState.PREPARED, generation=2, zone=7)
HOST = Host(id="h", site_id="a", endpoints=(TunnelEndpoint(V4), TunnelEndpoint(V6, 1)), projects=("red",))


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = await Store.open(tmp_path / "overlace.db", ManualClock())
    yield store
    await store.close()


async def test_what_is_committed_is_there_after_reopening(store: Store, tmp_path: Path) -> None:
    def create(tx: Transaction) -> int:
        for value in (NETWORK, PORT, SUBNET, RULE, BINDING, HOST):
            tx.put(value)
        return tx.allocate("vni")

    committed = await store.transact(create, actor="alice", request_id="req-1", source="test")
    assert committed.result == 4096
    assert len(committed.changes) == 6
    again = await Store.open(tmp_path / "overlace.db", ManualClock())
    assert again.snapshot.at(store.snapshot.revision) == store.snapshot
    assert (await again.transact(lambda tx: tx.allocate("vni"), actor="bob")).result == 4097
    await again.close()


async def test_objects_carry_their_revision_and_times(store: Store) -> None:
    await store.transact(lambda tx: tx.put(NETWORK), actor="a")
    created = store.snapshot.get(Network, "n")
    assert created is not None
    await store.transact(lambda tx: tx.put(replace(created, name="back")), actor="a")
    changed = store.snapshot.get(Network, "n")
    assert changed is not None
    assert (created.revision_number, changed.revision_number) == (1, 2)
    assert changed.created_at == created.created_at


async def test_a_transaction_that_raises_has_not_happened(store: Store) -> None:
    def half(tx: Transaction) -> None:
        tx.put(NETWORK)
        tx.allocate("vni")
        tx.delete(Port, "nobody")

    before = store.snapshot
    with pytest.raises(NotFound, match="no Port nobody"):
        await store.transact(half, actor="a")
    assert store.snapshot is before


async def test_nothing_changed_is_no_revision(store: Store) -> None:
    first = await store.transact(lambda tx: tx.put(HOST), actor="a")
    second = await store.transact(lambda tx: tx.put(HOST), actor="a")
    assert second.revision == first.revision
    assert second.changes == ()


async def test_a_released_number_rests_until_its_quarantine_ends(store: Store) -> None:
    await store.transact(lambda tx: tx.request("vni", 5000), actor="a")
    await store.transact(lambda tx: tx.release("vni", 5000), actor="a")
    with pytest.raises(NumberTaken, match="quarantine"):
        await store.transact(lambda tx: tx.request("vni", 5000), actor="a")
    await store.transact(lambda tx: tx.end_quarantine("vni", 5000), actor="a")
    await store.transact(lambda tx: tx.request("vni", 5000), actor="a")


async def test_reserved_wire_identifiers_are_refused(store: Store) -> None:
    with pytest.raises(NumberTaken, match="outside"):
        await store.transact(lambda tx: tx.request("vni", 0xFFFF01), actor="a")


def _put(value: Network, tx: Transaction) -> None:
    tx.put(value)


async def test_the_feed_tells_every_commit_in_order(store: Store) -> None:
    seen: list[Commit] = []
    unsubscribe = store.subscribe(seen.append)
    names = [f"n{number}" for number in range(20)]
    networks = [replace(NETWORK, id=name) for name in names]
    await asyncio.gather(*(store.transact(partial(_put, network), actor="a") for network in networks))
    assert [commit.changes[0].id for commit in seen] == names
    assert [commit.revision.number for commit in seen] == list(range(1, 21))
    unsubscribe()


def _drop_the_change_table(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("drop table changes")


async def test_when_the_database_cannot_be_written_nothing_happened(store: Store, tmp_path: Path) -> None:
    await store.transact(lambda tx: tx.put(HOST), actor="a")
    before = store.snapshot
    _drop_the_change_table(tmp_path / "overlace.db")
    with pytest.raises(StoreUnavailable):
        await store.transact(lambda tx: tx.put(NETWORK), actor="a")
    assert store.snapshot is before
    assert store.counters.failure == "no such table: changes"


WRITER = """
import asyncio, sys
from pathlib import Path
from overlace.kit.clock import ManualClock
from overlace.model.site import Host
from overlace.store.store import Store

async def main():
    store = await Store.open(Path(sys.argv[1]), ManualClock())
    for number in range(100000):
        def change(tx):
            tx.put(Host(id=f"h{number}", site_id="a", key=tx.allocate("host_key") if number < 60000 else 1))
        await store.transact(change, actor="writer")
        print(number, flush=True)
asyncio.run(main())
"""


def _write_and_be_killed(path: Path, after: int) -> list[int]:
    """Start a writer, and kill it when it has acknowledged so many commits."""
    command = [sys.executable, "-c", WRITER, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        acknowledged = [int(writer.stdout.readline()) for _ in range(after)]
        writer.send_signal(signal.SIGKILL)
    return acknowledged


@pytest.mark.parametrize("after", [3, 40, 200])
async def test_what_was_acknowledged_survives_a_kill(tmp_path: Path, after: int) -> None:
    path = tmp_path / "overlace.db"
    acknowledged = await asyncio.to_thread(_write_and_be_killed, path, after)
    store = await Store.open(path, ManualClock())
    hosts = {host.id: host.key for host in store.snapshot.all(Host)}
    assert {f"h{number}" for number in acknowledged} <= set(hosts)
    assert store.snapshot.revision.number == len(hosts)
    assert sorted(hosts.values()) == list(range(1, len(hosts) + 1))
    assert (await store.transact(lambda tx: tx.allocate("host_key"), actor="a")).result == len(hosts) + 1
    await store.close()


async def test_a_companion_adds_to_the_same_revision(store: Store) -> None:
    def follow(tx: Transaction) -> None:
        for change in tx.changes:
            if change.cls is Network and change.before is None:
                tx.put(Segment(id=f"of-{change.id}", network_id=change.id, network_type="vxlan"))

    store.accompany(follow)
    made = await store.transact(lambda tx: tx.put(Network(id="n", project_id="p", name="")), actor="me")
    assert {change.id for change in made.changes} == {"n", "of-n"}
    assert store.snapshot.get(Segment, "of-n") is not None


async def test_who_works_ahead_hears_of_commits_before_they_are_durable(store: Store, tmp_path: Path) -> None:
    heard: list[tuple[int, int]] = []

    def accepted(snapshot: Snapshot, changes: tuple[Change, ...]) -> None:
        assert store.snapshot.revision < snapshot.revision
        heard.append((snapshot.revision.number, len(changes)))

    store.foresee(accepted)
    await store.transact(lambda tx: tx.put(HOST), actor="a")
    assert heard == [(1, 1)]
    # and not of those that could not be written
    _drop_the_change_table(tmp_path / "overlace.db")
    with pytest.raises(StoreUnavailable):
        await store.transact(lambda tx: tx.put(NETWORK), actor="a")
    assert heard == [(1, 1)]


async def test_what_a_companion_raises_undoes_the_transaction(store: Store) -> None:
    def refuse(_: Transaction) -> None:
        raise ValueError("not like this")

    store.accompany(refuse)
    with pytest.raises(ValueError, match="not like this"):
        await store.transact(lambda tx: tx.put(Network(id="n", project_id="p", name="")), actor="me")
    assert store.snapshot.get(Network, "n") is None
