"""Dialogues of one client with the server, message by message (RFC 8415 sections 16 and 18)."""

from dataclasses import replace
from ipaddress import IPv6Address, IPv6Network

import pytest

from overlace.kit.addresses import parse_mac
from overlace.protocols import dhcpv6
from overlace.protocols.dhcpv6 import Answer, Outcome
from overlace.protocols.dhcpv6_lease import Lease, Server
from overlace.wire.dhcpv6.message import Dhcpv6Message, MessageType, Option
from overlace.wire.dhcpv6.options import (
    IdentityAssociation,
    LeasedAddress,
    OptionCode,
    StatusCode,
    encode_requested,
    link_layer_duid,
    status_in,
)
from overlace.wire.errors import MalformedError

OURS, SECOND, NEAR, FAR = (IPv6Address(each) for each in ("fd00::7", "fd00::8", "fd00::99", "fd99::7"))
RESOLVER = IPv6Address("fd00::53")
LEASE = Lease((OURS, SECOND), (IPv6Network("fd00::/64"),), (RESOLVER,), seconds=1000)
STATELESS = replace(LEASE, addresses=())
SERVER = Server(parse_mac("02:00:00:00:00:02"))
CLIENT = (int(OptionCode.CLIENT_ID), b"\0\3\0\1\2\0\0\0\0\7")
SERVED = (int(OptionCode.SERVER_ID), SERVER.identifier)
RAPID = (int(OptionCode.RAPID_COMMIT), b"")
DNS = (int(OptionCode.OPTION_REQUEST), encode_requested([OptionCode.DNS_SERVERS, 99]))


def wants(*addresses: IPv6Address, iaid: bytes = b"\0\0\0\1") -> Option:
    leased = tuple(LeasedAddress(each, 10, 10) for each in addresses)
    return int(OptionCode.IA_NA), IdentityAssociation(iaid, leased).encode()


def asked(kind: MessageType, *options: Option, lease: Lease = LEASE) -> Answer:
    return dhcpv6.answer(Dhcpv6Message(kind, 99, options), lease, SERVER)


def reply_to(kind: MessageType, *options: Option, lease: Lease = LEASE) -> Dhcpv6Message:
    reply = asked(kind, *options, lease=lease).reply
    assert reply is not None
    assert reply.transaction == 99
    assert reply.option(OptionCode.SERVER_ID) == SERVER.identifier
    return Dhcpv6Message.decode(reply.encode())


def associations(reply: Dhcpv6Message) -> list[IdentityAssociation]:
    return [IdentityAssociation.decode(each) for each in reply.all_of(OptionCode.IA_NA)]


def addresses(reply: Dhcpv6Message) -> list[tuple[str, int]]:
    return [(str(a.address), a.valid_seconds) for each in associations(reply) for a in each.addresses]


def test_the_server_names_itself_by_its_mac_address() -> None:
    assert SERVER.identifier == link_layer_duid(SERVER.mac) == bytes.fromhex("00030001020000000002")
    assert str(SERVER.address) == "fe80::ff:fe00:2"


def test_a_client_that_looks_around_is_offered_all_addresses_of_its_port_and_told_to_look_no_further() -> (
    None
):
    offer = reply_to(MessageType.SOLICIT, CLIENT, wants(), DNS)
    assert offer.type == MessageType.ADVERTISE
    assert addresses(offer) == [("fd00::7", 1000), ("fd00::8", 1000)]
    (association,) = associations(offer)
    assert (association.renewal_seconds, association.rebinding_seconds) == (500, 800)
    assert offer.option(OptionCode.PREFERENCE) == b"\xff"
    assert offer.option(OptionCode.CLIENT_ID) == CLIENT[1]
    assert offer.option(OptionCode.DNS_SERVERS) == RESOLVER.packed
    assert offer.option(99) is None


def test_a_client_in_a_hurry_has_its_lease_at_once() -> None:
    reply = reply_to(MessageType.SOLICIT, CLIENT, RAPID, wants())
    assert reply.type == MessageType.REPLY
    assert reply.option(OptionCode.RAPID_COMMIT) == b""
    assert addresses(reply) == [("fd00::7", 1000), ("fd00::8", 1000)]


@pytest.mark.parametrize("kind", [MessageType.REQUEST, MessageType.RENEW])
def test_a_client_that_asks_this_server_has_its_lease(kind: MessageType) -> None:
    assert asked(kind, CLIENT, SERVED, wants(OURS)).outcome is Outcome.LEASED
    assert addresses(reply_to(kind, CLIENT, SERVED, wants(OURS))) == [("fd00::7", 1000), ("fd00::8", 1000)]


def test_a_client_that_asks_any_server_has_its_lease() -> None:
    assert addresses(reply_to(MessageType.REBIND, CLIENT, wants(OURS, SECOND))) == [
        ("fd00::7", 1000),
        ("fd00::8", 1000),
    ]


def test_an_address_that_is_not_the_ports_is_taken_back_on_renewal() -> None:
    reply = reply_to(MessageType.RENEW, CLIENT, SERVED, wants(NEAR))
    assert addresses(reply) == [("fd00::7", 1000), ("fd00::8", 1000), ("fd00::99", 0)]


def test_an_address_of_another_link_is_refused_on_request() -> None:
    (refused,) = associations(reply_to(MessageType.REQUEST, CLIENT, SERVED, wants(FAR)))
    assert status_in(refused.status) is StatusCode.NOT_ON_LINK
    assert addresses(reply_to(MessageType.REQUEST, CLIENT, SERVED, wants(NEAR)))[0] == ("fd00::7", 1000)


def test_a_second_association_has_nothing_and_is_told_why() -> None:
    first, second = associations(
        reply_to(MessageType.SOLICIT, CLIENT, wants(iaid=b"aaaa"), wants(iaid=b"bbbb"))
    )
    assert (first.iaid, len(first.addresses)) == (b"aaaa", 2)
    assert (second.iaid, status_in(second.status)) == (b"bbbb", StatusCode.NO_ADDRESSES_AVAILABLE)


def test_where_hosts_make_their_own_addresses_none_is_leased() -> None:
    (none,) = associations(reply_to(MessageType.SOLICIT, CLIENT, wants(), lease=STATELESS))
    assert status_in(none.status) is StatusCode.NO_ADDRESSES_AVAILABLE


def test_temporary_addresses_and_prefixes_are_refused_with_their_own_reasons() -> None:
    temporary = (int(OptionCode.IA_TA), b"tttt")
    prefix = (int(OptionCode.IA_PD), b"pppp" + bytes(8))
    reply = reply_to(MessageType.SOLICIT, CLIENT, wants(), temporary, prefix)
    refused_ta, refused_pd = reply.option(OptionCode.IA_TA), reply.option(OptionCode.IA_PD)
    assert refused_ta is not None
    assert refused_ta[:4] + refused_ta[8:10] == b"tttt" + b"\0\2"
    assert refused_pd is not None
    assert refused_pd[:4] + refused_pd[16:18] == b"pppp" + b"\0\6"


@pytest.mark.parametrize(
    ("claimed", "verdict", "outcome"),
    [
        ((OURS, NEAR), StatusCode.SUCCESS, Outcome.CONFIRMED),
        ((OURS, FAR), StatusCode.NOT_ON_LINK, Outcome.NOT_ON_LINK),
    ],
)
def test_a_client_that_wakes_up_hears_whether_it_is_where_it_was(
    claimed: tuple[IPv6Address, ...], verdict: StatusCode, outcome: Outcome
) -> None:
    said = asked(MessageType.CONFIRM, CLIENT, wants(*claimed))
    assert said.outcome is outcome
    assert said.reply is not None
    code = said.reply.option(OptionCode.STATUS_CODE)
    assert code is not None
    assert status_in((13, code)) is verdict


def test_who_asks_for_parameters_gets_these_alone() -> None:
    reply = reply_to(MessageType.INFORMATION_REQUEST, DNS, lease=STATELESS)
    assert reply.option(OptionCode.DNS_SERVERS) == RESOLVER.packed
    assert (reply.option(OptionCode.CLIENT_ID), associations(reply)) == (None, [])


def test_extra_options_override_and_an_empty_one_removes() -> None:
    other = replace(LEASE, extra=((23, FAR.packed), (59, b"tftp://x")))
    both = (int(OptionCode.OPTION_REQUEST), encode_requested([59, 23]))
    reply = reply_to(MessageType.INFORMATION_REQUEST, both, lease=other)
    assert reply.options[-2:] == ((59, b"tftp://x"), (23, FAR.packed))
    none = replace(LEASE, extra=((23, b""),))
    assert reply_to(MessageType.INFORMATION_REQUEST, DNS, lease=none).option(23) is None


@pytest.mark.parametrize(
    ("kind", "outcome"),
    [(MessageType.RELEASE, Outcome.RELEASED), (MessageType.DECLINE, Outcome.DECLINED)],
)
def test_what_is_given_back_is_noted_and_what_never_was_is_said_to_be_unknown(
    kind: MessageType, outcome: Outcome
) -> None:
    assert asked(kind, CLIENT, SERVED, wants(OURS)).outcome is outcome
    known, unknown = wants(OURS, iaid=b"aaaa"), wants(FAR, iaid=b"bbbb")
    reply = reply_to(kind, CLIENT, SERVED, known, unknown)
    assert reply.option(OptionCode.STATUS_CODE) == b"\0\0noted"
    (told,) = associations(reply)
    assert (told.iaid, status_in(told.status)) == (b"bbbb", StatusCode.NO_BINDING)


@pytest.mark.parametrize(
    ("kind", "options", "reason"),
    [
        (MessageType.REPLY, (CLIENT,), "is not for servers"),
        (MessageType.SOLICIT, (wants(),), "without an identifier"),
        (MessageType.SOLICIT, (CLIENT, SERVED), "where it may not"),
        (MessageType.CONFIRM, (CLIENT, SERVED, wants(OURS)), "where it may not"),
        (MessageType.CONFIRM, (CLIENT, wants()), "confirmation of no address"),
        (MessageType.REQUEST, (CLIENT, wants()), "names no server"),
        (MessageType.REQUEST, (CLIENT, (2, b"other"), wants()), "meant for the server 6f:74:68:65:72"),
        (MessageType.INFORMATION_REQUEST, (wants(),), "parameters only, and for addresses"),
        (MessageType.INFORMATION_REQUEST, ((2, b"other"),), "meant for the server"),
    ],
)
def test_what_the_standard_says_to_discard_is_not_answered(
    kind: MessageType, options: tuple[Option, ...], reason: str
) -> None:
    said = asked(kind, *options)
    assert (said.reply, said.outcome) == (None, Outcome.IGNORED)
    assert reason in said.reason


def test_an_option_of_a_wrong_form_is_named() -> None:
    with pytest.raises(MalformedError, match="identity association"):
        asked(MessageType.SOLICIT, CLIENT, (int(OptionCode.IA_NA), b"short"))
    with pytest.raises(MalformedError, match="option request"):
        asked(MessageType.SOLICIT, CLIENT, wants(), (int(OptionCode.OPTION_REQUEST), b"odd"))
