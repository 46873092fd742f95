"""Why a packet ended where it ended: by the table that it died in, from the model."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from overlace.compiler.cause import Causes
from overlace.compiler.cause_text import mac_text, name_of
from overlace.compiler.pipeline import (
    DESTINATION_HOST,
    DESTINATION_PORT,
    FLAGS,
    NETWORK,
    SOURCE_PORT,
    Cookie,
    CookieClass,
    Flag,
    Table,
)
from overlace.compiler.tracing.finding import Finding
from overlace.compiler.tracing.policy import policy_finding
from overlace.compiler.tracing.source_guard import guard_finding
from overlace.datapath.fields import Field
from overlace.datapath.interpreter.effects import Dropped
from overlace.datapath.interpreter.network import Loss
from overlace.datapath.interpreter.packet import Packet
from overlace.model.network import Network
from overlace.model.observation import Place
from overlace.model.policy import Direction
from overlace.model.port import Binding, BindingState, Port
from overlace.model.site import Host, TransitSwitch

_INVALID_PRIORITY = 300
_WHY = "see: overlace why {name}"


@dataclass(frozen=True, slots=True)
class Death:
    """Where and as what a packet ended."""

    switch: str
    dropped: Dropped
    table: Table | None
    packet: Packet


class Explainer:
    """Explains losses by one snapshot; `ofports` are those of workload interfaces, by (host, port id)."""

    def __init__(self, causes: Causes, ofports: Mapping[Place, int]) -> None:
        self._causes = causes
        self._ofports = ofports
        self._snapshot = causes.snapshot

    def explain(self, loss: Loss) -> Finding:
        """Never fails: what has no better words is told as the data path has it."""
        dropped = loss.dropped
        if dropped is None or dropped.packet is None:
            return Finding(
                "lost_between_hosts", loss.reason, "check the hosts' tunnel endpoints: overlace host list"
            )
        table = None if dropped.table is None or dropped.table not in set(Table) else Table(dropped.table)
        death = Death(loss.switch, dropped, table, dropped.packet)
        by_table = _BY_TABLE.get(table) if table is not None else None
        found = by_table(self, death) if by_table is not None else None
        return found or _as_it_is(death)

    def _owner(self, kind: CookieClass, key: int) -> Port | None:
        found = self._causes.owner(Cookie(kind, key))
        return found if isinstance(found, Port) else None

    def _network(self, packet: Packet) -> Network | None:
        found = self._causes.owner(Cookie(CookieClass.NETWORK, packet[NETWORK]))
        return found if isinstance(found, Network) else None

    def source_guard(self, death: Death) -> Finding | None:
        port = self._owner(CookieClass.PORT, death.packet[SOURCE_PORT])
        flow = death.dropped.flow if death.dropped.reason == "drop" else None
        return None if port is None else guard_finding(port, death.packet, flow)

    def policy(self, death: Death) -> Finding | None:
        ingress = death.table in (Table.INGRESS_POLICY, Table.INGRESS_VERDICT)
        key = death.packet[DESTINATION_PORT if ingress else SOURCE_PORT]
        port = self._owner(CookieClass.PORT, key)
        if port is None:
            return None
        if death.table in (Table.INGRESS_POLICY, Table.EGRESS_POLICY):
            flow = death.dropped.flow
            if flow is None or death.dropped.reason != "drop" or flow.priority != _INVALID_PRIORITY:
                return None
            text = f"connection tracking of port {name_of(port)} calls the packet invalid"
            cure = "it belongs to no connection that this host knows and begins none: open it anew"
            return Finding("invalid_connection", text, cure, port.project_id)
        direction = Direction.INGRESS if ingress else Direction.EGRESS
        return policy_finding(self._snapshot, port, direction, death.packet)

    def unknown(self, death: Death) -> Finding | None:
        network, mac = self._network(death.packet), death.packet[Field.ETH_DST]
        if network is None:
            return None
        owners = self._snapshot.members(Port, "mac", network.id, mac)
        owner = next(owners, None)
        if owner is None:
            text = f"network {name_of(network)}: unknown destination, no port has MAC {mac_text(mac)}"
            cure = "frames to unknown MAC addresses are not flooded; give that workload a port of the network"
            return Finding("unknown_destination", text, cure, network.project_id)
        what = "its administrative state is down" if not owner.admin_state_up else "it is active at no host"
        text = f"network {name_of(network)}: port {name_of(owner)} has MAC {mac_text(mac)}, but {what}"
        return Finding("destination_down", text, _WHY.format(name=name_of(owner)), owner.project_id)

    def not_here(self, death: Death) -> Finding | None:
        """LOCAL had no rule for the port, so the packet went on to where other hosts are reached."""
        packet = death.packet
        port = self._owner(CookieClass.PORT, packet[DESTINATION_PORT])
        host = self._causes.owner(Cookie(CookieClass.HOST, packet[DESTINATION_HOST]))
        network = self._network(packet)
        arrived = packet[FLAGS] & Flag.FROM_TUNNEL or (isinstance(host, Host) and host.id == death.switch)
        if port is not None and arrived:
            return self._absent(port, death.switch)
        if death.table is Table.ENCAPSULATE and death.dropped.flow is None and network is not None:
            text = f"network {name_of(network)} has no segment that leads to other hosts"
            return Finding("no_segment", text, "openstack network segment list", network.project_id)
        if isinstance(host, Host):
            text = f"host {host.id} has no tunnel endpoint that {death.switch} can use"
            return Finding("no_endpoint", text, f"overlace host show {host.id}")
        return None

    def _absent(self, port: Port, host: str) -> Finding:
        name = name_of(port)
        bindings = self._snapshot.members(Binding, "port", port.id)
        here = next((each for each in bindings if each.host_id == host), None)
        if here is None:
            what = "is not bound to this host"
        elif not port.admin_state_up:
            what = "is administratively down"
        elif here.state is BindingState.FENCED:
            what = "has moved away from this host, and what is left of it here is fenced"
        elif here.state is BindingState.PREPARED:
            what = "is prepared at this host and not active yet"
        else:
            what = "has no working interface at this host"
        return Finding("port_not_here", f"port {name} {what}", _WHY.format(name=name), port.project_id)

    def classify(self, death: Death) -> Finding | None:
        if self._snapshot.get(TransitSwitch, death.switch) is not None:
            text = f"transit switch {death.switch} knows no way to {mac_text(death.packet[Field.ETH_DST])}"
            return Finding("no_way", text, "check the declared links: overlace link list")
        number = death.packet[Field.IN_PORT]
        plugged = (place for place, each in self._ofports.items() if each == number)
        key = next((port_id for host, port_id in plugged if host == death.switch), "")
        port = self._snapshot.get(Port, key)
        if port is not None:
            return self._may_not_send(port)
        text = f"OpenFlow port {number} of {death.switch} belongs to no port that may send"
        return Finding("unknown_interface", text, "an interface needs external_ids:iface-id=<port id>")

    def _may_not_send(self, port: Port) -> Finding | None:
        network = self._snapshot.get(Network, port.network_id)
        name = name_of(port)
        if not port.admin_state_up:
            cure = f"openstack port set --enable {name}"
            return Finding("port_down", f"port {name} is administratively down", cure, port.project_id)
        if network is not None and not network.admin_state_up:
            text = f"network {name_of(network)} is administratively down"
            cure = f"openstack network set --enable {name_of(network)}"
            return Finding("network_down", text, cure, network.project_id)
        return None

    def tunnel_admit(self, death: Death) -> Finding | None:
        text = f"{death.switch} does not know the sender of the tunnel packet as a host"
        return Finding("unknown_tunnel_sender", text, "give the host its underlay address: overlace host set")

    def wire_in(self, death: Death) -> Finding | None:
        labelled = death.table is Table.LABEL_IN
        number = death.packet[Field.MPLS_LABEL if labelled else Field.TUN_ID]
        text = f"no network of {'label' if labelled else 'wire identifier'} {number} has a port at {death.switch}"
        return Finding("network_not_here", text)

    def inward_or_outward(self, death: Death) -> Finding | None:
        network, mac = self._network(death.packet), death.packet[Field.ETH_SRC]
        if network is None:
            return None
        if death.table is Table.PHYSICAL_IN:
            text = f"network {name_of(network)}: a port has MAC {mac_text(mac)}, so nobody on the physical network has"
            cure = "if this is the machine that is to move over: plug it into its port, or delete the port"
            return Finding("sender_is_a_port", text, cure, network.project_id)
        text = f"network {name_of(network)}: no port has MAC {mac_text(mac)}, so its frames are not let out"
        return Finding(
            "sender_is_no_port", text, "allow it: openstack port set --allowed-address", network.project_id
        )

    def armed(self, death: Death) -> Finding | None:
        if death.dropped.reason != "drop":
            return None
        return Finding("tagged_frame", "the frame carries an 802.1Q tag below the network's identifier")


def _as_it_is(death: Death) -> Finding:
    table = death.table.name if death.table is not None else f"table {death.dropped.table}"
    return Finding("dropped", f"{table}: {death.dropped.reason}")


_BY_TABLE: Mapping[Table, Callable[[Explainer, Death], Finding | None]] = {
    Table.CLASSIFY: Explainer.classify,
    Table.TUNNEL_ADMIT: Explainer.tunnel_admit,
    Table.WIRE_IN: Explainer.wire_in,
    Table.LABEL_IN: Explainer.wire_in,
    Table.ARMED: Explainer.armed,
    Table.SOURCE_GUARD: Explainer.source_guard,
    Table.GUARD_MAC: Explainer.source_guard,
    Table.GUARD_LINK_LAYER: Explainer.source_guard,
    Table.GUARD_TARGET: Explainer.source_guard,
    Table.GUARD_ADDRESS: Explainer.source_guard,
    Table.EGRESS_POLICY: Explainer.policy,
    Table.EGRESS_VERDICT: Explainer.policy,
    Table.INGRESS_POLICY: Explainer.policy,
    Table.INGRESS_VERDICT: Explainer.policy,
    Table.DESTINATION: Explainer.unknown,
    Table.UNKNOWN: Explainer.unknown,
    Table.PHYSICAL_IN: Explainer.inward_or_outward,
    Table.PHYSICAL_OUT: Explainer.inward_or_outward,
    Table.ENCAPSULATE: Explainer.not_here,
    Table.REMOTE: Explainer.not_here,
    Table.FABRIC: Explainer.not_here,
}
