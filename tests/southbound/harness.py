"""A southbound that listens on loopback, and records of what it told."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tests.southbound.fake_switch import FakeSwitch, fake_switch
from tests.southbound.flow_samples import flow, flow_to_group, flow_to_meter, group, meter

from overlace.compiler.plan import Fragment, FragmentId, PlanChange, SwitchChange, TunnelPort
from overlace.datapath.flow import Flow, Group, Meter
from overlace.southbound.encoding import Encoder
from overlace.southbound.expected import ExpectedSwitch, SwitchKind
from overlace.southbound.failures import PlanFailure
from overlace.southbound.hub import Southbound
from overlace.southbound.marker import Stamp
from overlace.southbound.observations import HostSeen, InterfaceSeen, LivenessSeen, PortsSeen
from overlace.southbound.server import Listen
from overlace.southbound.settings import Context, Settings
from overlace.wire.openflow.messages import PacketIn

LOOPBACK = "127.0.0.1"
PATIENCE = 15.0


class RealClock:
    """The machine's clock."""

    def monotonic(self) -> float:
        return time.monotonic()

    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass
class Record:
    """Listener, observation sink and packet listener in one: remembers everything, in order."""

    acknowledged_up_to: dict[str, int] = field(default_factory=dict)
    failures: list[tuple[str, int, PlanFailure]] = field(default_factory=list)
    connections: list[tuple[str, bool]] = field(default_factory=list)
    holds: list[tuple[str, str]] = field(default_factory=list)
    interfaces: dict[tuple[str, str], InterfaceSeen] = field(default_factory=dict)
    hosts: list[HostSeen] = field(default_factory=list)
    ports: dict[str, dict[str, int]] = field(default_factory=dict)
    liveness: list[LivenessSeen] = field(default_factory=list)
    packets: list[tuple[str, PacketIn]] = field(default_factory=list)
    acknowledgements: list[tuple[str, int]] = field(default_factory=list)
    made_by_switches: dict[str, list[Flow]] = field(default_factory=dict)

    def learned(self, switch: str, flows: Sequence[Flow]) -> None:
        self.made_by_switches[switch] = list(flows)

    def acknowledged(self, switch: str, sequence: int) -> None:
        self.acknowledgements.append((switch, sequence))
        self.acknowledged_up_to[switch] = sequence

    def failed(self, switch: str, sequence: int, failure: PlanFailure) -> None:
        self.failures.append((switch, sequence, failure))

    def connected(self, switch: str, connected: bool) -> None:
        self.connections.append((switch, connected))

    def held(self, switch: str, reason: str) -> None:
        self.holds.append((switch, reason))

    def interface_changed(self, interface: InterfaceSeen) -> None:
        self.interfaces[interface.host, interface.name] = interface

    def interface_removed(self, host: str, name: str) -> None:
        del self.interfaces[host, name]

    def host_changed(self, host: HostSeen) -> None:
        self.hosts.append(host)

    def ports_changed(self, ports: PortsSeen) -> None:
        self.ports[ports.switch] = dict(ports.ports)

    def liveness_changed(self, liveness: LivenessSeen) -> None:
        self.liveness.append(liveness)

    def packet_in(self, switch: str, packet: PacketIn) -> None:
        self.packets.append((switch, packet))


@dataclass
class Controller:
    """One running southbound with its records; `stamp` and `generation` may be changed at any time."""

    hub: Southbound
    record: Record
    stamp: Stamp
    generation: int = 1
    openflow_port: int = 0
    ovsdb_port: int = 0

    async def acknowledged(self, switch: str, sequence: int) -> None:
        """Wait until the switch has acknowledged `sequence` or a later one."""
        await eventually(lambda: self.record.acknowledged_up_to.get(switch, -1) >= sequence)


async def eventually(condition: Callable[[], object], patience: float = PATIENCE) -> None:
    """Wait until a condition holds; raises TimeoutError when it does not in time."""
    deadline = time.monotonic() + patience
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("the condition did not come true")
        await asyncio.sleep(0.005)


@asynccontextmanager
async def controller(
    *,
    with_databases: bool = False,
    settings: Settings | None = None,
    stamp: Stamp | None = None,
    generation: int = 1,
    audit_interval: float | None = None,
    openflow: Listen | None = None,
    ovsdb: Listen | None = None,
) -> AsyncIterator[Controller]:
    """Run a southbound on free loopback ports, or on the given ones."""
    record = Record()
    async with asyncio.TaskGroup() as tasks:
        context = Context(
            clock=RealClock(),
            tasks=tasks,
            encoder=Encoder(),
            listener=record,
            stamp=lambda: running.stamp,
            generation_id=lambda: running.generation,
            requires_database=with_databases,
            settings=settings or Settings(),
        )
        hub = Southbound(context, record, record)
        running = Controller(hub, record, stamp or Stamp("test-cluster", 1, 1), generation)
        listen = Listen(LOOPBACK, 0)
        await hub.start(openflow or listen, (ovsdb or listen) if with_databases else None, audit_interval)
        running.openflow_port = hub.openflow_port
        running.ovsdb_port = hub.ovsdb_port if with_databases else 0
        try:
            yield running
        finally:
            await hub.stop()


def fragment(
    *id_: str,
    flows: tuple[Flow, ...] = (),
    groups: tuple[Group, ...] = (),
    meters: tuple[Meter, ...] = (),
    tunnel_ports: tuple[TunnelPort, ...] = (),
) -> Fragment:
    """A fragment with a short name."""
    return Fragment(id_, flows, groups, meters, tunnel_ports)


def added(sequence: int, switch: str, *fragments: Fragment, removed: tuple[Fragment, ...] = ()) -> PlanChange:
    """The change that puts fragments on one switch (and takes others away)."""
    change = SwitchChange({each.id: each for each in fragments}, {each.id: each for each in removed})
    return PlanChange(sequence, {switch: change})


def ids(*fragments: Fragment) -> tuple[FragmentId, ...]:
    """The ids of fragments."""
    return tuple(each.id for each in fragments)


PLAN = fragment(
    "base",
    flows=(flow(1), flow(2), flow_to_group(3, 7), flow_to_meter(4, 5)),
    groups=(group(7, 1),),
    meters=(meter(5),),
)


def hosts(*names: str) -> dict[str, ExpectedSwitch]:
    """Hosts whose datapath ids are 1, 2, ..."""
    return {
        name: ExpectedSwitch(SwitchKind.HOST, "br-overlace", number) for number, name in enumerate(names, 1)
    }


@asynccontextmanager
async def one_switch(settings: Settings | None = None) -> AsyncIterator[tuple[Controller, FakeSwitch]]:
    """A controller and a switch that is in sync with PLAN."""
    async with controller(settings=settings) as running:
        running.hub.set_expected(hosts("s1"))
        running.hub.publish(added(1, "s1", PLAN))
        running.hub.plan_ready()
        async with fake_switch(running.openflow_port) as switch:
            await running.acknowledged("s1", 1)
            yield running, switch
