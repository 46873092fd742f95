"""Conversations to try: who says what to whom, and what comes back."""

from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from tests.compiler.proof.choice import Choice
from tests.compiler.proof.meaning import Said, Way
from tests.compiler.proof.operations import SHARED_MAC

from overlace.datapath.fields import VLAN_PRESENT, EthType, Field, IpProto
from overlace.datapath.interpreter import Packet, build
from overlace.kit.addresses import BROADCAST, IPAddress, link_local_address
from overlace.model.port import Port

F = Field
_ALL_NODES = 0x333300000001
_UNKNOWN_MAC = 0x0200000000EE
_FOREIGN: dict[int, IPAddress] = {4: IPv4Address("192.168.0.99"), 6: IPv6Address("fd00::99")}
_PAIRED: dict[int, IPAddress] = {4: IPv4Address("192.168.0.40"), 6: IPv6Address("fd00::40")}


@dataclass(frozen=True)
class Conversation:
    """What one end says first and later, and what the other may say to it; None where there is no such thing."""

    first: Said
    reply: Said | None = None
    later: Said | None = None
    error: Said | None = None


Speech = Callable[[tuple[int, int], tuple[IPAddress, IPAddress]], Conversation]


def unicast(choice: Choice, one: Port, other: Port) -> Conversation | None:
    """One speaks to another, with a protocol of any kind; sometimes with an address that is not its own."""
    version = choice.one_of((4, 6))
    source, destination = _address(one, version), _address(other, version)
    if source is None or destination is None:
        return None
    source = choice.one_of((source, source, source, _FOREIGN[version], _PAIRED[version]))
    macs = (int(choice.one_of((one.mac_address,) * 5 + (_UNKNOWN_MAC,))), int(other.mac_address))
    return _SPEECHES[choice.one_of(tuple(_SPEECHES))](macs, (source, destination))


def group_cast(choice: Choice, one: Port) -> Said:
    """Something to everyone, to nobody known, or to the switch itself."""
    v4 = _address(one, 4) or _FOREIGN[4]
    v6 = _address(one, 6) or link_local_address(one.mac_address)
    assert isinstance(v4, IPv4Address) and isinstance(v6, IPv6Address)
    mac = one.mac_address
    asked = choice.one_of((11, 12, 13, 14, 40, 1, 99))
    target4, target6 = IPv4Address(f"192.168.0.{asked}"), IPv6Address(f"fd00::{asked:x}")
    tagged = build.udp((mac, BROADCAST), (v4, IPv4Address("255.255.255.255")), (7, 7))
    tagged[F.VLAN_TCI] = VLAN_PRESENT | 5
    makers: tuple[Callable[[], Packet], ...] = (
        lambda: build.arp_request(mac, v4, target4),
        lambda: build.arp_request(mac, IPv4Address(0), target4),
        lambda: build.gratuitous_arp(mac, choice.one_of((v4, _FOREIGN[4], _PAIRED[4]))),  # type: ignore[arg-type]
        lambda: build.arp_reply(mac, v4, BROADCAST, v4),
        lambda: build.neighbour_solicitation(mac, v6, target6),
        lambda: build.neighbour_solicitation(mac, IPv6Address(0), target6),
        lambda: build.neighbour_advertisement((mac, _ALL_NODES), (v6, IPv6Address("ff02::1")), v6),
        lambda: build.neighbour_advertisement((mac, _ALL_NODES), (v6, IPv6Address("ff02::1")), _PAIRED[6]),  # type: ignore[arg-type]
        lambda: build.icmpv6((mac, _ALL_NODES), (v6, IPv6Address("ff02::1")), 134),
        lambda: build.icmpv6((mac, 0x333300000016), (IPv6Address(0), IPv6Address("ff02::16")), 143),
        lambda: build.rarp(mac),
        lambda: build.udp((mac, BROADCAST), (v4, IPv4Address("255.255.255.255")), (138, 138)),
        lambda: build.udp((mac, BROADCAST), (IPv4Address(0), IPv4Address("255.255.255.255")), (68, 67)),
        lambda: build.udp((mac, BROADCAST), (v4, IPv4Address("255.255.255.255")), (67, 68)),
        lambda: build.udp((mac, _ALL_NODES), (v6, IPv6Address("ff02::1")), (9, 9)),
        lambda: build.udp((mac, _UNKNOWN_MAC), (v4, _FOREIGN[4]), (9, 9)),
        lambda: build.udp((mac, SHARED_MAC), (v4, _PAIRED[4]), (9, 9)),
        lambda: build.udp((mac, SHARED_MAC), (v6, _PAIRED[6]), (9, 9)),
        lambda: build.gratuitous_arp(SHARED_MAC, _PAIRED[4]),  # type: ignore[arg-type]
        lambda: build.ethernet(mac, BROADCAST, EthType.LLDP),
        lambda: tagged,
    )
    return Said(choice.one_of(makers)())


def _tcp(macs: tuple[int, int], ends: tuple[IPAddress, IPAddress], port: int) -> Conversation:
    first = build.tcp(macs, ends, (1000, port), build.SYN)
    reply = build.tcp(macs[::-1], ends[::-1], (port, 1000), build.SYN | build.ACK)
    later = build.tcp(macs, ends, (1000, port), build.ACK)
    return _conversation(first, reply, later, replies_begin=False)


def _udp(macs: tuple[int, int], ends: tuple[IPAddress, IPAddress], port: int) -> Conversation:
    first = build.udp(macs, ends, (1000, port))
    return _conversation(first, build.udp(macs[::-1], ends[::-1], (port, 1000)), first)


def _echo(macs: tuple[int, int], ends: tuple[IPAddress, IPAddress]) -> Conversation:
    first, reply = _icmp(macs, ends, 8, 128), _icmp(macs[::-1], ends[::-1], 0, 129)
    return _conversation(first, reply, first, replies_begin=False)


def _gre(macs: tuple[int, int], ends: tuple[IPAddress, IPAddress]) -> Conversation:
    first = build.ip(macs, ends, 47)
    first.payload = bytes(8)  # an error quotes so much
    return _conversation(first, build.ip(macs[::-1], ends[::-1], 47), first)


def _fragment(macs: tuple[int, int], ends: tuple[IPAddress, IPAddress]) -> Conversation:
    """A stray first fragment; the connection tracker puts it together with the others before it is judged."""
    return Conversation(Said(build.ip(macs, ends, IpProto.SCTP)))


def _icmp(macs: tuple[int, int], ends: tuple[IPAddress, IPAddress], of_v4: int, of_v6: int) -> Packet:
    match ends:
        case (IPv4Address(), IPv4Address()):
            return build.icmp(macs, ends, of_v4)
        case _:
            return build.icmpv6(macs, ends, of_v6)  # type: ignore[arg-type]


def _conversation(first: Packet, reply: Packet, later: Packet, *, replies_begin: bool = True) -> Conversation:
    macs = (reply[F.ETH_SRC], reply[F.ETH_DST])
    ends = _ends(reply)
    error = build.icmp_error(macs, ends, first, 3 if ends[0].version == 4 else 1)
    return Conversation(
        Said(first),
        Said(reply, Way.BACK, begins=replies_begin),
        Said(later),
        Said(error, Way.BACK, begins=False, is_error=True),
    )


def _ends(packet: Packet) -> tuple[IPAddress, IPAddress]:
    if packet[F.ETH_TYPE] == EthType.IPV4:
        return IPv4Address(packet[F.IPV4_SRC]), IPv4Address(packet[F.IPV4_DST])
    return IPv6Address(packet[F.IPV6_SRC]), IPv6Address(packet[F.IPV6_DST])


_SPEECHES: dict[str, Speech] = {
    "ssh": lambda macs, ends: _tcp(macs, ends, 22),
    "web": lambda macs, ends: _tcp(macs, ends, 80),
    "datagram": lambda macs, ends: _udp(macs, ends, 80),
    "echo": _echo,
    "gre": _gre,
    "sctp": _fragment,
}


def _address(port: Port, version: int) -> IPAddress | None:
    return next((ip.ip_address for ip in port.fixed_ips if ip.ip_address.version == version), None)
