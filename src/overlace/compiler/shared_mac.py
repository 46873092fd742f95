"""MAC addresses of allowed address pairs: a frame to one goes to every port that may use it.

Several ports may be allowed the same address, as the routers of a VRRP group are (RFC 5798): which of them uses it
changes from one moment to the next. Each gets the frame, and the one in charge takes it; so nothing has to be
learned, and a fail-over costs the network nothing. A MAC address that is some port's own stays with that port.
"""

from dataclasses import dataclass

from overlace.compiler.pipeline import (
    DESTINATION_HOST,
    DESTINATION_PORT,
    NETWORK,
    CookieClass,
    Table,
    cookie,
)
from overlace.compiler.plan import Fragment
from overlace.compiler.reader import Reader
from overlace.compiler.rule import rule, visit
from overlace.compiler.unit import Output, UnitId, network_audience
from overlace.datapath.actions import Action, set_field
from overlace.datapath.fields import Field
from overlace.model.network import Network
from overlace.model.port import Binding, BindingState, Port
from overlace.model.site import Host


@dataclass(frozen=True, slots=True)
class SharedMacView:
    """A MAC address of a network, the keys of the ports that may use it and of the hosts where they are, both sorted.
    A host where such a port is prepared is among them, as for a broadcast: a move loses nothing."""

    network_id: str
    network_key: int
    mac: int
    port_keys: tuple[int, ...]
    host_keys: tuple[int, ...]


def project(reader: Reader, unit: UnitId) -> SharedMacView | None:
    """Read the ports that may use a MAC address, and where they are."""
    network_id, mac = unit
    ports = list(reader.members(Port, "pair_mac", network_id, mac))
    network = reader.get(Network, network_id)
    if not ports or network is None:
        return None
    places = [(port, host) for port in ports if port.admin_state_up for host in _hosts(reader, port)]
    if any(reader.members(Port, "mac", network_id, int(mac, 16))):
        places = []
    return SharedMacView(
        network_id,
        network.key,
        int(mac, 16),
        tuple(sorted({port.key for port, _ in places})),
        tuple(sorted({host.key for _, host in places})),
    )


def _hosts(reader: Reader, port: Port) -> list[Host]:
    """Where a port is active, and where it is prepared meanwhile; none for one that is active nowhere."""
    bindings = list(reader.members(Binding, "port", port.id))
    if not any(each.state is BindingState.ACTIVE for each in bindings):
        return []
    here = (each for each in bindings if each.state in (BindingState.ACTIVE, BindingState.PREPARED))
    return [host for host in (reader.get(Host, each.host_id) for each in here) if host is not None]


def build(view: SharedMacView) -> Output:
    """One flow for the hosts of the network: the ports here in turn, then one copy for each other host. While the
    ports are visited there is no destination host, so those that are elsewhere get nothing that way."""
    if not view.port_keys:
        return Output()
    actions: list[Action] = [set_field(DESTINATION_HOST, 0)]
    for key in view.port_keys:
        actions += (set_field(DESTINATION_PORT, key), visit(Table.LOCAL))
    actions.append(set_field(DESTINATION_PORT, 0))
    for key in view.host_keys:
        actions += (set_field(DESTINATION_HOST, key), visit(Table.ENCAPSULATE))
    mark = cookie(CookieClass.NETWORK, view.network_key)
    where = {NETWORK: view.network_key, Field.ETH_DST: view.mac}
    flow = rule(Table.DESTINATION, 90, where, mark, *actions)
    fragment = Fragment(("shared_mac", view.network_id, f"{view.mac:012x}"), (flow,))
    return Output((fragment.to(network_audience(view.network_id)),))
