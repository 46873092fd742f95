"""Where answers go, as whole frames, and what else a port may send to the server."""

from dataclasses import replace
from ipaddress import IPv4Address
from typing import Any

import pytest
from hypothesis import given, strategies as st

from overlace.kit.addresses import BROADCAST, Mac, mac_bytes, parse_mac
from overlace.protocols.dhcpv4 import Acknowledged, Ignored, Offered, Refused
from overlace.protocols.dhcpv4_frames import Response, respond
from overlace.protocols.dhcpv4_lease import LeaseOffer, ServerIdentity
from overlace.wire.dhcpv4.message import DhcpMessage
from overlace.wire.dhcpv4.options import MessageType
from overlace.wire.errors import MalformedError
from overlace.wire.ethernet import EthernetFrame
from overlace.wire.frames import udp_frame
from overlace.wire.ipv4 import Ipv4Packet
from overlace.wire.udp import UdpDatagram, has_right_checksum
from overlace.wire.vlan import VlanTag

CLIENT, SERVER_MAC, RELAY_MAC = (parse_mac(f"02:00:00:00:00:{last}") for last in ("07", "02", "fe"))
OURS, OTHER, RELAY = IPv4Address("10.0.0.7"), IPv4Address("10.0.0.8"), IPv4Address("10.0.0.254")
ANY, EVERYONE = IPv4Address(0), IPv4Address("255.255.255.255")
LEASE = LeaseOffer(CLIENT, OURS, 24, router=IPv4Address("10.0.0.1"), mtu=1450)
SERVER = ServerIdentity(IPv4Address("10.0.0.2"), SERVER_MAC, serves_relays=True)


def message(kind: MessageType, *options: tuple[int, bytes], **fields: Any) -> bytes:
    return DhcpMessage(1, 5, mac_bytes(CLIENT), ((53, bytes((kind,))), *options), **fields).encode()


def frame(
    payload: bytes, source: IPv4Address = ANY, destination: IPv4Address = EVERYONE, mac: Mac = CLIENT
) -> bytes:
    return udp_frame(mac, BROADCAST, source, destination, UdpDatagram(68, 67, payload))


def sent(response: Response) -> tuple[Mac, IPv4Address, int, DhcpMessage]:
    """Destination MAC, address and port, and the message, of a frame whose every checksum is right."""
    assert response.frame is not None
    ethernet = EthernetFrame.decode(response.frame)
    assert ethernet.source == SERVER_MAC
    packet = Ipv4Packet.decode(ethernet.payload)
    assert packet.source == SERVER.address
    assert has_right_checksum(packet.payload, packet.source, packet.destination)
    datagram = UdpDatagram.decode(packet.payload)
    assert datagram.source_port == 67
    return (
        ethernet.destination,
        packet.destination,
        datagram.destination_port,
        DhcpMessage.decode(datagram.payload),
    )


def test_an_offer_goes_to_the_address_it_offers() -> None:
    response = respond(frame(message(MessageType.DISCOVER)), LEASE, SERVER)
    assert response.outcome == Offered(OURS)
    assert sent(response)[:3] == (CLIENT, OURS, 68)


def test_a_client_that_cannot_take_unicast_is_answered_by_broadcast() -> None:
    response = respond(frame(message(MessageType.DISCOVER, flags=0x8000)), LEASE, SERVER)
    mac, address, _, reply = sent(response)
    assert (mac, address) == (BROADCAST, EVERYONE)
    assert reply.broadcast


@pytest.mark.parametrize("destination", [SERVER.address, EVERYONE])
def test_a_renewal_by_unicast_and_a_rebinding_by_broadcast_are_answered_by_unicast(
    destination: IPv4Address,
) -> None:
    payload = message(MessageType.REQUEST, ciaddr=OURS, flags=0x8000)
    response = respond(frame(payload, OURS, destination), LEASE, SERVER)
    assert response.outcome == Acknowledged(OURS)
    assert sent(response)[:3] == (CLIENT, OURS, 68)


def test_a_refusal_is_broadcast() -> None:
    response = respond(frame(message(MessageType.REQUEST, ciaddr=OTHER), OTHER), LEASE, SERVER)
    assert response.outcome == Refused(OTHER)
    assert sent(response)[:3] == (BROADCAST, EVERYONE, 68)


def test_an_inform_without_an_address_is_answered_by_broadcast() -> None:
    response = respond(frame(message(MessageType.INFORM)), LEASE, SERVER)
    assert sent(response)[:3] == (BROADCAST, EVERYONE, 68)


@pytest.mark.parametrize("kind", [MessageType.DISCOVER, MessageType.REQUEST])
def test_a_relay_is_answered_on_the_port_of_servers(kind: MessageType) -> None:
    payload = message(kind, (50, OURS.packed), giaddr=RELAY)
    response = respond(frame(payload, RELAY, SERVER.address, RELAY_MAC), LEASE, SERVER)
    assert sent(response)[:3] == (RELAY_MAC, RELAY, 67)


def test_a_release_gets_no_answer() -> None:
    assert respond(frame(message(MessageType.RELEASE, ciaddr=OURS), OURS), LEASE, SERVER).frame is None


def test_what_is_sent_to_another_server_is_ignored() -> None:
    response = respond(frame(message(MessageType.REQUEST, ciaddr=OURS), OURS, OTHER), LEASE, SERVER)
    assert response == Response(None, Ignored("sent to 10.0.0.8"))


def test_an_unfinished_udp_checksum_is_forgiven() -> None:
    data = bytearray(frame(message(MessageType.DISCOVER)))
    data[14 + 20 + 6] ^= 0xFF
    assert respond(bytes(data), LEASE, SERVER).outcome == Offered(OURS)


def broken_frames() -> list[bytes]:
    whole = frame(message(MessageType.DISCOVER))
    ethernet = EthernetFrame.decode(whole)
    packet = Ipv4Packet.decode(ethernet.payload)

    def carrying(payload: bytes, **changed: Any) -> bytes:
        fields: dict[str, Any] = {"protocol": 17, "payload": payload} | changed
        return EthernetFrame(BROADCAST, CLIENT, 0x0800, Ipv4Packet(ANY, EVERYONE, **fields).encode()).encode()

    return [
        b"",
        EthernetFrame(BROADCAST, CLIENT, 0x0806, ethernet.payload).encode(),
        EthernetFrame(BROADCAST, CLIENT, 0x0800, ethernet.payload, (VlanTag(5),)).encode(),
        carrying(packet.payload, protocol=6),
        carrying(packet.payload, more_fragments=True),
        carrying(packet.payload, fragment_offset=1),
        carrying(UdpDatagram(68, 68, b"").encode(ANY, EVERYONE)),
        carrying(UdpDatagram(68, 67, b"no").encode(ANY, EVERYONE)),
        *(whole[:length] for length in range(0, len(whole), 7)),
    ]


@pytest.mark.parametrize("data", broken_frames())
def test_frames_that_are_no_requests_are_malformed(data: bytes) -> None:
    with pytest.raises(MalformedError):
        respond(data, LEASE, SERVER)


option_lists = st.lists(
    st.tuples(st.sampled_from([1, 50, 51, 53, 54, 55, 57, 61, 82, 119]), st.binary(max_size=300)), max_size=6
)


@given(
    option_lists, st.integers(0, 9), st.ip_addresses(v=4) | st.sampled_from([ANY, OURS, RELAY]), st.booleans()
)
def test_arbitrary_requests_raise_nothing_but_the_typed_error(
    extra: list[tuple[int, bytes]], kind: int, address: IPv4Address, relayed: bool
) -> None:
    ciaddr, giaddr = (ANY, address) if relayed else (address, ANY)
    options = ((53, bytes((kind,))), *extra)
    payload = DhcpMessage(1, 5, mac_bytes(CLIENT), options, ciaddr=ciaddr, giaddr=giaddr).encode()
    try:
        response = respond(frame(payload), replace(LEASE, hostname="h"), SERVER)
    except MalformedError:
        return
    if response.frame is not None:
        sent(response)


@given(st.binary(max_size=400))
def test_arbitrary_payloads_raise_nothing_but_the_typed_error(payload: bytes) -> None:
    for data in (payload, frame(payload)):
        try:
            respond(data, LEASE, SERVER)
        except MalformedError:
            pass
