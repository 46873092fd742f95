"""What switches hand over, answered from a snapshot; no switch is needed for that."""

from collections import Counter
from dataclasses import replace
from ipaddress import IPv6Address, IPv6Network, ip_network

from structlog.testing import capture_logs
from tests.compiler.worlds import WorldBuilder

from overlace.app.autoconfiguration import dhcpv4, dhcpv6
from overlace.app.autoconfiguration.dhcpv6 import DHCPV6
from overlace.app.autoconfiguration.router_discovery import ROUTER_DISCOVERY, facts_of
from overlace.compiler.gateway import gateway_mac
from overlace.compiler.pipeline import SOURCE_PORT
from overlace.datapath.actions import Output
from overlace.datapath.fields import Field
from overlace.datapath.match import match
from overlace.kit.addresses import Mac, link_local_address
from overlace.model.network import Subnet
from overlace.model.port import DhcpOption, FixedIp, Port
from overlace.protocols.router_advertisement import OnLinkPrefix
from overlace.wire.dhcpv6.message import ALL_SERVERS, Dhcpv6Message, MessageType
from overlace.wire.ethernet import EthernetFrame
from overlace.wire.frames import icmpv6_frame, udp_frame
from overlace.wire.icmpv6 import RouterSolicitation
from overlace.wire.ipv6 import ALL_ROUTERS, Ipv6Packet, multicast_mac
from overlace.wire.openflow.messages import PacketIn, PacketOut
from overlace.wire.udp import UdpDatagram

RESOLVER = IPv6Address("fd53::53")
SOLICIT = Dhcpv6Message(
    MessageType.SOLICIT, 5, ((1, b"client"), (3, b"iaid" + bytes(8)), (6, b"\0\x17\0\x3b"))
)


def world(*subnets: Subnet) -> tuple[WorldBuilder, Port]:
    """A port on h1 with an address in each of the subnets."""
    built = WorldBuilder()
    built.hosts("h1", "h2")
    built.network("red", 1)
    for each in subnets:
        built.put(each)
    port = built.port("web", 7, "red", 11)
    addresses = tuple(FixedIp(each.id, each.cidr.network_address + 11) for each in subnets)
    port = replace(port, fixed_ips=addresses)
    built.put(port)
    built.bind(port, "h1", 3)
    return built, port


def subnet(name: str, cidr: str, mode: str | None = None, *, advertised: bool = True) -> Subnet:
    return Subnet(
        id=name,
        project_id="project-red",
        network_id="red",
        name="",
        ip_version=6,
        cidr=ip_network(cidr),
        dns_nameservers=(RESOLVER,),
        ipv6_ra_mode=mode if advertised else None,
        ipv6_address_mode=mode,
    )


def handed_over(frame: bytes, key: int = 7) -> PacketIn:
    return PacketIn(frame, len(frame), 0, 20, 0, match({SOURCE_PORT: key, Field.IN_PORT: 3}))


def solicit(port: Port, message: bytes = SOLICIT.encode()) -> bytes:
    group = Mac(multicast_mac(ALL_SERVERS))
    source = link_local_address(port.mac_address)
    return udp_frame(port.mac_address, group, source, ALL_SERVERS, UdpDatagram(546, 547, message))


def router_solicitation(port: Port) -> bytes:
    source, group = link_local_address(port.mac_address), Mac(multicast_mac(ALL_ROUTERS))
    return icmpv6_frame(port.mac_address, group, source, ALL_ROUTERS, RouterSolicitation())


def offered(packet: PacketOut | None) -> Dhcpv6Message:
    assert packet is not None
    assert packet.actions == (Output(3),)
    ethernet = EthernetFrame.decode(packet.frame)
    assert ethernet.source == gateway_mac(1)
    datagram = UdpDatagram.decode(Ipv6Packet.decode(ethernet.payload).payload)
    return Dhcpv6Message.decode(datagram.payload)


def test_a_port_is_offered_its_addresses_in_subnets_that_lease_and_no_others() -> None:
    built, port = world(subnet("a", "fd0a::/64", "dhcpv6-stateful"), subnet("b", "fd0b::/64", "slaac"))
    found = dhcpv6.lease_of(built.snapshot, port)
    assert found is not None
    assert (found[0].addresses, found[0].dns_servers) == ((IPv6Address("fd0a::b"),), (RESOLVER,))
    outcomes: Counter[str] = Counter()
    answer = DHCPV6.answer(built.snapshot, "h1", handed_over(solicit(port)), outcomes)
    assert offered(answer).option(23) == RESOLVER.packed
    assert outcomes == {"advertised": 1}


def test_a_port_without_such_a_subnet_is_not_answered() -> None:
    built, port = world(subnet("b", "fd0b::/64", "slaac"))
    outcomes: Counter[str] = Counter()
    assert DHCPV6.answer(built.snapshot, "h1", handed_over(solicit(port)), outcomes) is None
    assert DHCPV6.answer(built.snapshot, "h1", handed_over(solicit(port), key=99), outcomes) is None
    assert DHCPV6.answer(built.snapshot, "h2", handed_over(solicit(port)), outcomes) is None
    assert outcomes == {"unknown port": 3}


def test_damage_and_what_is_not_for_us_is_counted() -> None:
    built, port = world(subnet("a", "fd0a::/64", "dhcpv6-stateful"))
    outcomes: Counter[str] = Counter()
    for message in (b"\1\0", Dhcpv6Message(MessageType.SOLICIT, 5).encode()):
        assert DHCPV6.answer(built.snapshot, "h1", handed_over(solicit(port, message)), outcomes) is None
    assert ROUTER_DISCOVERY.answer(built.snapshot, "h1", handed_over(solicit(port)), outcomes) is None
    assert outcomes == {"malformed": 2, "ignored": 1}


def test_an_option_that_makes_no_sense_is_left_out_and_named_and_the_others_are_sent() -> None:
    built, port = world(subnet("a", "fd0a::/64", "dhcpv6-stateful"))
    options = (
        DhcpOption("!175,bootfile-name", "x", 4),
        DhcpOption("mtu", "1400", 4),
        DhcpOption("router", "fd00::1", 6),
        DhcpOption("bootfile-url", "tftp://x", 6),
    )
    port = replace(port, extra_dhcp_opts=options)
    built.put(port)
    with capture_logs() as logs:
        found = dhcpv6.lease_of(built.snapshot, port)
    assert found is not None
    assert found[0].extra == ((59, b"tftp://x"),)
    assert [each["event"] for each in logs] == ["extra dhcp option left out"]
    # and of IPv4 alike
    built.put(
        replace(port, fixed_ips=(FixedIp("subnet-red", ip_network("192.168.0.11/32").network_address),))
    )
    port = built.snapshot.get(Port, "web") or port
    with capture_logs() as logs:
        lease = dhcpv4.lease_of(built.snapshot, port)
    assert lease is not None
    assert lease[0].extra.options == ((26, b"\x05\x78"),)
    assert "!175,bootfile-name" in logs[0]["reason"]


def test_the_network_says_all_that_its_advertised_subnets_say() -> None:
    built, port = world(
        subnet("a", "fd0a::/64", "slaac"),
        subnet("b", "fd0b::/80", "dhcpv6-stateful"),
        subnet("c", "fd0c::/64", "dhcpv6-stateful", advertised=False),
    )
    facts = facts_of(built.snapshot, port)
    assert facts is not None
    assert facts.prefixes == (
        OnLinkPrefix(IPv6Network("fd0a::/64"), True),
        OnLinkPrefix(IPv6Network("fd0b::/80"), False),
    )
    assert (facts.managed, facts.other, facts.mtu, facts.dns_servers) == (True, True, 1450, (RESOLVER,))
    outcomes: Counter[str] = Counter()
    answer = ROUTER_DISCOVERY.answer(built.snapshot, "h1", handed_over(router_solicitation(port)), outcomes)
    assert answer is not None
    assert EthernetFrame.decode(answer.frame).destination == port.mac_address
    assert outcomes == {"advertised": 1}


def test_a_network_without_advertised_subnets_says_nothing() -> None:
    built, port = world(subnet("a", "fd0a::/64"))
    outcomes: Counter[str] = Counter()
    asked = handed_over(router_solicitation(port))
    assert ROUTER_DISCOVERY.answer(built.snapshot, "h1", asked, outcomes) is None
    assert outcomes == {"unknown port": 1}
