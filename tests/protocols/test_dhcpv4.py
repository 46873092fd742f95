"""Dialogues of one client with the server, state by state (RFC 2131 4.3 and 4.4)."""

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network
from typing import Any

import msgspec
import pytest

from overlace.kit.addresses import mac_bytes, parse_mac
from overlace.protocols import dhcpv4
from overlace.protocols.dhcpv4 import (
    Acknowledged,
    Answer,
    Declined,
    Ignored,
    Informed,
    Offered,
    Refused,
    Released,
)
from overlace.protocols.dhcpv4_lease import LeaseOffer, ServerIdentity
from overlace.wire.dhcpv4.message import DhcpMessage
from overlace.wire.dhcpv4.named_options import parse_extra_options
from overlace.wire.dhcpv4.options import MessageType, OptionCode, decode_classless_routes
from overlace.wire.errors import MalformedError

OURS, OTHER = IPv4Address("10.0.0.7"), IPv4Address("10.0.0.8")
RELAY = IPv4Address("10.0.0.254")
LEASE = LeaseOffer(
    mac=parse_mac("02:00:00:00:00:07"),
    address=OURS,
    prefix_length=24,
    router=IPv4Address("10.0.0.1"),
    dns_servers=(IPv4Address("10.0.0.2"), IPv4Address("9.9.9.9")),
    domain_name="tenant.example",
    mtu=1450,
    lease_seconds=86_400,
    hostname="vm-7",
)
SERVER = ServerIdentity(IPv4Address("10.0.0.2"), parse_mac("02:00:00:00:00:02"))


def request(kind: MessageType, *options: tuple[int, bytes], **fields: Any) -> DhcpMessage:
    return DhcpMessage(1, 99, mac_bytes(LEASE.mac), ((53, bytes((kind,))), *options), **fields)


def asked(message: DhcpMessage, lease: LeaseOffer = LEASE, server: ServerIdentity = SERVER) -> Answer:
    return dhcpv4.answer(message, lease, server)


def reply_to(message: DhcpMessage, lease: LeaseOffer = LEASE, server: ServerIdentity = SERVER) -> DhcpMessage:
    reply = asked(message, lease, server).reply
    assert reply is not None
    return DhcpMessage.decode(reply.encode())


def kind_of(reply: DhcpMessage) -> MessageType:
    value = reply.option(OptionCode.MESSAGE_TYPE)
    assert value is not None
    return MessageType(value[0])


def address_option(address: IPv4Address) -> tuple[int, bytes]:
    return (50, address.packed)


FOR_US = (54, SERVER.address.packed)


def test_discover_is_answered_with_an_offer() -> None:
    decided = asked(request(MessageType.DISCOVER, address_option(OTHER)))

    assert decided.outcome == Offered(OURS)
    reply = decided.reply
    assert reply is not None
    assert (reply.op, reply.xid, reply.yiaddr, reply.ciaddr) == (2, 99, OURS, IPv4Address(0))
    assert kind_of(reply) is MessageType.OFFER
    assert reply.option(54) == SERVER.address.packed
    assert reply.option(51) == (86_400).to_bytes(4, "big")
    assert reply.option(58) == (43_200).to_bytes(4, "big")
    assert reply.option(59) == (75_600).to_bytes(4, "big")


def test_a_client_that_asks_for_nothing_is_told_all_but_routes() -> None:
    reply = reply_to(
        request(MessageType.DISCOVER), replace(LEASE, routes=((IPv4Network("8.0.0.0/8"), OTHER),))
    )
    assert [code for code, _ in reply.options] == [53, 54, 51, 58, 59, 1, 3, 6, 12, 15, 26]
    assert reply.option(1) == bytes((255, 255, 255, 0))
    assert reply.option(6) == bytes((10, 0, 0, 2, 9, 9, 9, 9))
    assert reply.option(26) == b"\x05\xaa"


def test_the_clients_order_is_kept_and_what_it_needs_is_added() -> None:
    reply = reply_to(request(MessageType.DISCOVER, (55, bytes((15, 3, 42, 1, 15)))))
    assert [code for code, _ in reply.options][5:] == [15, 3, 1, 6, 26]


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ("SELECTING", request(MessageType.REQUEST, address_option(OURS), FOR_US)),
        ("INIT-REBOOT", request(MessageType.REQUEST, address_option(OURS))),
        ("RENEWING or REBINDING", request(MessageType.REQUEST, ciaddr=OURS)),
    ],
)
def test_the_right_address_is_acknowledged(state: str, message: DhcpMessage) -> None:
    decided = asked(message)
    assert decided.outcome == Acknowledged(OURS), state
    reply = decided.reply
    assert reply is not None
    assert (kind_of(reply), reply.yiaddr, reply.ciaddr) == (MessageType.ACK, OURS, message.ciaddr)
    assert reply.option(51) is not None


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ("SELECTING", request(MessageType.REQUEST, address_option(OTHER), FOR_US)),
        ("INIT-REBOOT", request(MessageType.REQUEST, address_option(IPv4Address("192.0.2.1")))),
        ("RENEWING or REBINDING", request(MessageType.REQUEST, ciaddr=OTHER)),
    ],
)
def test_a_wrong_address_is_refused(state: str, message: DhcpMessage) -> None:
    decided = asked(message)
    assert isinstance(decided.outcome, Refused), state
    reply = decided.reply
    assert reply is not None
    assert kind_of(reply) is MessageType.NAK
    assert (reply.yiaddr, reply.ciaddr, reply.siaddr) == (IPv4Address(0),) * 3
    assert [code for code, _ in reply.options] == [53, 54, 56]


def test_a_client_that_chose_another_server_is_left_alone() -> None:
    decided = asked(request(MessageType.REQUEST, address_option(OURS), (54, OTHER.packed)))
    assert decided == Answer(None, Ignored("meant for the server 10.0.0.8"))


def test_a_request_without_any_address_is_left_alone() -> None:
    assert isinstance(asked(request(MessageType.REQUEST)).outcome, Ignored)


def test_inform_gives_parameters_but_no_lease() -> None:
    decided = asked(request(MessageType.INFORM, (55, bytes((6, 51, 58))), ciaddr=OURS))
    assert decided.outcome == Informed(OURS)
    reply = decided.reply
    assert reply is not None
    assert (kind_of(reply), reply.yiaddr, reply.ciaddr) == (MessageType.ACK, IPv4Address(0), OURS)
    assert reply.option(6) is not None
    assert [reply.option(code) for code in (51, 58, 59)] == [None, None, None]


def test_decline_is_reported() -> None:
    assert asked(request(MessageType.DECLINE, address_option(OURS), FOR_US)) == Answer(None, Declined(OURS))
    assert isinstance(asked(request(MessageType.DECLINE, address_option(OTHER), FOR_US)).outcome, Ignored)
    assert isinstance(asked(request(MessageType.DECLINE, FOR_US)).outcome, Ignored)


def test_release_is_reported() -> None:
    assert asked(request(MessageType.RELEASE, FOR_US, ciaddr=OURS)) == Answer(None, Released(OURS))
    assert isinstance(asked(request(MessageType.RELEASE, FOR_US, ciaddr=OTHER)).outcome, Ignored)
    assert isinstance(asked(request(MessageType.RELEASE, (54, OTHER.packed), ciaddr=OURS)).outcome, Ignored)


@pytest.mark.parametrize("kind", [MessageType.OFFER, MessageType.ACK, MessageType.NAK])
def test_what_only_servers_say_is_ignored(kind: MessageType) -> None:
    assert isinstance(asked(request(kind)).outcome, Ignored)


def test_replies_and_strangers_are_ignored() -> None:
    discover = request(MessageType.DISCOVER)
    for changed in ({"op": 2}, {"hardware_type": 6}, {"chaddr": bytes(6)}, {"chaddr": b""}):
        message = msgspec.structs.replace(discover, **changed)
        assert isinstance(asked(message).outcome, Ignored), changed


def test_a_client_identifier_is_echoed() -> None:
    for message in (
        request(MessageType.DISCOVER, (61, b"\xffid")),
        request(MessageType.REQUEST, (61, b"\xffid"), ciaddr=OTHER),
    ):
        assert reply_to(message).option(61) == b"\xffid"


def test_relays_are_served_only_when_the_server_is_told_to() -> None:
    message = request(MessageType.DISCOVER, (82, b"\1\1x"), giaddr=RELAY)
    assert asked(message) == Answer(None, Ignored("came through the relay 10.0.0.254"))

    reply = reply_to(message, server=replace(SERVER, serves_relays=True))
    assert reply.giaddr == RELAY
    assert reply.options[-1] == (82, b"\1\1x")


def test_a_relay_of_another_subnet_is_not_served() -> None:
    message = request(MessageType.DISCOVER, giaddr=IPv4Address("10.1.0.254"))
    assert isinstance(asked(message, server=replace(SERVER, serves_relays=True)).outcome, Ignored)


def test_a_relay_must_broadcast_a_refusal() -> None:
    message = request(MessageType.REQUEST, address_option(OTHER), giaddr=RELAY)
    assert reply_to(message, server=replace(SERVER, serves_relays=True)).broadcast


ROUTED = replace(LEASE, routes=((IPv4Network("169.254.169.254/32"), OTHER),))


def test_routes_come_with_the_default_route_and_without_option_3() -> None:
    reply = reply_to(request(MessageType.DISCOVER, (55, bytes((3, 33, 121)))), ROUTED)
    routes = reply.option(121)
    assert routes is not None
    assert decode_classless_routes(routes) == (
        (IPv4Network("169.254.169.254/32"), OTHER),
        (IPv4Network("0.0.0.0/0"), LEASE.router),
    )
    assert reply.option(3) is None


def test_a_client_that_does_not_ask_for_routes_gets_its_router() -> None:
    reply = reply_to(request(MessageType.DISCOVER, (55, bytes((1, 6)))), ROUTED)
    assert reply.option(121) is None
    assert reply.option(3) == bytes((10, 0, 0, 1))


def test_without_routes_there_is_only_the_router() -> None:
    reply = reply_to(request(MessageType.DISCOVER, (55, bytes((121, 3)))))
    assert reply.option(121) is None
    assert reply.option(3) is not None


def test_an_explicit_default_route_is_not_doubled() -> None:
    lease = replace(LEASE, routes=((IPv4Network("0.0.0.0/0"), OTHER),))
    routes = reply_to(request(MessageType.DISCOVER, (55, bytes((121,)))), lease).option(121)
    assert routes == bytes((0, 10, 0, 0, 8))


def test_the_microsoft_code_for_routes_is_served_beside_the_router() -> None:
    reply = reply_to(request(MessageType.DISCOVER, (55, bytes((249, 3)))), ROUTED)
    assert reply.option(249) is not None
    assert reply.option(3) is not None


def with_extra(*pairs: tuple[str, str]) -> LeaseOffer:
    return replace(LEASE, extra=parse_extra_options(pairs))


def test_extra_options_override_add_and_remove() -> None:
    lease = with_extra(("mtu", "1300"), ("ntp-server", "10.0.0.9"), ("dns-server", ""), ("lease-time", "600"))
    reply = reply_to(request(MessageType.DISCOVER, (55, bytes((6, 26)))), lease)
    assert reply.option(26) == (1300).to_bytes(2, "big")
    assert reply.option(42) == bytes((10, 0, 0, 9)), "sent although not asked for"
    assert reply.option(6) is None
    assert [reply.option(code) for code in (51, 58, 59)] == [n.to_bytes(4, "big") for n in (600, 300, 525)]
    assert sum(code == 51 for code, _ in reply.options) == 1


def test_network_boot_is_told_in_fields_and_options() -> None:
    lease = with_extra(("bootfile-name", "grub.efi"), ("tftp-server", "10.0.0.9"))
    reply = reply_to(request(MessageType.DISCOVER, (55, bytes((66, 67)))), lease)
    assert (reply.file, reply.sname, reply.siaddr) == (b"grub.efi", b"10.0.0.9", IPv4Address("10.0.0.9"))
    assert (reply.option(67), reply.option(66)) == (b"grub.efi", b"10.0.0.9")


@pytest.mark.parametrize(
    ("pairs", "siaddr"),
    [
        ([("server-ip-address", "10.0.0.5"), ("tftp-server", "10.0.0.9")], "10.0.0.5"),
        ([("150", "10.0.0.6,10.0.0.7")], "10.0.0.6"),
        ([("tftp-server", "boot.example")], "0.0.0.0"),
        ([], "0.0.0.0"),
    ],
)
def test_the_next_server(pairs: list[tuple[str, str]], siaddr: str) -> None:
    assert reply_to(request(MessageType.DISCOVER), with_extra(*pairs)).siaddr == IPv4Address(siaddr)


def test_an_endless_lease_has_endless_times() -> None:
    reply = reply_to(request(MessageType.DISCOVER), replace(LEASE, lease_seconds=0xFFFFFFFF))
    assert {reply.option(code) for code in (51, 58, 59)} == {b"\xff" * 4}


def test_a_reply_fits_what_the_client_can_take() -> None:
    lease = with_extra(("225", "x" * 200), ("226", "y" * 200), ("227", "z" * 200))
    small = reply_to(request(MessageType.DISCOVER, (61, b"id")), lease)
    assert len(small.encode()) <= 548
    assert small.option(225) is not None
    assert small.option(227) is None
    assert small.option(61) == b"id", "what must be echoed is never left out"

    large = reply_to(request(MessageType.DISCOVER, (57, (1400).to_bytes(2, "big"))), lease)
    assert large.option(227) is not None


@pytest.mark.parametrize(
    "message",
    [
        DhcpMessage(1, 1, mac_bytes(LEASE.mac), ()),
        DhcpMessage(1, 1, mac_bytes(LEASE.mac), ((53, b""),)),
        request(MessageType.REQUEST, (50, b"\1")),
        request(MessageType.REQUEST, (54, b"\1\2\3\4\5")),
        request(MessageType.DISCOVER, (57, b"\1")),
    ],
)
def test_options_of_wrong_length_are_malformed(message: DhcpMessage) -> None:
    with pytest.raises(MalformedError):
        asked(message)
