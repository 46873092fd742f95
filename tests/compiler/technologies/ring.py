"""A ring of three transit switches with a host at each, as a world for the compiler and as switches to try."""

from dataclasses import replace

from immutables import Map
from tests.compiler.worlds import WorldBuilder

from overlace.compiler.compiler import Compiler
from overlace.compiler.reader import fabric_ports_key
from overlace.datapath.interpreter import Network, Switch, Tables
from overlace.model.network import Segment
from overlace.model.port import Binding, Port
from overlace.model.site import Host, Link, TransitSwitch

HOSTS = ("h1", "h2", "h3")
SWITCHES = ("t1", "t2", "t3")
UPLINK = 90
"""The port of every host that leads into the fabric."""
PORTS = {name: {f"to-h{name[1:]}": 1, "left": 2, "right": 3} for name in SWITCHES}
"""The ports of every transit switch: to its host, to the switch before it and to the one after."""


class Ring:
    """The ring with networks and ports in it."""

    def __init__(self) -> None:
        self.world = WorldBuilder()
        self.compiler = Compiler()
        self.world.hosts(*HOSTS)
        for name in HOSTS:
            host = self.world.snapshot.get(Host, name)
            assert host is not None
            self.world.put(replace(host, fabric_interface="fab", endpoints=()))
            self.tell(name, {"fab": UPLINK})
        for number, name in enumerate(SWITCHES, start=1):
            self.world.put(TransitSwitch(id=name, site_id="site-a", datapath_id=number))
            self.tell(name, PORTS[name])
            self.cable(f"h{number}", "fab", name, f"to-h{number}")
            after = SWITCHES[number % 3]
            self.cable(name, "right", after, "left")

    def cable(self, one: str, its: str, other: str, others: str, cost: int = 1) -> None:
        self.world.put(Link(a_node=one, a_interface=its, b_node=other, b_interface=others, cost=cost))

    def tell(self, node: str, ports: dict[str, int]) -> None:
        """A node says which of its ports have a carrier."""
        self.world.observations = self.world.observations.with_fabric_ports(node, Map(ports))
        self.world.dirty.add(fabric_ports_key(node))

    def lose(self, switch: str, *interfaces: str) -> None:
        """Ports of a switch have no carrier."""
        self.tell(switch, {name: port for name, port in PORTS[switch].items() if name not in interfaces})

    def network(self, name: str, key: int, network_type: str = "hop") -> None:
        self.world.network(name, key)
        segment = self.world.snapshot.get(Segment, f"segment-{name}")
        assert segment is not None
        self.world.put(replace(segment, network_type=network_type, segmentation_id=100 + key))

    def port(self, name: str, key: int, network: str, host: str) -> Port:
        """An open port whose OpenFlow number is its key, and whose addresses end like its host's number."""
        port = self.world.port(name, key, network, 10 + int(host[1:]))
        self.world.bind(port, host, key)
        return port

    def compile(self) -> None:
        self.compiler.advance(self.world.world, self.world.take_dirty())

    def switches(self) -> Network:
        """Everybody filled with the plan as it is now."""
        self.compile()
        held = {name: Switch(self.tables(name)) for name in (*HOSTS, *SWITCHES)}
        wires: dict[tuple[str, int], tuple[str, int]] = {}
        for number, name in enumerate(SWITCHES, start=1):
            wires[f"h{number}", UPLINK] = (name, 1)
            wires[name, 3] = (SWITCHES[number % 3], 2)
        return Network(held, wires)

    def tables(self, switch: str) -> Tables:
        plan = self.compiler.switch_plan(switch).values()
        return Tables(
            (flow for part in plan for flow in part.flows), (group for part in plan for group in part.groups)
        )

    def binding(self, port: str, host: str) -> Binding:
        found = self.world.snapshot.get(Binding, f"{port}@{host}")
        assert found is not None
        return found
