"""Which options a client is told, and in which order (RFC 2131 4.3.1, RFC 3442)."""

from collections.abc import Mapping
from ipaddress import IPv4Address, IPv4Network

from overlace.protocols.dhcpv4_lease import LeaseOffer
from overlace.wire.dhcpv4.message import Option
from overlace.wire.dhcpv4.options import (
    INFINITE_LEASE,
    OptionCode,
    Route,
    encode_addresses,
    encode_classless_routes,
    encode_integer,
)

# Sent although the client did not ask: without them it has no network, or one that loses large packets.
_UNASKED = (OptionCode.SUBNET_MASK, OptionCode.ROUTER, OptionCode.DNS_SERVERS, OptionCode.MTU)
_TIMES = (OptionCode.LEASE_TIME, OptionCode.RENEWAL_TIME, OptionCode.REBINDING_TIME)
_ROUTES = (OptionCode.CLASSLESS_ROUTES, OptionCode.MICROSOFT_CLASSLESS_ROUTES)
_DEFAULT_ROUTE = IPv4Network("0.0.0.0/0")


def lease_times(lease: LeaseOffer) -> tuple[Option, ...]:
    """Lease time, renewal at a half and rebinding at seven eighths of it (RFC 2131 4.4.5), in seconds."""
    extra = dict(lease.extra.options)
    stated = extra.get(OptionCode.LEASE_TIME) or encode_integer(lease.lease_seconds, 4)
    seconds = int.from_bytes(stated, "big")
    endless = seconds == INFINITE_LEASE
    renewal = seconds if endless else seconds // 2
    rebinding = seconds if endless else seconds * 7 // 8
    times = (stated, encode_integer(renewal, 4), encode_integer(rebinding, 4))
    return tuple((int(code), extra.get(code) or own) for code, own in zip(_TIMES, times, strict=True))


def network_parameters(lease: LeaseOffer, requested: bytes | None) -> tuple[Option, ...]:
    """What the client asked for, in its order, then what it needs to know all the same.

    `requested` is the value of its parameter request list, None when it sent none and is told everything.
    """
    known = _known(lease)
    if requested is None:
        wanted = [code for code in known if code not in _ROUTES]
    else:
        wanted = [code for code in dict.fromkeys(requested) if code in known]
    # RFC 3442: a client that asks for classless routes does not get the older options beside them.
    superseded = OptionCode.CLASSLESS_ROUTES in wanted
    unasked = [*_UNASKED, *(code for code, _ in lease.extra.options)]
    order = dict.fromkeys([*wanted, *(code for code in unasked if code in known)])
    if superseded:
        order.pop(OptionCode.ROUTER, None)
        order.pop(OptionCode.STATIC_ROUTES, None)
    return tuple((int(code), known[code]) for code in order)


def _known(lease: LeaseOffer) -> Mapping[int, bytes]:
    """All options there are for this lease; those that were configured empty are not among them."""
    known: dict[int, bytes] = {OptionCode.SUBNET_MASK: lease.network.netmask.packed}
    if lease.router is not None:
        known[OptionCode.ROUTER] = lease.router.packed
    if lease.dns_servers:
        known[OptionCode.DNS_SERVERS] = encode_addresses(lease.dns_servers)
    if lease.hostname:
        known[OptionCode.HOST_NAME] = lease.hostname.encode()
    if lease.domain_name:
        known[OptionCode.DOMAIN_NAME] = lease.domain_name.encode()
    if lease.mtu is not None:
        known[OptionCode.MTU] = encode_integer(lease.mtu, 2)
    if lease.routes:
        known |= dict.fromkeys(_ROUTES, encode_classless_routes(_all_routes(lease.routes, lease.router)))
    known |= lease.extra.options
    return {code: value for code, value in known.items() if value and code not in _TIMES}


def _all_routes(routes: tuple[Route, ...], router: IPv4Address | None) -> tuple[Route, ...]:
    """With the default route, because clients that understand option 121 ignore option 3."""
    if router is None or any(network == _DEFAULT_ROUTE for network, _ in routes):
        return routes
    return (*routes, (_DEFAULT_ROUTE, router))
