"""A host asks for a router and hears what the network says about its prefixes."""

from dataclasses import replace
from ipaddress import IPv6Address, IPv6Network

import pytest
from hypothesis import given, strategies as st

from overlace.kit.addresses import Mac, link_local_address, parse_mac
from overlace.protocols.router_advertisement import LinkFacts, OnLinkPrefix, respond
from overlace.wire import icmpv6
from overlace.wire.errors import MalformedError
from overlace.wire.ethernet import EthernetFrame
from overlace.wire.frames import icmpv6_frame
from overlace.wire.icmpv6 import Echo, Icmpv6Message, RouterAdvertisement, RouterSolicitation
from overlace.wire.ipv6 import ALL_NODES, ALL_ROUTERS, Ipv6Packet, multicast_mac
from overlace.wire.nd_options import Mtu, PrefixInformation, RecursiveDnsServers

HOST, ROUTER = parse_mac("02:00:00:00:00:07"), parse_mac("fa:16:3f:00:00:01")
RESOLVER = IPv6Address("fd00::53")
FACTS = LinkFacts(
    ROUTER,
    (OnLinkPrefix(IPv6Network("fd00::/64"), True), OnLinkPrefix(IPv6Network("fd01::/80"), False)),
    managed=True,
    other=True,
    mtu=1450,
    dns_servers=(RESOLVER,),
)


def solicitation(
    source: IPv6Address | None = None,
    message: Icmpv6Message = RouterSolicitation(),  # noqa: B008 - a frozen value
    hop_limit: int = 255,
) -> bytes:
    sender = link_local_address(HOST) if source is None else source
    return icmpv6_frame(HOST, Mac(multicast_mac(ALL_ROUTERS)), sender, ALL_ROUTERS, message, hop_limit)


def heard(frame: bytes) -> tuple[EthernetFrame, Ipv6Packet, RouterAdvertisement]:
    ethernet = EthernetFrame.decode(frame)
    packet = Ipv6Packet.decode(ethernet.payload)
    message = icmpv6.decode(packet.payload, packet.source, packet.destination)
    assert isinstance(message, RouterAdvertisement)
    return ethernet, packet, message


def test_prefixes_mtu_and_resolvers_are_told_for_ever_by_somebody_who_is_no_way_out() -> None:
    _, packet, told = heard(respond(solicitation(), FACTS))
    assert (packet.source, packet.hop_limit) == (link_local_address(ROUTER), 255)
    assert (told.lifetime_seconds, told.managed, told.other_configuration) == (0, True, True)
    for_ever = 0xFFFFFFFF
    assert told.options == (
        Mtu(1450),
        PrefixInformation(IPv6Address("fd00::"), 64, True, True, for_ever, for_ever),
        PrefixInformation(IPv6Address("fd01::"), 80, True, False, for_ever, for_ever),
        RecursiveDnsServers(for_ever, (RESOLVER,)),
    )


def test_who_has_an_address_is_answered_there() -> None:
    ethernet, packet, _ = heard(respond(solicitation(), FACTS))
    assert (ethernet.destination, packet.destination) == (HOST, link_local_address(HOST))


def test_who_has_none_yet_hears_what_goes_to_all_nodes() -> None:
    ethernet, packet, _ = heard(respond(solicitation(IPv6Address("::")), FACTS))
    assert (ethernet.destination, packet.destination) == (0x333300000001, ALL_NODES)


def test_what_is_not_known_is_not_said() -> None:
    bare = replace(FACTS, prefixes=(), managed=False, other=False, mtu=None, dns_servers=())
    _, _, told = heard(respond(solicitation(), bare))
    assert (told.managed, told.other_configuration, told.options) == (False, False, ())


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (solicitation(hop_limit=64), "not a neighbour discovery packet of this link"),
        (solicitation(message=Echo(True, 1, 1)), "not a router solicitation"),
        (solicitation()[:-1] + b"\1", "checksum is wrong"),
        (EthernetFrame(HOST, HOST, 0x0800, bytes(40)).encode(), "not an untagged IPv6 frame"),
    ],
)
def test_another_frame_is_refused_with_the_reason(wrong: bytes, reason: str) -> None:
    with pytest.raises(MalformedError, match=reason):
        respond(wrong, FACTS)


@given(st.binary(max_size=120), st.integers(0, 70))
def test_no_bytes_raise_anything_else(noise: bytes, cut: int) -> None:
    for data in (noise, solicitation()[:cut] + noise):
        try:
            respond(data, FACTS)
        except MalformedError:
            continue
