"""A small cloud whose switches exist only as tables, traced as the real ones are."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from immutables import Map
from tests.compiler.worlds import WorldBuilder

from overlace.app.tracer import InstalledTracer
from overlace.compiler.plan import PlanChange, SwitchName, TunnelPort
from overlace.datapath.flow import Flow
from overlace.engine.diagnosis import Diagnosis
from overlace.engine.engine import Engine
from overlace.engine.interfaces import Interfaces, PluggedInterface
from overlace.engine.switch_facts import SwitchFacts
from overlace.kit.revision import Revision
from overlace.model.network import Segment
from overlace.model.observation import Observations
from overlace.model.policy import Direction, EtherType
from overlace.model.port import Port
from overlace.model.site import Host, Link, PhysicalBridge, TransitSwitch
from overlace.southbound.failures import NotConnectedError
from overlace.southbound.installed import Installed
from overlace.wire.openflow.messages import FlowEntry


class Nowhere:
    """Takes plans and does nothing."""

    def publish(self, change: PlanChange, revision: Revision) -> None:
        """Forget it."""

    def durable(self, revision: Revision) -> None:
        """There is nothing that waits for it."""


@dataclass
class TableSwitches:
    """Switches that hold the plan, except where somebody has been at them."""

    engine: Engine
    taken: dict[SwitchName, set[Flow]] = field(default_factory=dict)
    added: dict[SwitchName, list[Flow]] = field(default_factory=dict)
    away: set[SwitchName] = field(default_factory=set)
    read: list[SwitchName] = field(default_factory=list)

    def wanted(self, name: SwitchName) -> tuple[Flow, ...]:
        plan = self.engine.compiler.switch_plan(name).values()
        return tuple({flow.key: flow for fragment in plan for flow in fragment.flows}.values())

    async def installed(self, name: SwitchName) -> Installed:
        if name in self.away:
            raise NotConnectedError(f"switch {name} is not connected")
        self.read.append(name)
        plan = self.engine.compiler.switch_plan(name).values()
        groups = tuple(group for fragment in plan for group in fragment.groups)
        wanted, taken, added = self.wanted(name), self.taken.get(name, set()), self.added.get(name, [])
        there = (*(flow for flow in wanted if flow not in taken), *added)
        return Installed(there, groups, wanted, groups, frozenset(taken), frozenset(), frozenset(added))

    async def installed_with(self, name: SwitchName, cookies: Iterable[int]) -> list[FlowEntry]:
        asked = set(cookies)
        flows = (await self.installed(name)).flows
        return [FlowEntry(flow, 7, 700, 1.0) for flow in flows if flow.cookie in asked]

    def tunnel_ports(self) -> Mapping[SwitchName, tuple[TunnelPort, ...]]:
        return {
            name: tuple(port for fragment in plan.values() for port in fragment.tunnel_ports)
            for name, plan in self.engine.compiler.plan.items()
        }


class TracedWorld:
    """Network red on h1 to h3, with web, db and client; the tracer over it."""

    def __init__(self) -> None:
        self.world = WorldBuilder()
        self.world.hosts("h1", "h2", "h3")
        self.world.network("red", 1)
        for key, group in enumerate(("front", "back"), start=1):
            self.world.group(group, key)
            for number, family in enumerate(EtherType):
                self.world.permit(group, number, Direction.EGRESS, ethertype=family)
        self.world.permit(
            "front", 10, Direction.INGRESS, protocol="tcp", port_range_min=80, port_range_max=80
        )
        self.world.permit("back", 10, Direction.INGRESS, protocol="tcp", remote_group_id="front")
        self.ports: dict[str, Port] = {}
        self.interfaces = Interfaces()
        for number, (name, host, group) in enumerate(
            (("web", "h1", "front"), ("db", "h2", "back"), ("client", "h3", "back")), start=1
        ):
            self.ports[name] = self.world.port(name, number, "red", 10 + number, group)
            self.world.bind(self.ports[name], host, number)
            self.interfaces.put(PluggedInterface(host, f"tap-{name}", name, number))

    def join_by_fabric(self) -> None:
        """A transit switch between all hosts, and network red carried hop by hop over it."""
        world, snapshot = self.world, self.world.snapshot
        world.put(TransitSwitch(id="t1", site_id="site-a", datapath_id=1))
        for number, name in enumerate(("h1", "h2", "h3"), start=1):
            host = snapshot.get(Host, name)
            assert host is not None
            world.put(replace(host, fabric_interface="to-t1"))
            world.put(Link(a_node=name, a_interface="to-t1", b_node="t1", b_interface=f"to-{name}"))
            world.observations = world.observations.with_fabric_ports(name, Map({"to-t1": 50 + number}))
        ends = Map({f"to-h{number}": number for number in (1, 2, 3)})
        world.observations = world.observations.with_fabric_ports("t1", ends)
        segment = snapshot.get(Segment, "segment-red")
        assert segment is not None
        world.put(replace(segment, network_type="hop", segmentation_id=77))

    def bridge_to_a_vlan(self, host: str) -> None:
        """Network red is bridged to VLAN 7 of physical network rack."""
        known = self.world.snapshot.get(Host, host)
        assert known is not None
        self.world.put(replace(known, physical_networks=(PhysicalBridge("rack", "br-rack", 1),)))
        vlan = {"network_type": "vlan", "physical_network": "rack", "segmentation_id": 7}
        self.world.put(Segment(id="vlan-red", network_id="red", **vlan))  # type: ignore[arg-type]

    def tracer(self) -> tuple[InstalledTracer, TableSwitches]:
        """As things are now."""
        engine = self.engine()
        switches = TableSwitches(engine)
        return InstalledTracer(engine, switches, self.diagnosis(engine)), switches

    def engine(self) -> Engine:
        engine = Engine(self.world.snapshot, Nowhere(), lambda turn: turn())
        self._observe(engine, self.world.observations)
        return engine

    def diagnosis(self, engine: Engine, facts: Mapping[str, SwitchFacts] | None = None) -> Diagnosis:
        well = SwitchFacts(openflow=True, database=True)
        return Diagnosis(
            lambda: self.world.snapshot, engine, self.interfaces, lambda name: (facts or {}).get(name, well)
        )

    async def forward(self, source: str, destination: str = "", **more: object) -> dict[str, Any]:
        """The way of one packet, as an administrator sees it."""
        return dict((await self.trace(source, destination, None, **more))["forward"])

    async def trace(
        self, source: str, destination: str = "", project: str | None = None, **more: object
    ) -> dict[str, Any]:
        tracer, _ = self.tracer()
        question = {"source": source, "destination": destination, **more}
        return dict(await tracer.trace(question, project))

    def _observe(self, engine: Engine, observations: Observations) -> None:
        for place, number in observations.ofports.items():
            engine.observed_ofport(place, number)
        for node, ports in observations.fabric_ports.items():
            engine.observed_fabric_ports(node, ports)
