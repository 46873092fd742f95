"""What a trace is asked: which packet, from which port, to whom."""

from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec

L4Port = Annotated[int, msgspec.Meta(ge=0, le=0xFFFF)]
NEED_A_PORT = ("tcp", "udp", "sctp")


class Question(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One packet, as people describe it. Names and addresses are resolved against the snapshot."""

    source: str
    """A port, by id or name."""
    destination: str = ""
    """A port, an IP address, a MAC address or ``broadcast``; may be left out for dhcp only."""
    protocol: Literal["icmp", "tcp", "udp", "sctp", "arp", "nd", "ra", "dhcp"] = "icmp"
    port: L4Port | None = None
    """The service's port: the destination's, and with `state` reply the source's."""
    source_port: L4Port | None = None
    """The other end's port."""
    ip_version: Literal[4, 6] | None = None
    size: Annotated[int, msgspec.Meta(ge=20, le=65535)] | None = None
    """Bytes of the IP packet, its header included."""
    state: Literal["new", "established", "reply"] = "new"
    source_mac: str | None = None
    """What the port sends instead of its own MAC address."""
    source_ip: str | None = None
    """What the port sends instead of its own IP address."""
    vlan: Annotated[int, msgspec.Meta(ge=0, le=4095)] | None = None
    """An 802.1Q tag that the port puts on the frame."""
    both: bool = False
    """Follow a new packet of the opposite direction, too."""


def parse_question(wanted: Mapping[str, object]) -> Question:
    """Read a request. Raises ValueError that says what is wrong with it."""
    try:
        question = msgspec.convert(dict(wanted), Question)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from error
    if not question.destination and question.protocol not in ("dhcp", "ra"):
        raise ValueError("'destination' is missing: a port, an address, or 'broadcast'")
    if question.protocol in NEED_A_PORT and question.port is None:
        raise ValueError(f"'port' is missing: {question.protocol} needs one")
    return question
