"""A small cloud whose host has a port of each kind, and what its workloads and peers say to each other.

`Spoken` names ends and words, so that it can be an explicit example, unlike what `conversations` draws.
"""

from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from tests.compiler.proof.cloud import Cloud

from overlace.datapath.fields import Field, IpProto
from overlace.datapath.interpreter import Packet, build
from overlace.kit.addresses import BROADCAST, IPAddress, link_local_address
from overlace.model.network import Subnet
from overlace.model.policy import Direction, EtherType, SecurityGroup

F = Field
HOST, ELSEWHERE = "h1", "h2"
"""The tunnel addresses of the former are those of a private switch's underlay."""
NETWORK_KEY = 1
OCTETS = {"tracked": 11, "peer": 12, "stateless": 13, "open": 14, "far": 15}
"""The ports: two that permit some protocols and ports with connection tracking, one without, one without port
security, and one on the other host."""
_PERMITTED = (
    {"protocol": "tcp", "port_range_min": 80, "port_range_max": 80},
    {"protocol": "udp", "port_range_min": 53, "port_range_max": 53},
    {"protocol": "sctp", "port_range_min": 80, "port_range_max": 80},
    {"protocol": "47"},
    {"protocol": "icmp"},
)
_ALL_NODES = 0x333300000001


def cloud_of_all_kinds() -> Cloud:
    """Both directions are ruled alike, so that whoever sends can be heard."""
    cloud = Cloud()
    cloud.join(HOST, 1)
    cloud.join(ELSEWHERE, 2)
    cloud.world.network("n", NETWORK_KEY)
    cloud.world.put(
        Subnet(
            id="subnet-of-ipv6",
            project_id="project-n",
            network_id="n",
            name="",
            ip_version=6,
            cidr=ip_network("fd00::/64"),
            ipv6_ra_mode="dhcpv6-stateful",
            ipv6_address_mode="dhcpv6-stateful",
        )
    )
    cloud.world.group("stateful", 1)
    stateless = SecurityGroup(id="stateless", project_id="project", name="stateless", key=2, stateful=False)
    cloud.world.put(stateless)
    number = 0
    for group in ("stateful", "stateless"):
        for direction in Direction:
            for ethertype in EtherType:
                for rule in _PERMITTED:
                    number += 1
                    cloud.world.permit(group, number, direction, ethertype=ethertype, **rule)
    for key, (name, octet) in enumerate(OCTETS.items(), start=1):
        groups = {"stateless": ("stateless",), "open": ()}.get(name, ("stateful",))
        port = cloud.world.port(name, key, "n", octet, *groups)
        host = ELSEWHERE if name == "far" else HOST
        cloud.world.bind(port, host, cloud.plug(port, host))
    cloud.compile()
    return cloud


@dataclass(frozen=True)
class Spoken:
    """Who says what to whom, by the names of `OCTETS` and `WORDS`; `version` is that of IP."""

    sender: str
    receiver: str
    version: int
    word: str

    def packet(self) -> Packet:
        """As it leaves the sender; a word that the version does not have is said in the other."""
        word = WORDS[self.word]
        for version in (self.version, 10 - self.version):
            ends = _address(self.sender, version), _address(self.receiver, version)
            packet = word((_mac(self.sender), _mac(self.receiver)), ends)
            if packet is not None:
                return packet
        raise AssertionError(f"{self.word} has no version")


Word = Callable[[tuple[int, int], tuple[IPAddress, IPAddress]], Packet | None]


def _mac(name: str) -> int:
    return 0x020000000000 | OCTETS[name]


def _address(name: str, version: int) -> IPAddress:
    octet = OCTETS[name]
    return ip_address(f"192.168.0.{octet}" if version == 4 else f"fd00::{octet:x}")


def _udp(source: int, destination: int) -> Word:
    return lambda macs, ends: build.udp(macs, ends, (source, destination))


def _tcp(destination: int, flags: int) -> Word:
    return lambda macs, ends: build.tcp(macs, ends, (1000, destination), flags)


def _icmp(of_v4: int, of_v6: int) -> Word:
    def word(macs: tuple[int, int], ends: tuple[IPAddress, IPAddress]) -> Packet:
        match ends:
            case (IPv4Address() as one, IPv4Address() as other):
                return build.icmp(macs, (one, other), of_v4)
            case _:
                return build.icmpv6(macs, ends, of_v6)  # type: ignore[arg-type]

    return word


def _sctp(macs: tuple[int, int], ends: tuple[IPAddress, IPAddress]) -> Packet:
    return build.ip(macs, ends, IpProto.SCTP).replace({F.SCTP_SRC: 1000, F.SCTP_DST: 80})


def _gre(macs: tuple[int, int], ends: tuple[IPAddress, IPAddress]) -> Packet:
    return build.ip(macs, ends, 47)


def _dhcp_request(macs: tuple[int, int], ends: tuple[IPAddress, IPAddress]) -> Packet | None:
    if ends[0].version == 6:
        return None
    return build.udp((macs[0], BROADCAST), (IPv4Address("0.0.0.0"), IPv4Address("255.255.255.255")), (68, 67))


def _dhcpv6_solicit(macs: tuple[int, int], ends: tuple[IPAddress, IPAddress]) -> Packet | None:
    if ends[0].version == 4:
        return None
    servers = IPv6Address("ff02::1:2")
    return build.udp((macs[0], 0x333300010002), (link_local_address(macs[0]), servers), (546, 547))


def _dhcp_offer(macs: tuple[int, int], ends: tuple[IPAddress, IPAddress]) -> Packet:
    return build.udp(macs, ends, (67, 68) if ends[0].version == 4 else (547, 546))


def _neighbour(make: Callable[[int, IPv6Address, IPv6Address], Packet]) -> Word:
    def word(macs: tuple[int, int], ends: tuple[IPAddress, IPAddress]) -> Packet | None:
        match ends:
            case (IPv6Address() as one, IPv6Address() as other):
                return make(macs[0], one, other)
            case _:
                return None

    return word


def _to_all(kind: int) -> Word:
    return _neighbour(
        lambda mac, one, _: build.icmpv6((mac, _ALL_NODES), (one, IPv6Address("ff02::1")), kind)
    )


WORDS: dict[str, Word] = {
    "web": _tcp(80, build.SYN),
    "web answer": _tcp(80, build.SYN | build.ACK),
    "ssh": _tcp(22, build.SYN),
    "name query": _udp(1000, 53),
    "datagram": _udp(1000, 7777),
    "dhcp request": _dhcp_request,
    "dhcp offer": _dhcp_offer,
    "dhcpv6 solicit": _dhcpv6_solicit,
    "sctp": _sctp,
    "gre": _gre,
    "echo": _icmp(8, 128),
    "echo reply": _icmp(0, 129),
    "unreachable": _icmp(3, 1),
    "solicitation": _neighbour(build.neighbour_solicitation),
    "own advertisement": _neighbour(
        lambda mac, one, _: build.neighbour_advertisement(
            (mac, _ALL_NODES), (one, IPv6Address("ff02::1")), one
        )
    ),
    "foreign advertisement": _neighbour(
        lambda mac, one, other: build.neighbour_advertisement(
            (mac, _ALL_NODES), (one, IPv6Address("ff02::1")), other
        )
    ),
    "router solicitation": _to_all(133),
    "router solicitation without an address": _neighbour(
        lambda mac, _, __: build.icmpv6(
            (mac, 0x333300000002), (IPv6Address("::"), IPv6Address("ff02::2")), 133
        )
    ),
    "router advertisement": _to_all(134),
    "redirect": _to_all(137),
    "listener report": _to_all(143),
}
