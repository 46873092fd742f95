"""The decisions of a DHCPv4 server whose every client has one address of its own (RFC 2131).

The port that a request came from determines the lease, so nothing is allocated here and nothing remembered:
an answer is a function of request, lease and server. That a request names another address than the lease is
refused with DHCPNAK in every state, since no other server is there to know better. A request that is meant
for another server, or is not this port's, gets no answer (RFC 2131 4.3.2).
"""

from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address

from overlace.kit.addresses import mac_bytes
from overlace.protocols.dhcpv4_lease import LeaseOffer, ServerIdentity
from overlace.protocols.dhcpv4_parameters import lease_times, network_parameters
from overlace.wire.dhcpv4.message import (
    BOOTREPLY,
    BOOTREQUEST,
    BROADCAST_FLAG,
    HARDWARE_ETHERNET,
    DhcpMessage,
    Option,
    encoded_length,
)
from overlace.wire.dhcpv4.options import MessageType, OptionCode, decode_address, decode_integer
from overlace.wire.errors import MalformedError

_ANY = IPv4Address(0)
_HEADERS = 20 + 8
_MIN_MAX_DATAGRAM = 576
_ETHERNET_MTU = 1500


@dataclass(frozen=True, slots=True)
class Offered:
    """DISCOVER was answered with OFFER."""

    address: IPv4Address


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """REQUEST was answered with ACK: the client may use the address."""

    address: IPv4Address


@dataclass(frozen=True, slots=True)
class Refused:
    """REQUEST for another address was answered with NAK: the client starts again."""

    requested: IPv4Address


@dataclass(frozen=True, slots=True)
class Informed:
    """INFORM was answered with ACK without an address."""

    address: IPv4Address


@dataclass(frozen=True, slots=True)
class Declined:
    """The client found that somebody else uses the address: an operator should know."""

    address: IPv4Address


@dataclass(frozen=True, slots=True)
class Released:
    """The client gave the address back; it stays this port's all the same."""

    address: IPv4Address


@dataclass(frozen=True, slots=True)
class Ignored:
    """Nothing was answered, for this reason."""

    reason: str


Outcome = Offered | Acknowledged | Refused | Informed | Declined | Released | Ignored


@dataclass(frozen=True, slots=True)
class Answer:
    """The message to send back, if any, and what was decided."""

    reply: DhcpMessage | None
    outcome: Outcome


def answer(request: DhcpMessage, lease: LeaseOffer, server: ServerIdentity) -> Answer:
    """Decide about one request from the port that `lease` belongs to.

    Raises MalformedError when an option that matters has a wrong length.
    """
    reason = _reason_to_ignore(request, lease, server)
    if reason is not None:
        return _ignore(reason)
    match _message_type(request):
        case MessageType.DISCOVER:
            return _offer(request, lease, server)
        case MessageType.REQUEST:
            return _answer_request(request, lease, server)
        case MessageType.INFORM:
            return _inform(request, lease, server)
        case MessageType.DECLINE:
            return _take_back(_requested_address(request), Declined(lease.address))
        case MessageType.RELEASE:
            return _take_back(request.ciaddr, Released(lease.address))
        case other:
            return _ignore(f"message type {other} is not for servers")


def _reason_to_ignore(request: DhcpMessage, lease: LeaseOffer, server: ServerIdentity) -> str | None:
    if request.op != BOOTREQUEST:
        return "not a request"
    if request.hardware_type != HARDWARE_ETHERNET or request.chaddr != mac_bytes(lease.mac):
        return f"client hardware address {request.chaddr.hex(':')} is not the port's"
    if request.giaddr != _ANY and not server.serves_relays:
        return f"came through the relay {request.giaddr}"
    if request.giaddr != _ANY and request.giaddr not in lease.network:
        return f"the relay {request.giaddr} is in another subnet"
    identifier = request.option(OptionCode.SERVER_IDENTIFIER)
    if identifier is not None and decode_address(identifier) != server.address:
        return f"meant for the server {decode_address(identifier)}"
    return None


def _answer_request(request: DhcpMessage, lease: LeaseOffer, server: ServerIdentity) -> Answer:
    """The states of RFC 2131 4.3.2 differ in where the address stands.

    In `ciaddr` once the client uses it.
    """
    wanted = request.ciaddr if request.ciaddr != _ANY else _requested_address(request)
    if wanted is None:
        return _ignore("REQUEST without an address")
    if wanted != lease.address:
        return _refuse(request, server, wanted)
    times = lease_times(lease)
    reply = _reply(MessageType.ACK, request, lease, server, yiaddr=lease.address, times=times)
    return Answer(reply, Acknowledged(lease.address))


def _offer(request: DhcpMessage, lease: LeaseOffer, server: ServerIdentity) -> Answer:
    times = lease_times(lease)
    reply = _reply(MessageType.OFFER, request, lease, server, yiaddr=lease.address, times=times)
    return Answer(reply, Offered(lease.address))


def _inform(request: DhcpMessage, lease: LeaseOffer, server: ServerIdentity) -> Answer:
    """RFC 2131 4.3.5: parameters, but neither an address nor the times of a lease."""
    reply = _reply(MessageType.ACK, request, lease, server, yiaddr=_ANY, times=())
    return Answer(reply, Informed(request.ciaddr))


def _refuse(request: DhcpMessage, server: ServerIdentity, wanted: IPv4Address) -> Answer:
    """RFC 2131 table 3: nothing but the type, the server, a text, and what is echoed."""
    text = f"{wanted} is not the address of this port".encode()
    options = (*_server_options(MessageType.NAK, server), (int(OptionCode.MESSAGE), text), *_echoed(request))
    # The client may not have the address its relay would answer to, so the relay must broadcast (4.3.2).
    flags = request.flags | BROADCAST_FLAG if request.giaddr != _ANY else request.flags
    reply = DhcpMessage(BOOTREPLY, request.xid, request.chaddr, options, flags=flags, giaddr=request.giaddr)
    return Answer(reply, Refused(wanted))


def _take_back(named: IPv4Address | None, outcome: Declined | Released) -> Answer:
    if named != outcome.address:
        return _ignore(f"about {named}, which is not the address of this port")
    return Answer(None, outcome)


def _ignore(reason: str) -> Answer:
    return Answer(None, Ignored(reason))


def _reply(
    kind: MessageType,
    request: DhcpMessage,
    lease: LeaseOffer,
    server: ServerIdentity,
    *,
    yiaddr: IPv4Address,
    times: tuple[Option, ...],
) -> DhcpMessage:
    first = (*_server_options(kind, server), *times)
    wanted = network_parameters(lease, request.option(OptionCode.PARAMETER_REQUEST_LIST))
    last = _echoed(request)
    options = _fitting(first, wanted, last, _size_limit(request, lease))
    extra = dict(lease.extra.options)
    boot_file = extra.get(OptionCode.BOOT_FILE_NAME, b"")
    boot_server = extra.get(OptionCode.TFTP_SERVER_NAME, b"")
    return DhcpMessage(
        op=BOOTREPLY,
        xid=request.xid,
        chaddr=request.chaddr,
        options=options,
        flags=request.flags,
        ciaddr=request.ciaddr if kind is MessageType.ACK else _ANY,
        yiaddr=yiaddr,
        siaddr=_next_server(lease),
        giaddr=request.giaddr,
        # Boot loaders read the fixed fields, operating systems the options: both are told, if it fits.
        sname=boot_server if len(boot_server) < 64 else b"",
        file=boot_file if len(boot_file) < 128 else b"",
    )


def _server_options(kind: MessageType, server: ServerIdentity) -> tuple[Option, ...]:
    return (
        (int(OptionCode.MESSAGE_TYPE), bytes((kind,))),
        (int(OptionCode.SERVER_IDENTIFIER), server.address.packed),
    )


def _echoed(request: DhcpMessage) -> tuple[Option, ...]:
    """The client's identifier (RFC 6842) and, as the last option, the relay's information (RFC 3046 2.2)."""
    codes = (OptionCode.CLIENT_IDENTIFIER, OptionCode.RELAY_AGENT_INFORMATION)
    found = ((int(code), request.option(code)) for code in codes)
    return tuple((code, value) for code, value in found if value is not None)


def _fitting(
    first: tuple[Option, ...], wanted: tuple[Option, ...], last: tuple[Option, ...], limit: int
) -> tuple[Option, ...]:
    """Leave out, one by one, what does not fit into the client's largest message."""
    chosen = first
    for option in wanted:
        if encoded_length((*chosen, option, *last)) <= limit:
            chosen = (*chosen, option)
    return (*chosen, *last)


def _size_limit(request: DhcpMessage, lease: LeaseOffer) -> int:
    """The longest reply, in octets of UDP payload.

    Clients state it for the whole datagram (RFC 2131 section 2).
    """
    value = request.option(OptionCode.MAX_MESSAGE_SIZE)
    stated = _MIN_MAX_DATAGRAM if value is None else decode_integer(value, 2)
    link = _ETHERNET_MTU if lease.mtu is None else lease.mtu
    return max(_MIN_MAX_DATAGRAM, min(stated, link)) - _HEADERS


def _next_server(lease: LeaseOffer) -> IPv4Address:
    """Where to boot from: as told, else the TFTP server when that is given as an address."""
    if lease.extra.next_server is not None:
        return lease.extra.next_server
    extra = dict(lease.extra.options)
    if addresses := extra.get(OptionCode.TFTP_SERVER_ADDRESSES):
        return IPv4Address(addresses[:4])
    try:
        return IPv4Address(extra.get(OptionCode.TFTP_SERVER_NAME, b"").decode("ascii", "replace"))
    except AddressValueError:
        return _ANY


def _message_type(request: DhcpMessage) -> int:
    value = request.option(OptionCode.MESSAGE_TYPE)
    if value is None:
        raise MalformedError("BOOTP request without a DHCP message type")
    return decode_integer(value, 1)


def _requested_address(request: DhcpMessage) -> IPv4Address | None:
    value = request.option(OptionCode.REQUESTED_ADDRESS)
    return None if value is None else decode_address(value)
