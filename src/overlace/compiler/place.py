"""Places: which ports of a network a broadcast reaches on one host.

A port that has left the host is not among them. Its new host has a copy of its own, and the rule that sends late
frames after the port would turn this one around: from tunnel to tunnel, and from there to everyone again.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from overlace.compiler.pipeline import DESTINATION_PORT, NETWORK, CookieClass, Table, cookie
from overlace.compiler.plan import Fragment
from overlace.compiler.reader import Reader
from overlace.compiler.rule import rule, visit
from overlace.compiler.unit import Output, UnitId, switch_audience
from overlace.datapath.actions import Action, set_field
from overlace.datapath.flow import Flow
from overlace.model.network import Network
from overlace.model.port import Binding, BindingState, Port
from overlace.model.snapshot import Key, Snapshot


@dataclass(frozen=True, slots=True)
class PlaceView:
    """A network on a host, and the keys of its ports there, sorted."""

    network_id: str
    host: str
    network_key: int
    port_keys: tuple[int, ...]


def project(reader: Reader, unit: UnitId) -> PlaceView | None:
    """Read the ports bound at one (network, host)."""
    network_id, host = unit
    near = reader.near
    bindings = list(near.members(Binding, "place", network_id, host))
    network = near.get(Network, network_id)
    if not bindings or network is None:
        return None
    here = (binding for binding in bindings if binding.state in (BindingState.PREPARED, BindingState.ACTIVE))
    ports = (near.get(Port, binding.port_id) for binding in here)
    return PlaceView(
        network_id, host, network.key, tuple(sorted(port.key for port in ports if port is not None))
    )


def kin(key: Key, snapshot: Snapshot) -> Iterable[UnitId]:
    """The places where a port is bound, and all of a network."""
    match key:
        case (cls, port_id) if cls is Port:
            bindings = snapshot.members(Binding, "port", port_id)
            return [(each.network_id, each.host_id) for each in bindings]
        case (cls, network_id) if cls is Network:
            return [(network_id, host) for host in snapshot.outer(Binding, "place", network_id)]
        case _:
            return ()


def build(place: PlaceView) -> Output:
    """Who gets a broadcast there."""
    fragment = Fragment.made_of(("place", place.network_id, place.host), _flows, place)
    return Output((fragment.to(switch_audience(place.host)),))


def _flows(place: PlaceView) -> Iterator[Flow]:
    """One flow: every port in turn. The sender's own copy is dropped at output, being where it came from."""
    actions: list[Action] = []
    for key in place.port_keys:
        actions += (set_field(DESTINATION_PORT, key), visit(Table.LOCAL))
    mark = cookie(CookieClass.PLACE, place.network_key)
    yield rule(Table.FLOOD_LOCAL, 100, {NETWORK: place.network_key}, mark, *actions)
