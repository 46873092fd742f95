"""Physical networks: a network that is bridged to a VLAN, or to a whole Ethernet, on one of the hosts that can.

One host at a time is the *gateway* of a network: the first, by number, of those that have a bridge into the physical
network and are heard. Broadcasts and frames to addresses of no port go there, and out. Two rules at its border make
a circle impossible, however many hosts take themselves for the gateway while a change is under way:

* out go only frames whose sender is a port of the network;
* in come only frames whose sender is none.

Hosts that are cut off from the controller may not know yet who is a port, so a frame that has come in says so
wherever it goes: by the flag OUTSIDE in a switch, by a bit of the identifier between hosts (docs/adr/0013). It is never
let out again, whatever the host that meets it believes. For the same reason nobody in the physical network can speak
with a port's MAC address. What comes in is judged by the security groups of the port that it is for, as what comes
from any other host is.
"""

from dataclasses import dataclass

from overlace.compiler.pipeline import (
    DESTINATION_HOST,
    DESTINATION_PORT,
    NETWORK,
    PHYSICAL_OFPORT,
    CookieClass,
    Flag,
    Table,
    cookie,
)
from overlace.compiler.plan import Fragment, TunnelPort
from overlace.compiler.reader import Reader
from overlace.compiler.rule import Conditions, flagged, goto, raise_flag, rule, visit
from overlace.compiler.technologies.members import TECHNOLOGIES, carried_by
from overlace.compiler.technologies.technology import NOTHING_NEEDED, fragment
from overlace.compiler.unit import Memberships, Output, UnitId, network_audience, switch_audience
from overlace.datapath.actions import Action, Clone, Output as Send, PopVlan, PushVlan, set_field
from overlace.datapath.fields import VLAN_PRESENT, EthType, Field
from overlace.datapath.flow import Flow
from overlace.datapath.match import MatchValue
from overlace.model.network import PHYSICAL, Network, Segment
from overlace.model.port import Port, pair_macs
from overlace.model.site import Host, PhysicalBridge

_GROUP_ADDRESSES = (1 << 40, 1 << 40)
_VLAN_ID = 0xFFF
PATCH = "ovl-phy"
"""Names of patch ports begin so: in the host's own bridge, and with an `x` behind in that of the physical network."""


@dataclass(frozen=True, slots=True)
class PhysicalView:
    """A network with the gateway that it has now (`host` empty: none); `vlan` 0 for untagged frames. `macs` are the
    addresses that its ports may send from, sorted; `network_type` and `segmentation_id` say how it travels between
    hosts."""

    network_id: str
    network_key: int
    network_type: str
    segmentation_id: int | None
    vlan: int
    host: str
    host_key: int
    ofport: int
    macs: tuple[int, ...]


def physical_segment(reader: Reader, network_id: str) -> Segment | None:
    """The segment of a network that is not Overlace's own; there is at most one."""
    segments = reader.members(Segment, "network", network_id)
    return next((each for each in segments if each.network_type in PHYSICAL), None)


def gateway_of(reader: Reader, network_id: str) -> tuple[Host, PhysicalBridge] | None:
    """The host that bridges a network to its physical network, and by which of its bridges."""
    segment = physical_segment(reader, network_id)
    name = segment.physical_network if segment is not None else None
    if name is None:
        return None
    hosts = (reader.get(Host, each) for each in reader.outer(Host, "physical_network", name))
    for host in sorted((each for each in hosts if each is not None), key=lambda each: each.key):
        if not reader.is_lost(host.id):
            return host, next(each for each in host.physical_networks if each.physical_network == name)
    return None


def project(reader: Reader, unit: UnitId) -> PhysicalView | None:
    """Read a network, who bridges it, and its ports if somebody does."""
    network = reader.get(Network, unit[0])
    if network is None:
        return None
    found = gateway_of(reader, network.id) if network.admin_state_up else None
    if found is None:
        return PhysicalView(network.id, network.key, "", None, 0, "", 0, 0, ())
    (host, bridge), segment = found, physical_segment(reader, network.id)
    ports = list(reader.members(Port, "network", network.id))
    macs = {int(port.mac_address) for port in ports}
    macs |= {int(mac, 16) for port in ports for mac in pair_macs(port)}
    vlan = segment.segmentation_id or 0 if segment is not None else 0
    ofport = PHYSICAL_OFPORT + bridge.number
    carried = carried_by(reader, network.id)
    carriage = (carried.network_type, carried.segmentation_id) if carried else ("", None)
    return PhysicalView(
        network.id, network.key, *carriage, vlan, host.id, host.key, ofport, tuple(sorted(macs))
    )


def build(view: PhysicalView) -> Output:
    """What the hosts of the network know of its gateway, and what the gateway itself does."""
    if not view.host:
        return Output()
    mark = cookie(CookieClass.NETWORK, view.network_key)
    here = {NETWORK: view.network_key}
    there = (
        set_field(DESTINATION_PORT, 0),
        set_field(DESTINATION_HOST, view.host_key),
        goto(Table.ENCAPSULATE),
    )
    technology = TECHNOLOGIES.get(view.network_type)
    part = NOTHING_NEEDED
    if technology is not None and view.segmentation_id is not None:
        part = technology.outside(view.network_key, view.segmentation_id, mark)
    to_gateway = rule(Table.UNKNOWN, 100, here, mark, *there)
    shared = fragment(("gateway_host", view.network_id), (part,), to_gateway)
    flows = [
        rule(Table.CLASSIFY, 100, _arriving(view), mark, *_marked(view), goto(Table.PHYSICAL_IN)),
        rule(Table.PHYSICAL_IN, 100, here, mark, goto(Table.DESTINATION)),
        rule(Table.UNKNOWN, 200, here, mark, goto(Table.PHYSICAL_OUT)),
        rule(Table.PHYSICAL_OUT, 200, {**here, **flagged(Flag.OUTSIDE)}, mark),
        _broadcast(here, mark),
    ]
    for mac in view.macs:
        sender = {**here, Field.ETH_SRC: mac}
        flows.append(rule(Table.PHYSICAL_IN, 200, sender, mark))
        flows.append(rule(Table.PHYSICAL_OUT, 100, sender, mark, _out(view)))
    own = Fragment(("physical", view.network_id), tuple(flows))
    return Output(
        (shared.to(network_audience(view.network_id)), own.to(switch_audience(view.host))),
        Memberships(((view.host, network_audience(view.network_id)),)),
    )


def _arriving(view: PhysicalView) -> dict[Field, MatchValue]:
    tag = (VLAN_PRESENT | view.vlan, VLAN_PRESENT | _VLAN_ID) if view.vlan else (0, VLAN_PRESENT)
    return {Field.IN_PORT: view.ofport, Field.VLAN_TCI: tag}


def _marked(view: PhysicalView) -> tuple[Action, ...]:
    """As a frame of the network, without the tag, that came in here."""
    into = (set_field(NETWORK, view.network_key), raise_flag(Flag.OUTSIDE))
    return (PopVlan(), *into) if view.vlan else into


def _broadcast(here: Conditions, mark: int) -> Flow:
    """As the network's own rule, and out as well."""
    everyone = {**here, Field.ETH_DST: _GROUP_ADDRESSES}
    ways = (visit(Table.PHYSICAL_OUT), visit(Table.FLOOD_LOCAL), goto(Table.FLOOD_REMOTE))
    return rule(Table.DESTINATION, 20, everyone, mark, *ways)


def _out(view: PhysicalView) -> Action:
    """A copy with the tag: the frame itself stays as it is for those that come after."""
    tag: tuple[Action, ...] = ()
    if view.vlan:
        tag = (PushVlan(EthType.VLAN), set_field(Field.VLAN_TCI, VLAN_PRESENT | view.vlan))
    return Clone((*tag, Send(view.ofport)))


# --- the patch ports ---------------------------------------------------------------------------------------


def project_bridges(reader: Reader, unit: UnitId) -> Host | None:
    """Read a host."""
    return reader.get(Host, unit[0])


def build_bridges(host: Host) -> Output:
    """A patch port in the host's bridge for each bridge into a physical network, and its other end there."""
    ports: list[TunnelPort] = []
    for each in host.physical_networks:
        near, far = f"{PATCH}{each.number}", f"{PATCH}{each.number}x"
        number = PHYSICAL_OFPORT + each.number
        ports.append(TunnelPort(near, "patch", number, (("peer", far),)))
        ports.append(TunnelPort(far, "patch", 0, (("peer", near),), bridge=each.bridge))
    if not ports:
        return Output()
    fragment = Fragment(("bridges", host.id), tunnel_ports=tuple(ports))
    return Output((fragment.to(switch_audience(host.id)),))
