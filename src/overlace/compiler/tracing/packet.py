"""Packets for questions, the answers to them, and both in words."""

from ipaddress import IPv4Address, IPv6Address

from overlace.compiler.cause_text import mac_text, protocol_name
from overlace.compiler.tracing.destination import Ends
from overlace.compiler.tracing.question import Question
from overlace.datapath.fields import VLAN_PRESENT, EthType, Field, IpProto
from overlace.datapath.interpreter import build
from overlace.datapath.interpreter.packet import Packet
from overlace.kit.addresses import BROADCAST, IPAddress, link_local_address, parse_mac
from overlace.model.port import Port

F = Field
_ETHERNET_BYTES = 14
_CLIENT_PORT = 40000
"""The port of the end that opens a connection, where nobody says which."""
_SERVICES = {"tcp": IpProto.TCP, "udp": IpProto.UDP, "sctp": IpProto.SCTP}
_PORTS = {
    IpProto.TCP: (F.TCP_SRC, F.TCP_DST),
    IpProto.UDP: (F.UDP_SRC, F.UDP_DST),
    IpProto.SCTP: (F.SCTP_SRC, F.SCTP_DST),
}
_ALL_ROUTERS_ADVERTISE = (0x333300000001, IPv6Address("ff02::1"), 134)
_ALL_DHCPV6_SERVERS = (0x333300010002, IPv6Address("ff02::1:2"))
_DHCP_CLIENT, _DHCP_SERVER = 68, 67
_DHCPV6_PORTS = (546, 547)


def packet_for(question: Question, source: Port, ends: Ends) -> Packet:
    """The packet that the source sends. Raises ValueError for a source MAC that is none."""
    mac = parse_mac(question.source_mac) if question.source_mac is not None else source.mac_address
    packet = _frame(question, mac, ends)
    if question.size is not None:
        packet.length = _ETHERNET_BYTES + question.size
    if question.vlan is not None:
        packet[F.VLAN_TCI] = VLAN_PRESENT | question.vlan
    return packet


def _frame(question: Question, mac: int, ends: Ends) -> Packet:
    if question.protocol == "dhcp" and question.ip_version == 6:
        group_mac, servers = _ALL_DHCPV6_SERVERS
        return build.udp((mac, group_mac), (link_local_address(mac), servers), _DHCPV6_PORTS, length=100)
    if question.protocol == "dhcp":
        unknown, everybody = IPv4Address(0), IPv4Address("255.255.255.255")
        return build.udp((mac, BROADCAST), (unknown, everybody), (_DHCP_CLIENT, _DHCP_SERVER), length=300)
    if question.protocol == "ra":
        destination, group, kind = _ALL_ROUTERS_ADVERTISE
        return build.icmpv6((mac, destination), (link_local_address(mac), group), kind)
    if question.protocol in ("arp", "nd") or ends.mac is None:
        return _who_has(mac, ends.source, ends.destination)
    macs, addresses = (mac, ends.mac), (ends.source, ends.destination)
    if question.protocol == "icmp":
        return _echo(macs, addresses, reply=question.state == "reply")
    return _segment(question, macs, addresses)


def _who_has(mac: int, sender: IPAddress, target: IPAddress) -> Packet:
    if isinstance(sender, IPv4Address) and isinstance(target, IPv4Address):
        return build.arp_request(mac, sender, target)
    return build.neighbour_solicitation(mac, IPv6Address(int(sender)), IPv6Address(int(target)))


def _echo(macs: tuple[int, int], addresses: tuple[IPAddress, IPAddress], *, reply: bool) -> Packet:
    source, destination = addresses
    if isinstance(source, IPv4Address) and isinstance(destination, IPv4Address):
        kind = build.ECHO_REPLY if reply else build.ECHO_REQUEST
        return build.icmp(macs, (source, destination), kind)
    kind = build.ECHO_REPLY_V6 if reply else build.ECHO_REQUEST_V6
    return build.icmpv6(macs, (IPv6Address(int(source)), IPv6Address(int(destination))), kind)


def _segment(question: Question, macs: tuple[int, int], addresses: tuple[IPAddress, IPAddress]) -> Packet:
    client = _CLIENT_PORT if question.source_port is None else question.source_port
    service = question.port or 0
    ports = (service, client) if question.state == "reply" else (client, service)
    protocol = _SERVICES[question.protocol]
    packet = build.ip(macs, addresses, protocol)
    packet[_PORTS[protocol][0]], packet[_PORTS[protocol][1]] = ports
    if protocol == IpProto.TCP:
        packet[F.TCP_FLAGS] = build.SYN if question.state == "new" else build.ACK
    return packet


def answer_to(packet: Packet) -> Packet | None:
    """What a host that took the packet sends back; None where no answer of IP is due."""
    of_v4 = packet[F.ETH_TYPE] == EthType.IPV4
    if not of_v4 and packet[F.ETH_TYPE] != EthType.IPV6:
        return None
    protocol = packet[F.IP_PROTO]
    answer = packet.copy()
    answer.clear([each for each in F if each.name.startswith(("REG", "CT_", "TUN_"))])
    answer.clear([F.METADATA, F.IN_PORT])
    _swap(answer, F.ETH_SRC, F.ETH_DST)
    _swap(answer, *((F.IPV4_SRC, F.IPV4_DST) if of_v4 else (F.IPV6_SRC, F.IPV6_DST)))
    if protocol in _PORTS:
        _swap(answer, *_PORTS[protocol])
        if protocol == IpProto.TCP:
            answer[F.TCP_FLAGS] = build.SYN | build.ACK
        return answer
    if protocol == IpProto.ICMP and packet[F.ICMPV4_TYPE] == build.ECHO_REQUEST:
        answer[F.ICMPV4_TYPE] = build.ECHO_REPLY
        return answer
    if protocol == IpProto.ICMPV6 and packet[F.ICMPV6_TYPE] == build.ECHO_REQUEST_V6:
        answer[F.ICMPV6_TYPE] = build.ECHO_REPLY_V6
        return answer
    return None


def _swap(packet: Packet, one: Field, other: Field) -> None:
    packet[one], packet[other] = packet[other], packet[one]


def service_text(packet: Packet) -> str:
    """The protocol and, where there is one, the destination's port or the ICMP type: ``tcp 80``."""
    match packet[F.ETH_TYPE]:
        case EthType.ARP:
            return "arp request" if packet[F.ARP_OP] == build.ARP_REQUEST else "arp reply"
        case EthType.IPV4 | EthType.IPV6:
            pass
        case kind:
            return f"ethertype {kind:#06x}"
    protocol = packet[F.IP_PROTO]
    if protocol in _PORTS:
        return f"{protocol_name(protocol)} {packet[_PORTS[protocol][1]]}"
    if protocol in (IpProto.ICMP, IpProto.ICMPV6):
        kind = packet[F.ICMPV4_TYPE if protocol == IpProto.ICMP else F.ICMPV6_TYPE]
        return f"{protocol_name(protocol)} type {kind}"
    return protocol_name(protocol)


def addresses_of(packet: Packet) -> tuple[str, str]:
    """Source and destination: IP addresses where the packet has them, else MAC addresses."""
    match packet[F.ETH_TYPE]:
        case EthType.IPV4:
            return str(IPv4Address(packet[F.IPV4_SRC])), str(IPv4Address(packet[F.IPV4_DST]))
        case EthType.IPV6:
            return str(IPv6Address(packet[F.IPV6_SRC])), str(IPv6Address(packet[F.IPV6_DST]))
        case EthType.ARP:
            return str(IPv4Address(packet[F.ARP_SPA])), str(IPv4Address(packet[F.ARP_TPA]))
    return mac_text(packet[F.ETH_SRC]), mac_text(packet[F.ETH_DST])


def packet_text(packet: Packet) -> str:
    """One line: ``tcp 80, 192.168.0.5 (02:..:05) -> 192.168.0.6 (02:..:06)``."""
    source, destination = addresses_of(packet)
    macs = mac_text(packet[F.ETH_SRC]), mac_text(packet[F.ETH_DST])
    return f"{service_text(packet)}, {source} ({macs[0]}) -> {destination} ({macs[1]})"
