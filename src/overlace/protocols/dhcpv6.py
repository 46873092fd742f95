"""The decisions of a DHCPv6 server whose every client has addresses of its own (RFC 8415 section 18.3).

The port that a message came from determines the lease, so nothing is allocated here and nothing remembered: an
answer is a function of request, lease and server. A client has one identity association at a port; it gets all
addresses of the port in the first that it names, and no other has any. There is no other server, so clients are
told to look no further (preference 255), and what is asked of another server is not answered (section 16).
"""

from dataclasses import dataclass
from enum import StrEnum

from overlace.protocols.dhcpv6_lease import Lease, Server
from overlace.wire.dhcpv6.message import Dhcpv6Message, MessageType, Option
from overlace.wire.dhcpv6.options import (
    IdentityAssociation,
    LeasedAddress,
    OptionCode,
    StatusCode,
    decode_requested,
    encode_addresses,
    iaid_of,
    status,
)

_NO_OTHER = (int(OptionCode.PREFERENCE), b"\xff")
_TO_ANY_SERVER = (MessageType.SOLICIT, MessageType.CONFIRM, MessageType.REBIND)
_TO_ONE_SERVER = (MessageType.REQUEST, MessageType.RENEW, MessageType.DECLINE, MessageType.RELEASE)
_ASSOCIATIONS = (OptionCode.IA_NA, OptionCode.IA_TA, OptionCode.IA_PD)


class Outcome(StrEnum):
    """What was decided about a message."""

    ADVERTISED = "advertised"
    LEASED = "leased"
    CONFIRMED = "confirmed"
    NOT_ON_LINK = "not on link"
    INFORMED = "informed"
    RELEASED = "released"
    DECLINED = "declined"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True)
class Answer:
    """The message to send back, if any; what was decided, and why where nothing is sent."""

    reply: Dhcpv6Message | None
    outcome: Outcome
    reason: str = ""


def answer(request: Dhcpv6Message, lease: Lease, server: Server) -> Answer:
    """Decide about one message from the port that `lease` belongs to.

    Raises MalformedError when an option that matters has a wrong form.
    """
    reason = _reason_to_ignore(request, server)
    if reason is not None:
        return _ignore(reason)
    match request.type:
        case MessageType.SOLICIT:
            return _answer_solicit(request, lease, server)
        case MessageType.REQUEST | MessageType.RENEW | MessageType.REBIND:
            return Answer(_leasing(MessageType.REPLY, request, lease, server), Outcome.LEASED)
        case MessageType.CONFIRM:
            return _confirm(request, lease, server)
        case MessageType.INFORMATION_REQUEST:
            options = _parameters(request, lease)
            return Answer(_reply(MessageType.REPLY, request, server, *options), Outcome.INFORMED)
        case MessageType.RELEASE:
            return Answer(_acknowledge(request, lease, server), Outcome.RELEASED)
        case _:
            return Answer(_acknowledge(request, lease, server), Outcome.DECLINED)


def _reason_to_ignore(request: Dhcpv6Message, server: Server) -> str | None:
    """Sections 16.2 to 16.12, for servers."""
    named = request.option(OptionCode.SERVER_ID)
    anonymous = request.option(OptionCode.CLIENT_ID) is None
    asks_only = request.type == MessageType.INFORMATION_REQUEST
    if request.type not in (*_TO_ANY_SERVER, *_TO_ONE_SERVER, MessageType.INFORMATION_REQUEST):
        return f"message type {request.type} is not for servers"
    if anonymous and not asks_only:
        return "a client without an identifier"
    if request.type in _TO_ANY_SERVER and named is not None:
        return "names a server where it may not"
    if request.type in _TO_ONE_SERVER and named is None:
        return "names no server"
    if named is not None and named != server.identifier:
        return f"meant for the server {named.hex(':')}"
    if asks_only and any(request.option(code) is not None for code in _ASSOCIATIONS):
        return "asks for parameters only, and for addresses"
    return None


def _answer_solicit(request: Dhcpv6Message, lease: Lease, server: Server) -> Answer:
    """Section 18.3.1: a client that offers to commit at once is taken at its word."""
    rapid = request.option(OptionCode.RAPID_COMMIT)
    if rapid is None:
        offer = _leasing(MessageType.ADVERTISE, request, lease, server, _NO_OTHER)
        return Answer(offer, Outcome.ADVERTISED)
    committed = (int(OptionCode.RAPID_COMMIT), b"")
    return Answer(_leasing(MessageType.REPLY, request, lease, server, committed), Outcome.LEASED)


def _confirm(request: Dhcpv6Message, lease: Lease, server: Server) -> Answer:
    """Section 18.3.3: is the client still on the link that its addresses are of?"""
    asked = [address for each in _associations(request) for address in each.addresses]
    if not asked:
        return _ignore("asks for the confirmation of no address")
    if all(lease.is_on_link(each.address) for each in asked):
        verdict = status(StatusCode.SUCCESS, "all addresses are of this link")
        return Answer(_reply(MessageType.REPLY, request, server, verdict), Outcome.CONFIRMED)
    verdict = status(StatusCode.NOT_ON_LINK, "not all addresses are of this link")
    return Answer(_reply(MessageType.REPLY, request, server, verdict), Outcome.NOT_ON_LINK)


def _acknowledge(request: Dhcpv6Message, lease: Lease, server: Server) -> Dhcpv6Message:
    """Sections 18.3.6 and 18.3.7. The addresses stay the port's; of what never was, the client is told so."""
    unknown = tuple(
        _association(each.iaid, status(StatusCode.NO_BINDING, "nothing is leased here"))
        for each in _associations(request)
        if not any(leased.address in lease.addresses for leased in each.addresses)
    )
    return _reply(MessageType.REPLY, request, server, status(StatusCode.SUCCESS, "noted"), *unknown)


def _leasing(
    kind: MessageType, request: Dhcpv6Message, lease: Lease, server: Server, *first: Option
) -> Dhcpv6Message:
    """Addresses for the first identity association, reasons for all others, and parameters."""
    granted = tuple(
        _grant(number, asked, request.type, lease) for number, asked in enumerate(_associations(request))
    )
    refused = (
        *_refused(request, OptionCode.IA_TA, StatusCode.NO_ADDRESSES_AVAILABLE, "no temporary addresses"),
        *_refused(request, OptionCode.IA_PD, StatusCode.NO_PREFIX_AVAILABLE, "no prefixes are delegated"),
    )
    return _reply(kind, request, server, *first, *granted, *refused, *_parameters(request, lease))


def _grant(number: int, asked: IdentityAssociation, kind: int, lease: Lease) -> Option:
    if number or not lease.addresses:
        text = "addresses are given to the first association" if number else "hosts make their own addresses"
        return _association(asked.iaid, status(StatusCode.NO_ADDRESSES_AVAILABLE, text))
    strange = [each.address for each in asked.addresses if each.address not in lease.addresses]
    if kind == MessageType.REQUEST and not all(map(lease.is_on_link, strange)):
        return _association(asked.iaid, status(StatusCode.NOT_ON_LINK, "an address of another link"))
    given = tuple(LeasedAddress(each, lease.seconds, lease.seconds) for each in lease.addresses)
    if kind in (MessageType.RENEW, MessageType.REBIND):
        given += tuple(
            LeasedAddress(each) for each in strange
        )  # section 18.3.4: lifetime zero, not to be used
    granted = IdentityAssociation(asked.iaid, given, lease.seconds // 2, lease.seconds * 4 // 5)
    return int(OptionCode.IA_NA), granted.encode()


def _refused(request: Dhcpv6Message, kind: OptionCode, code: StatusCode, text: str) -> tuple[Option, ...]:
    """Options of a kind of association that is never granted, each with the reason inside."""
    fixed = 4 if kind is OptionCode.IA_TA else 12  # a prefix has times, temporary addresses have none
    inside = status(code, text)
    return tuple(
        (int(kind), iaid_of(each) + bytes(fixed - 4) + _encoded(inside)) for each in request.all_of(kind)
    )


def _encoded(option: Option) -> bytes:
    code, value = option
    return code.to_bytes(2, "big") + len(value).to_bytes(2, "big") + value


def _associations(request: Dhcpv6Message) -> list[IdentityAssociation]:
    return [IdentityAssociation.decode(each) for each in request.all_of(OptionCode.IA_NA)]


def _association(iaid: bytes, reason: Option) -> Option:
    return int(OptionCode.IA_NA), IdentityAssociation(iaid, status=reason).encode()


def _parameters(request: Dhcpv6Message, lease: Lease) -> tuple[Option, ...]:
    """What the client asks for by code, in its order (section 18.3.1); what was configured empty is left out."""
    known = {int(OptionCode.DNS_SERVERS): encode_addresses(lease.dns_servers), **dict(lease.extra)}
    wanted = request.option(OptionCode.OPTION_REQUEST)
    codes = () if wanted is None else dict.fromkeys(decode_requested(wanted))
    return tuple((code, known[code]) for code in codes if known.get(code))


def _reply(kind: MessageType, request: Dhcpv6Message, server: Server, *options: Option) -> Dhcpv6Message:
    who: tuple[Option, ...] = ((int(OptionCode.SERVER_ID), server.identifier),)
    client = request.option(OptionCode.CLIENT_ID)
    if client is not None:
        who = ((int(OptionCode.CLIENT_ID), client), *who)
    return Dhcpv6Message(kind, request.transaction, (*who, *options))


def _ignore(reason: str) -> Answer:
    return Answer(None, Outcome.IGNORED, reason)
