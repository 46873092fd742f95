"""Frames, layer by layer: round trips, known bytes, truncation."""

from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given, strategies as st

from overlace.kit.addresses import BROADCAST, Mac, parse_mac
from overlace.wire import frames, icmpv6
from overlace.wire.arp import Arp
from overlace.wire.checksum import transport_checksum
from overlace.wire.errors import MalformedError
from overlace.wire.ethernet import EthernetFrame
from overlace.wire.icmpv6 import (
    Echo,
    Icmpv6Message,
    NeighbourAdvertisement,
    NeighbourSolicitation,
    RouterAdvertisement,
    RouterSolicitation,
)
from overlace.wire.ipv4 import Ipv4Packet
from overlace.wire.ipv6 import Ipv6Packet, multicast_mac, solicited_node_address
from overlace.wire.nd_options import (
    DnsSearchList,
    Mtu,
    NdOption,
    PrefixInformation,
    RecursiveDnsServers,
    SourceLinkLayerAddress,
    TargetLinkLayerAddress,
    UnknownOption,
    decode_options,
)
from overlace.wire.udp import UdpDatagram, has_right_checksum
from overlace.wire.vlan import VlanTag
from overlace.wire.vxlan import Vxlan

A, B = parse_mac("02:00:00:00:00:0a"), parse_mac("02:00:00:00:00:0b")
A4, B4 = IPv4Address("10.0.0.10"), IPv4Address("10.0.0.11")
A6, B6 = IPv6Address("fd00::a"), IPv6Address("fd00::b")

macs = st.integers(0, 2**48 - 1).map(Mac)
u8, u16, u32 = st.integers(0, 0xFF), st.integers(0, 0xFFFF), st.integers(0, 2**32 - 1)
ipv4s = st.ip_addresses(v=4)
ipv6s = st.ip_addresses(v=6).filter(lambda address: not address.is_multicast)
payloads = st.binary(max_size=60)
tags = st.builds(
    VlanTag, st.integers(0, 4095), st.integers(0, 7), st.booleans(), st.sampled_from([0x8100, 0x88A8])
)
domains = st.lists(st.text("abc-", min_size=1, max_size=10), min_size=1, max_size=3).map(".".join)
options: st.SearchStrategy[NdOption] = st.one_of(
    st.builds(SourceLinkLayerAddress, macs),
    st.builds(TargetLinkLayerAddress, macs),
    st.builds(PrefixInformation, ipv6s, st.integers(0, 128), st.booleans(), st.booleans(), u32, u32),
    st.builds(Mtu, u32),
    st.builds(RecursiveDnsServers, u32, st.lists(ipv6s, min_size=1, max_size=3).map(tuple)),
    st.builds(DnsSearchList, u32, st.lists(domains, min_size=1, max_size=3).map(tuple)),
    st.builds(
        UnknownOption,
        st.just(200),
        st.sampled_from([6, 14]).flatmap(lambda n: st.binary(min_size=n, max_size=n)),
    ),
)
option_lists = st.lists(options, max_size=3).map(tuple)
icmpv6_messages: st.SearchStrategy[Icmpv6Message] = st.one_of(
    st.builds(Echo, st.booleans(), u16, u16, payloads),
    st.builds(RouterSolicitation, option_lists),
    st.builds(RouterAdvertisement, u8, st.booleans(), st.booleans(), u16, u32, u32, option_lists),
    st.builds(NeighbourSolicitation, ipv6s, option_lists),
    st.builds(NeighbourAdvertisement, ipv6s, st.booleans(), st.booleans(), st.booleans(), option_lists),
)


@given(
    st.builds(
        EthernetFrame,
        macs,
        macs,
        st.sampled_from([0x0800, 0x0042, 0x86DD]),
        payloads,
        st.lists(tags, max_size=2).map(tuple),
    )
)
def test_ethernet_round_trip(frame: EthernetFrame) -> None:
    assert EthernetFrame.decode(frame.encode()) == frame


@given(st.builds(Arp, u16, macs, ipv4s, macs, ipv4s), st.binary(max_size=18))
def test_arp_round_trip_with_padding(packet: Arp, padding: bytes) -> None:
    assert Arp.decode(packet.encode() + padding) == packet


@given(
    st.builds(
        Ipv4Packet,
        ipv4s,
        ipv4s,
        u8,
        payloads,
        u8,
        u8,
        u16,
        st.booleans(),
        st.booleans(),
        st.integers(0, 0x1FFF),
        st.sampled_from([b"", b"\1\1\1\0"]),
    ),
    st.binary(max_size=9),
)
def test_ipv4_round_trip_with_padding(packet: Ipv4Packet, padding: bytes) -> None:
    assert Ipv4Packet.decode(packet.encode() + padding) == packet


@given(
    st.builds(
        Ipv6Packet, st.ip_addresses(v=6), st.ip_addresses(v=6), u8, payloads, u8, u8, st.integers(0, 0xFFFFF)
    ),
    st.binary(max_size=9),
)
def test_ipv6_round_trip_with_padding(packet: Ipv6Packet, padding: bytes) -> None:
    assert Ipv6Packet.decode(packet.encode() + padding) == packet


@given(st.builds(UdpDatagram, u16, u16, payloads), ipv4s, ipv4s)
def test_udp_round_trip_over_ipv4(
    datagram: UdpDatagram, source: IPv4Address, destination: IPv4Address
) -> None:
    data = datagram.encode(source, destination)
    assert UdpDatagram.decode(data) == datagram
    assert has_right_checksum(data, source, destination)


def test_udp_checksums() -> None:
    data = UdpDatagram(1, 2, b"abc").encode(A6, B6)
    assert has_right_checksum(data, A6, B6)
    assert not has_right_checksum(data, A6, A6)
    unsummed = data[:6] + b"\0\0" + data[8:]
    assert has_right_checksum(unsummed, A4, B4), "over IPv4 the checksum is optional"
    assert not has_right_checksum(unsummed, A6, B6), "over IPv6 it is not"


@given(st.builds(Vxlan, st.integers(0, 2**24 - 1), payloads))
def test_vxlan_round_trip(packet: Vxlan) -> None:
    assert Vxlan.decode(packet.encode()) == packet


def test_vxlan_without_a_vni_is_malformed() -> None:
    with pytest.raises(MalformedError, match="without a valid VNI"):
        Vxlan.decode(bytes(8))


@given(icmpv6_messages, ipv6s, ipv6s)
def test_icmpv6_round_trip(message: Icmpv6Message, source: IPv6Address, destination: IPv6Address) -> None:
    assert icmpv6.decode(icmpv6.encode(message, source, destination), source, destination) == message


def test_icmpv6_with_a_wrong_checksum_is_malformed() -> None:
    with pytest.raises(MalformedError, match="checksum"):
        icmpv6.decode(icmpv6.encode(RouterSolicitation(), A6, B6), A6, A6)


@pytest.mark.parametrize("data", [b"\1", b"\1\0" + bytes(6), b"\1\2" + bytes(6), b"\5\2" + bytes(14)])
def test_neighbour_discovery_options_of_wrong_length_are_malformed(data: bytes) -> None:
    with pytest.raises(MalformedError):
        decode_options(data)


Decoder = Callable[[bytes], object]
DECODERS: list[Decoder] = [
    EthernetFrame.decode,
    Arp.decode,
    Ipv4Packet.decode,
    Ipv6Packet.decode,
    UdpDatagram.decode,
    Vxlan.decode,
    VlanTag.decode,
    decode_options,
    lambda data: icmpv6.decode(data, A6, B6),
]
SAMPLES = [
    frames.arp_request(A, A4, B4),
    frames.udp_frame(A, B, A4, B4, UdpDatagram(1, 2, b"payload")),
    frames.neighbour_solicitation(A, A6, B6),
    EthernetFrame(A, B, 0x0800, b"", (VlanTag(5), VlanTag(6))).encode(),
]


@pytest.mark.parametrize("decoder", DECODERS)
@given(data=st.binary(max_size=80))
def test_arbitrary_bytes_raise_nothing_but_the_typed_error(decoder: Decoder, data: bytes) -> None:
    try:
        decoder(data)
    except MalformedError:
        pass


@given(icmpv6_messages, st.data())
def test_damaged_icmpv6_with_a_right_checksum_raises_nothing_but_the_typed_error(
    message: Icmpv6Message, data: st.DataObject
) -> None:
    encoded = bytearray(icmpv6.encode(message, A6, B6))
    for _ in range(data.draw(st.integers(1, 4))):
        encoded[data.draw(st.integers(4, len(encoded) - 1))] = data.draw(u8)
    body = bytes(encoded[4 : data.draw(st.integers(4, len(encoded)))])
    unsummed = bytes((encoded[0], 0, 0, 0)) + body
    summed = transport_checksum(A6, B6, 58, unsummed).to_bytes(2, "big")
    try:
        icmpv6.decode(unsummed[:2] + summed + body, A6, B6)
    except MalformedError:
        pass


@pytest.mark.parametrize("sample", SAMPLES)
def test_every_truncation_is_malformed_or_a_shorter_payload(sample: bytes) -> None:
    for length in range(len(sample)):
        try:
            frame = EthernetFrame.decode(sample[:length])
        except MalformedError:
            continue
        for decoder in DECODERS[1:4]:
            with pytest.raises(MalformedError):
                decoder(frame.payload)


def test_an_arp_request_is_broadcast() -> None:
    frame = EthernetFrame.decode(frames.arp_request(A, A4, B4))
    assert (frame.destination, frame.source, frame.ethertype) == (BROADCAST, A, 0x0806)
    assert Arp.decode(frame.payload) == Arp(1, A, A4, Mac(0), B4)


def test_an_arp_reply_goes_to_who_asked() -> None:
    frame = EthernetFrame.decode(frames.arp_reply(B, B4, A, A4))
    assert (frame.destination, Arp.decode(frame.payload)) == (A, Arp(2, B, B4, A, A4))


def test_a_gratuitous_arp_asks_for_the_sender_itself() -> None:
    packet = Arp.decode(EthernetFrame.decode(frames.gratuitous_arp(A, A4)).payload)
    assert packet.sender_ip == packet.target_ip == A4


def test_a_rarp_announces_a_moved_guest() -> None:
    frame = EthernetFrame.decode(frames.rarp(A))
    assert (frame.destination, frame.source, frame.ethertype) == (BROADCAST, A, 0x8035)
    assert Arp.decode(frame.payload) == Arp(3, A, IPv4Address(0), A, IPv4Address(0))


def discovery(frame: bytes) -> tuple[EthernetFrame, Ipv6Packet, Icmpv6Message]:
    ethernet = EthernetFrame.decode(frame)
    packet = Ipv6Packet.decode(ethernet.payload)
    assert packet.hop_limit == 255
    return ethernet, packet, icmpv6.decode(packet.payload, packet.source, packet.destination)


def test_a_neighbour_solicitation_goes_to_the_solicited_node_group() -> None:
    ethernet, packet, message = discovery(frames.neighbour_solicitation(A, A6, B6))
    assert packet.destination == IPv6Address("ff02::1:ff00:b") == solicited_node_address(B6)
    assert ethernet.destination == parse_mac("33:33:ff:00:00:0b") == multicast_mac(packet.destination)
    assert message == NeighbourSolicitation(B6, (SourceLinkLayerAddress(A),))


def test_duplicate_address_detection_does_not_tell_a_link_layer_address() -> None:
    _, packet, message = discovery(frames.neighbour_solicitation(A, IPv6Address("::"), A6))
    assert packet.source == IPv6Address("::")
    assert message == NeighbourSolicitation(A6)


def test_neighbour_advertisements() -> None:
    ethernet, packet, message = discovery(frames.neighbour_advertisement(B, B6, A, A6))
    assert (ethernet.destination, packet.destination) == (A, A6)
    expected = NeighbourAdvertisement(B6, solicited=True, override=True, options=(TargetLinkLayerAddress(B),))
    assert message == expected

    ethernet, packet, message = discovery(frames.unsolicited_neighbour_advertisement(B, B6))
    assert ethernet.destination == parse_mac("33:33:00:00:00:01")
    assert message == NeighbourAdvertisement(B6, override=True, options=(TargetLinkLayerAddress(B),))


def test_udp_frames_of_both_families() -> None:
    datagram = UdpDatagram(4000, 4789, b"x")
    v4 = Ipv4Packet.decode(
        EthernetFrame.decode(frames.udp_frame(A, B, A4, B4, datagram, dont_fragment=True)).payload
    )
    assert v4.dont_fragment
    assert not v4.is_fragment
    assert has_right_checksum(v4.payload, A4, B4)
    v6 = Ipv6Packet.decode(EthernetFrame.decode(frames.udp_frame(A, B, A6, B6, datagram)).payload)
    assert UdpDatagram.decode(v6.payload) == datagram
    with pytest.raises(ValueError, match="different families"):
        frames.udp_frame(A, B, A4, B6, datagram)


def test_an_ipv4_header_with_a_wrong_checksum_is_malformed() -> None:
    data = bytearray(Ipv4Packet(A4, B4, 17, b"").encode())
    data[8] ^= 1
    with pytest.raises(MalformedError, match="checksum"):
        Ipv4Packet.decode(bytes(data))


def test_what_does_not_fit_cannot_be_encoded() -> None:
    with pytest.raises(ValueError, match="IPv4"):
        Ipv4Packet(A4, B4, 17, bytes(65_530)).encode()
    with pytest.raises(ValueError, match="IPv6"):
        Ipv6Packet(A6, B6, 17, bytes(65_536)).encode()
    with pytest.raises(ValueError, match="UDP"):
        UdpDatagram(1, 2, bytes(65_530)).encode(A4, B4)
