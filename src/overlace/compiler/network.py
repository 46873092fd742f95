"""Networks: their wire identifiers, and who gets a broadcast."""

from dataclasses import dataclass

from overlace.compiler.physical import gateway_of
from overlace.compiler.pipeline import (
    DESTINATION_HOST,
    DESTINATION_PORT,
    NETWORK,
    CookieClass,
    Table,
    cookie,
)
from overlace.compiler.reader import Reader
from overlace.compiler.rule import goto, rule, visit
from overlace.compiler.technologies.members import TECHNOLOGIES, carried_by
from overlace.compiler.technologies.technology import NOTHING_NEEDED, fragment
from overlace.compiler.unit import Output, UnitId, network_audience
from overlace.datapath.actions import Action, set_field
from overlace.datapath.fields import Field
from overlace.model.network import Network
from overlace.model.port import Binding
from overlace.model.site import Host

_GROUP_ADDRESSES = (1 << 40, 1 << 40)


@dataclass(frozen=True, slots=True)
class NetworkView:
    """A network, how it is carried, and the keys of the hosts where it is at home, sorted: those with ports of it,
    and the one that bridges it to a physical network."""

    id: str
    key: int
    network_type: str
    segmentation_id: int | None
    host_keys: tuple[int, ...]


def project(reader: Reader, unit: UnitId) -> NetworkView | None:
    """Read a network, its overlay segment and its places."""
    network = reader.get(Network, unit[0])
    if network is None:
        return None
    carried = carried_by(reader, network.id)
    hosts = [reader.get(Host, name) for name in reader.outer(Binding, "place", network.id)]
    gateway = gateway_of(reader, network.id) if network.admin_state_up else None
    keys = {host.key for host in hosts if host is not None}
    keys |= {gateway[0].key} if gateway is not None else set()
    return NetworkView(
        network.id,
        network.key,
        carried.network_type if carried else "",
        carried.segmentation_id if carried else None,
        tuple(sorted(keys)),
    )


def build(network: NetworkView) -> Output:
    """One fragment that every host of the network holds, byte for byte the same."""
    mark = cookie(CookieClass.NETWORK, network.key)
    here = {NETWORK: network.key}
    flows = [
        rule(
            Table.DESTINATION,
            10,
            {**here, Field.ETH_DST: _GROUP_ADDRESSES},
            mark,
            visit(Table.FLOOD_LOCAL),
            goto(Table.FLOOD_REMOTE),
        ),
        rule(Table.FLOOD_REMOTE, 100, here, mark, *_to_each(network.host_keys)),
    ]
    technology = TECHNOLOGIES.get(network.network_type)
    part = NOTHING_NEEDED
    if technology is not None and network.segmentation_id is not None:
        part = technology.network(network.key, network.segmentation_id, mark)
    of_network = fragment(("network", network.id), (part,), *flows)
    return Output((of_network.to(network_audience(network.id)),))


def _to_each(host_keys: tuple[int, ...]) -> list[Action]:
    """Head-end replication. A host finds itself in the list too, and drops that copy in ENCAPSULATE: so the list is
    the same everywhere."""
    actions: list[Action] = [set_field(DESTINATION_PORT, 0)]
    for key in host_keys:
        actions += (set_field(DESTINATION_HOST, key), visit(Table.ENCAPSULATE))
    return actions
