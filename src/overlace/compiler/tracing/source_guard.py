"""Why the source guard did not let a frame pass, told from the frame and the port's identities."""

from ipaddress import IPv4Address, IPv6Address

from overlace.compiler.binding import identities
from overlace.compiler.cause_text import name_of
from overlace.compiler.guard import Identity
from overlace.compiler.tracing.finding import Finding
from overlace.datapath.fields import VLAN_PRESENT, EthType, Field, IpProto
from overlace.datapath.flow import Flow
from overlace.datapath.interpreter.packet import Packet
from overlace.kit.addresses import IPAddress, format_mac, link_local_address
from overlace.model.port import Port

F = Field
_PAIR_CURE = (
    "if it may, allow it: openstack port set --allowed-address ip-address=ADDRESS[,mac-address=MAC] {port}"
)
_ADVERTISEMENTS = {134: "router_advertisement", 137: "redirect"}
_CHECKED = (EthType.IPV4, EthType.ARP, EthType.IPV6, EthType.RARP)
_OPEN_CURE = (
    "a port that must send this needs port security off: openstack port set --disable-port-security {port}"
)


def guard_finding(port: Port, packet: Packet, flow: Flow | None) -> Finding:
    """`flow` is what the frame met in the guard: one that forbids it, or None."""
    kind, what, cure = _forbidden(packet) if flow is not None else None, "", ""
    if kind is None:
        kind, what, cure = _unallowed(port, packet)
    else:
        what, cure = _FORBIDDEN[kind], _OPEN_CURE
    name = name_of(port)
    return Finding(kind, f"source guard of port {name}: {what}", cure.format(port=name), port.project_id)


_FORBIDDEN = {
    "dhcp_server": "a port may not answer as DHCP server",
    "router_advertisement": "a port may not advertise itself as router (RA guard)",
    "redirect": "a port may not send ICMPv6 redirects",
}


def _forbidden(packet: Packet) -> str | None:
    protocol = packet[F.IP_PROTO]
    if packet[F.ETH_TYPE] in (EthType.IPV4, EthType.IPV6) and protocol == IpProto.UDP:
        return "dhcp_server"
    if protocol == IpProto.ICMPV6:
        return _ADVERTISEMENTS.get(packet[F.ICMPV6_TYPE])
    return None


def _unallowed(port: Port, packet: Packet) -> tuple[str, str, str]:
    """Kind, text and cure of a frame that nothing allows."""
    if packet[F.VLAN_TCI] & VLAN_PRESENT:
        tag = packet[F.VLAN_TCI] & 0xFFF
        return "tagged_frame", f"the frame carries an 802.1Q tag (VLAN {tag})", "send untagged frames"
    if packet[F.ETH_TYPE] not in _CHECKED:
        what = f"only IPv4, ARP, IPv6 and RARP may be sent, not ethertype {packet[F.ETH_TYPE]:#06x}"
        return "ethertype", what, _OPEN_CURE
    own = {
        identity.mac: identity
        for identity in identities(port.mac_address, port.fixed_ips, port.allowed_address_pairs)
    }
    identity = own.get(packet[F.ETH_SRC])
    if identity is None:
        allowed = ", ".join(format_mac(mac) for mac in own)
        what = f"the source MAC {format_mac(packet[F.ETH_SRC])} is not the port's ({allowed})"
        return "spoofed_mac", what, _PAIR_CURE
    return _claim(packet, identity)


def _claim(packet: Packet, identity: Identity) -> tuple[str, str, str]:
    allowed = ", ".join([*map(str, identity.sources), str(link_local_address(identity.mac))])
    address = _claimed_address(packet)
    if packet[F.ETH_TYPE] == EthType.ARP:
        if packet[F.ARP_SHA] != identity.mac:
            what = f"the ARP sender's MAC {format_mac(packet[F.ARP_SHA])} is not that of the frame"
            return "spoofed_arp", what, _PAIR_CURE
        return "spoofed_arp", f"ARP claims {address}, and the port has {allowed}", _PAIR_CURE
    if packet[F.IP_PROTO] == IpProto.ICMPV6 and packet[F.ICMPV6_TYPE] in (135, 136):
        what = f"a neighbour message that claims {address} or another's MAC; the port has {allowed}"
        return "spoofed_nd", what, _PAIR_CURE
    return "spoofed_ip", f"the source address {address} is not the port's ({allowed})", _PAIR_CURE


def _claimed_address(packet: Packet) -> IPAddress:
    match packet[F.ETH_TYPE]:
        case EthType.ARP:
            return IPv4Address(packet[F.ARP_SPA])
        case EthType.IPV4:
            return IPv4Address(packet[F.IPV4_SRC])
    advertises = packet[F.IP_PROTO] == IpProto.ICMPV6 and packet[F.ICMPV6_TYPE] == 136
    return IPv6Address(packet[F.ND_TARGET if advertises else F.IPV6_SRC])
