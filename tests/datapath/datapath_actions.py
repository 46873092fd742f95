"""Executing the text of datapath actions, as ``ofproto/trace`` prints them, on a `Packet`.

``Datapath actions: set(ipv4(dst=1.2.3.4)),3,push_vlan(vid=5,pcp=0),4`` says which ports get a packet and what
it looks like by then. This is a reader of the switch's own account of what it does, independent of the
interpreter: it knows only the few words that datapath actions consist of.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address

from overlace.datapath.actions import PACKET_TYPE_ETHERNET
from overlace.datapath.fields import VLAN_PRESENT, EthType, Field
from overlace.datapath.interpreter.packet import Packet

F = Field

Node = tuple[str, tuple["Node", ...]]
"""A word and what stands in its parentheses: ``set(eth(src=1))`` is ("set", (("eth", (("src=1", ()),)),))."""

_SET_FIELDS: dict[tuple[str, str], tuple[Field, ...]] = {
    ("eth", "src"): (F.ETH_SRC,),
    ("eth", "dst"): (F.ETH_DST,),
    ("ipv4", "src"): (F.IPV4_SRC,),
    ("ipv4", "dst"): (F.IPV4_DST,),
    ("ipv4", "tos"): (F.IP_DSCP, F.IP_ECN),
    ("ipv4", "ttl"): (F.IP_TTL,),
    ("ipv6", "src"): (F.IPV6_SRC,),
    ("ipv6", "dst"): (F.IPV6_DST,),
    ("ipv6", "tclass"): (F.IP_DSCP, F.IP_ECN),
    ("ipv6", "hlimit"): (F.IP_TTL,),
    ("tcp", "src"): (F.TCP_SRC,),
    ("tcp", "dst"): (F.TCP_DST,),
    ("udp", "src"): (F.UDP_SRC,),
    ("udp", "dst"): (F.UDP_DST,),
    ("icmp", "type"): (F.ICMPV4_TYPE,),
    ("icmp", "code"): (F.ICMPV4_CODE,),
    ("icmpv6", "type"): (F.ICMPV6_TYPE,),
    ("icmpv6", "code"): (F.ICMPV6_CODE,),
    ("arp", "op"): (F.ARP_OP,),
    ("arp", "sip"): (F.ARP_SPA,),
    ("arp", "tip"): (F.ARP_TPA,),
    ("arp", "sha"): (F.ARP_SHA,),
    ("arp", "tha"): (F.ARP_THA,),
    ("nd", "target"): (F.ND_TARGET,),
    ("nd", "sll"): (F.ND_SLL,),
    ("nd", "tll"): (F.ND_TLL,),
    ("nd_ext", "nd_reserved"): (F.ND_RESERVED,),
    ("nd_ext", "nd_options_type"): (F.ND_OPTIONS_TYPE,),
    ("mpls", "label"): (F.MPLS_LABEL,),
    ("mpls", "tc"): (F.MPLS_TC,),
    ("mpls", "ttl"): (F.MPLS_TTL,),
}


@dataclass
class Seen:
    """What a run of datapath actions did."""

    sent: list[tuple[int, Packet]] = field(default_factory=list)
    """(datapath port, packet); for a tunnel the port behind which the underlay lies."""
    to_controller: list[int] = field(default_factory=list)
    """Reason codes of packet-ins."""
    committed: list[int] = field(default_factory=list)
    """Zones of ct(commit)."""
    recirculated: dict[int, Packet] = field(default_factory=dict)
    """The packet by recirculation id."""
    metered: int = 0


def parse_actions(text: str) -> tuple[Node, ...]:
    """Read a comma-separated list of words with parentheses."""
    nodes, rest = _nodes(text)
    if rest:
        raise ValueError(f"{rest!r} is left of {text!r}")
    return nodes


def execute(nodes: tuple[Node, ...], packet: Packet, seen: Seen) -> None:
    """Apply actions to `packet` (which changes). Raises KeyError for a word that is not known here."""
    for word, inside in nodes:
        if word.isdigit():
            seen.sent.append((int(word), packet.copy()))
        elif word == "clone":
            execute(inside, packet.copy(), seen)
        elif word == "tnl_push":
            seen.sent.append(_through_tunnel((word, inside), packet))
            return  # what follows happens to the outer packet, in the underlay
        else:
            _EXECUTE[word](inside, packet, seen)


def arguments(inside: tuple[Node, ...]) -> dict[str, str]:
    """The ``name=value`` words among some nodes."""
    return {name: value for name, _, value in (word.partition("=") for word, _ in inside)}


def _nodes(text: str) -> tuple[tuple[Node, ...], str]:
    nodes: list[Node] = []
    while text and not text.startswith(")"):
        word = re.match(r"[^(),]*", text)
        assert word is not None
        text = text[word.end() :]
        inside: tuple[Node, ...] = ()
        if text.startswith("("):
            inside, text = _nodes(text[1:])
            text = text.removeprefix(")")
        nodes.append((word[0], inside))
        text = text.removeprefix(",")
    return tuple(nodes), text


def _number(text: str) -> int:
    if re.fullmatch(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}", text):
        return int(text.replace(":", ""), 16)
    if ":" in text:
        return int(IPv6Address(text))
    return int(IPv4Address(text)) if "." in text else int(text, 0)


def _write(packet: Packet, fields: tuple[Field, ...], text: str) -> None:
    """Write ``value`` or ``value/mask`` to fields that lie side by side, the first the highest."""
    value, _, mask = text.partition("/")
    new, written = _number(value), _number(mask) if mask else -1
    for target in reversed(fields):
        packet[target] = (packet[target] & ~written | new & written) & target.full_mask
        new, written = new >> target.bits, written >> target.bits


def _set(inside: tuple[Node, ...], packet: Packet, seen: Seen) -> None:  # noqa: ARG001
    [(header, values)] = inside
    for name, text in arguments(values).items():
        if (header, name) == ("mpls", "bos"):
            continue
        _write(packet, _SET_FIELDS[header, name], text)


def _push_vlan(inside: tuple[Node, ...], packet: Packet, seen: Seen) -> None:  # noqa: ARG001
    given = arguments(inside)
    if packet[F.VLAN_TCI]:
        packet.tags = (packet[F.VLAN_TCI], *packet.tags)
    packet[F.VLAN_TCI] = VLAN_PRESENT | int(given["pcp"]) << 13 | int(given["vid"])


def _pop_vlan(inside: tuple[Node, ...], packet: Packet, seen: Seen) -> None:  # noqa: ARG001
    packet[F.VLAN_TCI] = packet.tags[0] if packet.tags else 0
    packet.tags = packet.tags[1:]


def _push_mpls(inside: tuple[Node, ...], packet: Packet, seen: Seen) -> None:  # noqa: ARG001
    given = arguments(inside)
    if packet[F.ETH_TYPE] == EthType.MPLS:
        packet.labels = (packet.label, *packet.labels)
    else:
        packet.clear(f for f in Field if f.order > F.VLAN_TCI.order)
    packet.label = (int(given["label"]), int(given["tc"]), int(given["bos"]), int(given["ttl"]))
    packet[F.ETH_TYPE] = int(given["eth_type"], 0)


def _add_mpls(inside: tuple[Node, ...], packet: Packet, seen: Seen) -> None:
    if packet[F.ETH_TYPE] != EthType.MPLS:
        packet.clear(f for f in Field if f.order >= F.ETH_SRC.order)
    _push_mpls(inside, packet, seen)


def _push_eth(inside: tuple[Node, ...], packet: Packet, seen: Seen) -> None:  # noqa: ARG001
    given = arguments(inside)
    packet[F.ETH_SRC], packet[F.ETH_DST] = _number(given["src"]), _number(given["dst"])
    packet[F.PACKET_TYPE] = PACKET_TYPE_ETHERNET


def _conntrack(inside: tuple[Node, ...], packet: Packet, seen: Seen) -> None:  # noqa: ARG001
    given = arguments(inside)
    if "commit" in given or "force_commit" in given:
        seen.committed.append(int(given.get("zone", "0")))


def _recirculate(inside: tuple[Node, ...], packet: Packet, seen: Seen) -> None:
    seen.recirculated[int(inside[0][0], 0)] = packet.copy()


def _userspace(inside: tuple[Node, ...], packet: Packet, seen: Seen) -> None:  # noqa: ARG001
    for word, values in inside:
        if word == "controller":
            seen.to_controller.append(int(arguments(values)["reason"]))


def _meter(inside: tuple[Node, ...], packet: Packet, seen: Seen) -> None:  # noqa: ARG001
    seen.metered += 1


def _nothing(inside: tuple[Node, ...], packet: Packet, seen: Seen) -> None:
    """The word changes nothing that is looked at here."""


def _through_tunnel(push: Node, packet: Packet) -> tuple[int, Packet]:
    parts: Mapping[str, tuple[Node, ...]] = dict(push[1])
    header: Mapping[str, tuple[Node, ...]] = dict(parts["header"])
    packet = packet.copy()
    packet[F.TUN_ID] = int(arguments(header["vxlan"])["vni"], 0)
    of_v4 = "ipv4" in header
    addresses = arguments(header["ipv4" if of_v4 else "ipv6"])
    packet[F.TUN_DST if of_v4 else F.TUN_IPV6_DST] = _number(addresses["dst"])
    return TUNNELLED, packet


TUNNELLED = -1
"""Stands for the tunnel port, which datapath actions do not name."""

_EXECUTE: dict[str, Callable[[tuple[Node, ...], Packet, Seen], None]] = {
    "set": _set,
    "push_vlan": _push_vlan,
    "pop_vlan": _pop_vlan,
    "push_mpls": _push_mpls,
    "add_mpls": _add_mpls,
    "push_eth": _push_eth,
    "ct": _conntrack,
    "ct_clear": _nothing,
    "recirc": _recirculate,
    "userspace": _userspace,
    "meter": _meter,
    "drop": _nothing,
}
