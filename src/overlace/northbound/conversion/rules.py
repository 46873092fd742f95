"""The attributes of security group rules."""

from typing import Any

from overlace.model.policy import Direction, EtherType
from overlace.northbound.conversion.kind import Kind
from overlace.northbound.conversion.scalars import or_none, parse_integer

PROTOCOLS = {
    "ah": 51,
    "dccp": 33,
    "egp": 8,
    "esp": 50,
    "gre": 47,
    "icmp": 1,
    "icmpv6": 58,
    "igmp": 2,
    "ipip": 4,
    "ipv6-encap": 41,
    "ipv6-frag": 44,
    "ipv6-icmp": 58,
    "ipv6-nonxt": 59,
    "ipv6-opts": 60,
    "ipv6-route": 43,
    "ospf": 89,
    "pgm": 113,
    "rsvp": 46,
    "sctp": 132,
    "tcp": 6,
    "udp": 17,
    "udplite": 136,
    "vrrp": 112,
}
"""The names that a rule may use (IANA protocol numbers)."""


def parse_protocol(value: Any) -> str | None:
    """A name or a number of an IP protocol; null and "any" mean all. Kept in the words of the client."""
    text = str(value).lower()
    if value is None or text in ("any", ""):
        return None
    if text in PROTOCOLS or (text.isdecimal() and int(text) <= 255):
        return text
    raise ValueError(f"'{value}' is not an IP protocol (a name such as tcp, or 0 through 255)")


def protocol_number(protocol: str | None) -> int | None:
    """The number behind a protocol that `parse_protocol` let pass."""
    if protocol is None:
        return None
    return PROTOCOLS[protocol] if protocol in PROTOCOLS else int(protocol)


def parse_direction(value: Any) -> Direction:
    """ingress or egress."""
    return Direction(str(value).lower())


def parse_ethertype(value: Any) -> EtherType:
    """IPv4 or IPv6, in any case."""
    for each in EtherType:
        if each.value.lower() == str(value).lower():
            return each
    raise ValueError(f"'{value}' is not in ['IPv4', 'IPv6']")


def _word(value: Direction | EtherType) -> str:
    return str(value.value)


RULES = {
    "protocol": Kind(parse_protocol),
    "port_range": Kind(or_none(parse_integer)),
    "direction": Kind(parse_direction, _word),
    "ethertype": Kind(
        parse_ethertype, _word, lambda rendered, wanted: str(rendered).lower() == wanted.lower()
    ),
}
