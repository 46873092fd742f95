"""The switches of a trace, joined as their hosts are: installed or planned contents, wires, tunnels."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Protocol

from immutables import Map

from overlace.compiler.plan import SwitchName, TunnelPort
from overlace.datapath.interpreter import network as interpreter
from overlace.datapath.interpreter.conntrack import AssumedConntrack, ConntrackOracle
from overlace.datapath.interpreter.conntrack_table import ConntrackTable
from overlace.datapath.interpreter.network import PortPlace, Switch
from overlace.datapath.interpreter.surroundings import Surroundings
from overlace.datapath.interpreter.tables import Tables
from overlace.kit.addresses import IPAddress
from overlace.model.observation import Observations
from overlace.model.site import Host, Link
from overlace.model.snapshot import Snapshot
from overlace.southbound.installed import Installed
from overlace.wire.openflow.messages import FlowEntry


class Switches(Protocol):
    """The part of the southbound that is read here."""

    async def installed(self, name: SwitchName) -> Installed:
        """What a switch holds. Raises SouthboundError."""
        ...

    async def installed_with(self, name: SwitchName, cookies: Iterable[int]) -> list[FlowEntry]:
        """The flows of these cookies that a switch holds. Raises SouthboundError."""
        ...

    def tunnel_ports(self) -> Mapping[SwitchName, tuple[TunnelPort, ...]]:
        """The tunnel ports of every switch."""
        ...


@dataclass(frozen=True, slots=True)
class TracedNetwork:
    """Switches come in one after another, as the packet meets them.

    `state` is the `CtState` of every connection; with None each switch tracks what it sees, from nothing.
    """

    network: interpreter.Network
    planned: bool
    state: int | None

    async def take_in(self, name: SwitchName, installed: Installed) -> None:
        """Add a switch. Large tables are sorted in a thread."""
        flows = installed.wanted_flows if self.planned else installed.flows
        groups = installed.wanted_groups if self.planned else installed.groups
        tables = await asyncio.to_thread(Tables, flows, groups)
        self.network.switches[name] = Switch(tables, Surroundings(self._tracker()))

    def _tracker(self) -> ConntrackOracle:
        return ConntrackTable() if self.state is None else AssumedConntrack(self.state)


def wires(snapshot: Snapshot, observations: Observations) -> dict[PortPlace, PortPlace]:
    """The links both ends of which have a carrier."""
    fabric = observations.fabric_ports
    nothing: Map[str, int] = Map()
    found = {}
    for link in snapshot.all(Link):
        a = fabric.get(link.a_node, nothing).get(link.a_interface)
        b = fabric.get(link.b_node, nothing).get(link.b_interface)
        if a is not None and b is not None:
            found[link.a_node, a] = (link.b_node, b)
    return found


def tunnels(
    snapshot: Snapshot, ports: Mapping[SwitchName, tuple[TunnelPort, ...]]
) -> list[interpreter.TunnelPort]:
    """The tunnel ports of all hosts."""
    found = []
    for name, planned in ports.items():
        host = snapshot.get(Host, name)
        addresses = tuple(each.address for each in host.endpoints) if host is not None else ()
        found += [_tunnel(name, port, addresses) for port in planned if port.type != "patch"]
    return found


def _tunnel(name: SwitchName, port: TunnelPort, addresses: tuple[IPAddress, ...]) -> interpreter.TunnelPort:
    options = dict(port.options)
    remote, key = options.get("remote_ip", "flow"), options.get("key", "flow")
    return interpreter.TunnelPort(
        name,
        port.ofport,
        addresses,
        None if remote == "flow" else ip_address(remote),
        None if key == "flow" else int(key),
    )
