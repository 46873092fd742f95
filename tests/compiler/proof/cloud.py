"""The whole that is proved: intents, what is plugged where, the compiler, and the switches it feeds."""

from dataclasses import dataclass, field
from ipaddress import ip_address

from tests.compiler.proof.numbers import Numbers
from tests.compiler.proof.switches import Switches
from tests.compiler.worlds import WorldBuilder

from overlace.compiler.compiler import Compiler
from overlace.model.port import Binding, Port
from overlace.model.site import Host, TunnelEndpoint

HOSTS = ("h1", "h2", "h3", "h4")
Place = tuple[str, int]
"""An OpenFlow port of a host's switch."""


@dataclass(frozen=True)
class Interface:
    """A workload's interface, as it is plugged whatever the controller knows or thinks."""

    host: str
    ofport: int
    port_id: str
    network_id: str


@dataclass
class Cloud:
    """`prompt`: changes reach all connected switches before anything else happens."""

    world: WorldBuilder = field(default_factory=WorldBuilder)
    compiler: Compiler = field(default_factory=Compiler)
    switches: Switches = field(default_factory=Switches)
    plugged: dict[Place, Interface] = field(default_factory=dict)
    prompt: bool = True
    names: int = 0
    ofports: int = 0
    numbers: dict[type | str, Numbers] = field(
        default_factory=lambda: {
            "network": Numbers(1, 4),
            "group": Numbers(1, 4),
            "port": Numbers(1, 12),
            "host": Numbers(1, 6),
        }
    )

    def __post_init__(self) -> None:
        self.switches.publish(self.compiler.advance(self.world.world))

    def new_name(self, prefix: str) -> str:
        """A name that no object has had: deleted ones do not come back."""
        self.names += 1
        return f"{prefix}{self.names}"

    def compile(self) -> None:
        """Take in what has changed since, and hand it to the southbound."""
        change = self.compiler.advance(self.world.world, self.world.take_dirty())
        self.switches.publish(change)
        for pool in self.numbers.values():
            pool.compiled(change.sequence)
        if self.prompt:
            self.switches.settle()
        self.free_numbers()

    def free_numbers(self) -> None:
        """End the quarantine of numbers that no switch can act on any more."""
        done = self.switches.done()
        for pool in self.numbers.values():
            pool.done(done)

    def join(self, name: str, key: int) -> None:
        """A host enters, its bridge newly made."""
        number = 1 + HOSTS.index(name)
        addresses = ip_address(f"10.1.0.{number}"), ip_address(f"fd01::{number}")
        endpoints = tuple(TunnelEndpoint(address, rank) for rank, address in enumerate(addresses))
        self.world.put(Host(id=name, site_id="site-a", endpoints=endpoints, key=key))
        self.switches.join(name, addresses)

    def unplug(self, binding: Binding) -> None:
        """The interface is gone, and the controller has seen it."""
        number = self.world.observations.ofports.get((binding.host_id, binding.port_id))
        if number is not None:
            self.plugged.pop((binding.host_id, number), None)
        self.world.ofport(binding.host_id, binding.port_id, None)
        self.world.delete(Binding, binding.id)

    def plug(self, port: Port, host: str) -> int:
        """An interface appears in a host's bridge, under a number that it has not had before."""
        self.ofports += 1
        self.plugged[host, self.ofports] = Interface(host, self.ofports, port.id, port.network_id)
        return self.ofports
