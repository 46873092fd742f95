"""How the cause of a flow reads: by cookie class and table, with the object's name."""

from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address

from overlace.compiler.pipeline import CookieClass, Table
from overlace.datapath.fields import Field, IpProto
from overlace.datapath.flow import Flow
from overlace.kit.addresses import format_mac
from overlace.model.network import Network
from overlace.model.policy import Direction, SecurityGroup, SecurityGroupRule
from overlace.model.port import Port
from overlace.model.site import Host
from overlace.model.snapshot import Snapshot

_OF_OWNER: Mapping[CookieClass, str] = {
    CookieClass.NETWORK: "network {name}",
    CookieClass.SUBNET: "gateway of network {name}",
    CookieClass.PORT: "port {name}",
    CookieClass.BINDING: "port {name}",
    CookieClass.SECURITY_GROUP: "security group {name}",
    CookieClass.MEMBER: "members of security group {name}",
    CookieClass.HOST: "host {name}",
    CookieClass.TRANSIT: "way to host {name}",
    CookieClass.PLACE: "ports of network {name} on this host",
    CookieClass.LEARNED: "learned about a move of port {name}",
    CookieClass.MARKER: "the marker that says whose tables these are",
    CookieClass.BASE: "base",
}
_BY_TABLE: Mapping[tuple[CookieClass, Table | None], str] = {
    (CookieClass.BINDING, Table.CLASSIFY): "interface of port {name}",
    (CookieClass.BINDING, Table.ARMED_LOCAL): "first frame of port {name} at its new host",
    (CookieClass.BASE, Table.SOURCE_GUARD): "source guard: what does the frame claim?",
    (CookieClass.BINDING, Table.SOURCE_GUARD): "port {name} has no port security",
    (CookieClass.BINDING, Table.GUARD_MAC): "source guard of port {name}",
    (CookieClass.BINDING, Table.GUARD_LINK_LAYER): "source guard of port {name}",
    (CookieClass.BINDING, Table.GUARD_TARGET): "source guard of port {name}",
    (CookieClass.BINDING, Table.GUARD_ADDRESS): "source guard of port {name}",
    (CookieClass.BINDING, Table.RESPOND): "port {name} asks for its own address",
    (CookieClass.BINDING, Table.EGRESS_POLICY): "security groups of port {name}",
    (CookieClass.BINDING, Table.INGRESS_POLICY): "security groups of port {name}",
    (CookieClass.BINDING, Table.LOCAL): "port {name} is on this host",
    (CookieClass.BINDING, Table.DELIVER): "interface of port {name}",
    (CookieClass.PORT, Table.DESTINATION): "location of port {name}",
    (CookieClass.PORT, Table.ARMED): "port {name} may be on the move",
    (CookieClass.NETWORK, Table.DESTINATION): "broadcast and multicast in network {name}",
    (CookieClass.NETWORK, Table.FLOOD_REMOTE): "other hosts of network {name}",
    (CookieClass.NETWORK, Table.WIRE_IN): "wire identifier of network {name}",
    (CookieClass.NETWORK, Table.ENCAPSULATE): "wire identifier of network {name}",
    (CookieClass.HOST, Table.TUNNEL_ADMIT): "host {name} is a known tunnel endpoint",
    (CookieClass.HOST, Table.FABRIC_ADMIT): "host {name} is known in the fabric",
    (CookieClass.HOST, Table.FABRIC): "label of host {name}",
    (CookieClass.HOST, Table.UPLINK): "the way of host {name} into the fabric",
    (CookieClass.HOST, Table.WRAP): "the way of host {name} into the fabric",
    (CookieClass.NETWORK, Table.LABEL_IN): "label of network {name}",
    (
        CookieClass.NETWORK,
        Table.RESPOND,
    ): "network {name}: a host asks for its configuration, the controller answers",
    (CookieClass.HOST, Table.REMOTE): "tunnel to host {name}",
    (CookieClass.HOST, Table.ENCAPSULATE): "host {name} itself",
    (CookieClass.BASE, Table.CLASSIFY): "tunnel port",
    (CookieClass.BINDING, Table.EGRESS_VERDICT): "port {name} has moved: hosts that it has left are asked",
    (CookieClass.BINDING, Table.INGRESS_VERDICT): "port {name} has moved: hosts that it has left are asked",
    (CookieClass.BASE, Table.EGRESS_VERDICT): "a rule has permitted it",
    (CookieClass.BASE, Table.INGRESS_VERDICT): "a rule has permitted it",
    (CookieClass.BASE, Table.DESTINATION): "no port of the network has this MAC",
    (CookieClass.BASE, Table.UNKNOWN): "unknown destination",
    (CookieClass.BASE, Table.LOCAL): "at another host",
    (CookieClass.BASE, Table.ENCAPSULATE): "from another host: not sent on",
    (CookieClass.BASE, Table.FLOOD_REMOTE): "from another host: not sent on",
}
_TRACK = {
    200: "neighbour and listener messages are not tracked",
    150: "no port security",
    100: "connection tracking",
    0: "nothing to track",
}
_POLICY = {300: "invalid for connection tracking", 200: "belongs to a connection that was permitted"}
_BASE: Mapping[Table | None, Mapping[int, str]] = {
    Table.ARMED: {300: "a tag below the network's identifier, or no sender", 0: "no move under way"},
    Table.ARMED_LOCAL: {0: "no move under way"},
    Table.RESPOND: {0: "the switch has no answer of its own"},
    Table.RESPOND_ND: {0: "the port that has the address is asked itself"},
    Table.EGRESS_TRACK: _TRACK,
    Table.INGRESS_TRACK: _TRACK,
    Table.EGRESS_POLICY: _POLICY,
    Table.INGRESS_POLICY: _POLICY,
}
"""Base flows of one table, by priority."""
_ANSWERS: Mapping[CookieClass, str] = {
    CookieClass.PORT: "answer for {address} of port {name}",
    CookieClass.SUBNET: "answer for gateway {address} of network {name}",
}
_ANY_PROTOCOL = "any protocol"


def name_of(owner: Port | Network | SecurityGroup | Host) -> str:
    """The name by which people know an object: its id where it has no name."""
    return owner.id if isinstance(owner, Host) else owner.name or owner.id


def table_of(flow: Flow) -> Table | None:
    """The table that a flow stands in; None for one that the pipeline does not have."""
    return Table(flow.table) if flow.table in set(Table) else None


def phrase(
    kind: CookieClass, table: Table | None, owner: Port | Network | SecurityGroup | Host | None, flow: Flow
) -> str:
    """What a flow of this class in this table says."""
    name = "" if owner is None else name_of(owner)
    if table is Table.RESPOND and kind in _ANSWERS:
        return _ANSWERS[kind].format(name=name, address=_asked(flow))
    if kind is CookieClass.BASE and flow.priority in _BASE.get(table, {}):
        return _BASE[table][flow.priority]
    return _BY_TABLE.get((kind, table), _OF_OWNER.get(kind, kind.name.lower())).format(name=name)


def _asked(flow: Flow) -> str:
    arp, neighbour = flow.match.get(Field.ARP_TPA), flow.match.get(Field.ND_TARGET)
    if arp is not None:
        return f"{IPv4Address(arp.value)}"
    return f"{IPv6Address(neighbour.value)}" if neighbour is not None else "an address"


def rule_text(rule: SecurityGroupRule, snapshot: Snapshot) -> str:
    """A rule as people say it: ``rule tcp 80 from 10.0.0.0/8``."""
    towards = "from" if rule.direction is Direction.INGRESS else "to"
    if rule.remote_group_id is not None:
        group = snapshot.get(SecurityGroup, rule.remote_group_id)
        remote = f"members of {name_of(group) if group is not None else rule.remote_group_id}"
    elif rule.remote_ip_prefix is not None:
        remote = str(rule.remote_ip_prefix)
    else:
        remote = f"any {rule.ethertype.value} address"
    return f"rule {rule.protocol or _ANY_PROTOCOL}{_range(rule)} {towards} {remote}"


def _range(rule: SecurityGroupRule) -> str:
    low, high = rule.port_range_min, rule.port_range_max
    if low is None:
        return ""
    return f" {low}" if high in (None, low) else f" {low}-{high}"


def protocol_name(number: int) -> str:
    """``tcp`` for 6 and so on; the number where it has no short name here."""
    names = {IpProto.ICMP: "icmp", IpProto.TCP: "tcp", IpProto.UDP: "udp", IpProto.ICMPV6: "icmpv6"}
    return names.get(number, "sctp" if number == IpProto.SCTP else f"protocol {number}")


def mac_text(mac: int) -> str:
    """A MAC address; ``broadcast`` for that of all."""
    return "broadcast" if mac == 0xFFFFFFFFFFFF else format_mac(mac)
