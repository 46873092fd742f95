"""Where answers go, as whole frames, and what else a port may send to the server."""

from ipaddress import IPv6Address, IPv6Network

import pytest
from hypothesis import given, strategies as st

from overlace.kit.addresses import Mac, link_local_address, parse_mac
from overlace.protocols.dhcpv6 import Outcome
from overlace.protocols.dhcpv6_frames import respond
from overlace.protocols.dhcpv6_lease import Lease, Server
from overlace.wire.dhcpv6.message import ALL_SERVERS, Dhcpv6Message, MessageType
from overlace.wire.errors import MalformedError
from overlace.wire.ethernet import EthernetFrame
from overlace.wire.frames import udp_frame
from overlace.wire.ipv6 import Ipv6Packet, multicast_mac
from overlace.wire.udp import UdpDatagram, has_right_checksum
from overlace.wire.vlan import VlanTag

CLIENT, SERVER = parse_mac("02:00:00:00:00:07"), Server(parse_mac("02:00:00:00:00:02"))
LEASE = Lease((IPv6Address("fd00::7"),), (IPv6Network("fd00::/64"),))
SOLICIT = Dhcpv6Message(MessageType.SOLICIT, 5, ((1, b"client"), (3, b"iaid" + bytes(8)))).encode()
GROUP = Mac(multicast_mac(ALL_SERVERS))


def frame(payload: bytes = SOLICIT, destination: IPv6Address = ALL_SERVERS, port: int = 547) -> bytes:
    return udp_frame(CLIENT, GROUP, link_local_address(CLIENT), destination, UdpDatagram(546, port, payload))


def test_an_answer_goes_to_the_link_local_address_that_asked() -> None:
    response = respond(frame(), LEASE, SERVER)
    assert response.outcome is Outcome.ADVERTISED
    assert response.frame is not None
    ethernet = EthernetFrame.decode(response.frame)
    packet = Ipv6Packet.decode(ethernet.payload)
    datagram = UdpDatagram.decode(packet.payload)
    assert (ethernet.source, ethernet.destination) == (SERVER.mac, CLIENT)
    assert (packet.source, packet.destination) == (SERVER.address, link_local_address(CLIENT))
    assert (datagram.source_port, datagram.destination_port) == (547, 546)
    assert has_right_checksum(packet.payload, packet.source, packet.destination)
    assert Dhcpv6Message.decode(datagram.payload).type == MessageType.ADVERTISE


def test_what_is_ignored_has_no_frame_but_a_reason() -> None:
    nameless = Dhcpv6Message(MessageType.SOLICIT, 5).encode()
    response = respond(frame(nameless), LEASE, SERVER)
    assert (response.frame, response.reason) == (None, "a client without an identifier")


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (frame(destination=IPv6Address("ff02::1")), "not a UDP packet to all DHCPv6 servers"),
        (frame(port=546), "UDP port 546"),
        (frame(b"\1"), "message of 1 octets"),
        (
            EthernetFrame(GROUP, CLIENT, 0x86DD, b"", (VlanTag(5),)).encode(),
            "not an untagged IPv6 frame",
        ),
        (EthernetFrame(GROUP, CLIENT, 0x0800, bytes(40)).encode(), "not an untagged IPv6 frame"),
    ],
)
def test_another_frame_is_refused_with_the_reason(wrong: bytes, reason: str) -> None:
    with pytest.raises(MalformedError, match=reason):
        respond(wrong, LEASE, SERVER)


@given(st.binary(max_size=200), st.integers(14, 100))
def test_no_bytes_raise_anything_else(noise: bytes, cut: int) -> None:
    for data in (noise, frame(noise), frame()[:cut], frame()[:cut] + noise):
        try:
            respond(data, LEASE, SERVER)
        except MalformedError:
            continue
