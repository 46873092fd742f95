"""The pipeline: its tables, registers and flags, and who may write each. docs/pipeline.md is made from it.

A frame of a workload enters at CLASSIFY, where its port becomes a port key and a network key; from there on
no rule speaks of OpenFlow ports until DELIVER. A frame from a tunnel enters at TUNNEL_ADMIT, one from a fabric
of transit switches at FABRIC_ADMIT, where its sender must be a known host; both join at DESTINATION.

    workload -> CLASSIFY -> *GUARD* -> RESPOND -> EGRESS_* -> DESTINATION -> LOCAL -> INGRESS_* -> DELIVER
    tunnel   -> CLASSIFY -> TUNNEL_ADMIT -> WIRE_IN ---> ARMED ---^     |-> ENCAPSULATE -> REMOTE -> tunnel
    fabric   -> CLASSIFY -> FABRIC_ADMIT -> LABEL_IN --^                  |-> FABRIC -> UPLINK -> WRAP -> fabric
    physical -> CLASSIFY -> PHYSICAL_IN -> DESTINATION -> UNKNOWN -> PHYSICAL_OUT -> physical
"""

from dataclasses import dataclass
from enum import IntEnum

from overlace.datapath.fields import Field
from overlace.datapath.flow import Flow

PIPELINE_VERSION = 1


class Table(IntEnum):
    """OpenFlow table numbers; the comment of each says what it decides and which unit kinds write it."""

    CLASSIFY = 0
    """Which port sent this? (base, binding, liveness)"""
    TUNNEL_ADMIT = 1
    """Is the sender of this tunnel packet a known endpoint? (host)"""
    WIRE_IN = 2
    """Which network is this wire identifier? (base, network)"""
    FABRIC_ADMIT = 3
    """Is the sender of this frame from the fabric a known host? (host)"""
    LABEL_IN = 4
    """Which network is this label? (network)"""
    ARMED = 5
    """Is this a late frame for a port here, a question or an answer? Does it say that a port has moved? (base, binding,
    port, trail)"""
    ARMED_LOCAL = 6
    """The same question for a port prepared on this host. (binding)"""
    PHYSICAL_IN = 7
    """Is the sender of this frame from a physical network none of our ports? (base, physical)"""
    SOURCE_GUARD = 10
    """What does the frame claim? What none may send is dropped. (base, binding)"""
    GUARD_MAC = 11
    """Is the source MAC address the port's? (binding)"""
    GUARD_LINK_LAYER = 12
    """Is the link-layer address in a neighbour message the port's? (binding)"""
    GUARD_TARGET = 13
    """Is the target of a neighbour message the port's? (binding)"""
    GUARD_ADDRESS = 14
    """Is the source address the port's, in IPv4, ARP or IPv6? (base, binding)"""
    RESPOND = 20
    """Does the switch itself know the answer: ARP, ND, DHCP? (base, network, port, subnet, binding)"""
    RESPOND_ND = 21
    """Does the switch itself make the neighbour advertisement, or is the one asked who has the address? (base)"""
    EGRESS_TRACK = 30
    """Connection tracking of what a port sends. (base)"""
    EGRESS_POLICY = 31
    """Which security groups does the sending port have? (base, binding)"""
    EGRESS_GROUP = 32
    """Which lookups does a group need? (security_group)"""
    EGRESS_RULE = 33
    """Does a rule of the group permit this? (security_group)"""
    EGRESS_MEMBER = 34
    """Is the other end a member of the remote group? (member)"""
    EGRESS_VERDICT = 35
    """Go on, ask the hosts that the port has left, or drop. (base, binding)"""
    DESTINATION = 40
    """Where does this MAC address live? (port, network, shared_mac)"""
    OVERRIDE = 41
    """What the data path learned about a move. (learned)"""
    FLOOD_LOCAL = 42
    """Every port of the network on this host. (place)"""
    FLOOD_REMOTE = 43
    """Every other host of the network. (base, network)"""
    UNKNOWN = 44
    """Unknown unicast: to the host that bridges the network to a physical one, else dropped. (base, physical)"""
    PHYSICAL_OUT = 45
    """Is the sender of this frame to a physical network one of our ports? (physical)"""
    LOCAL = 50
    """Is the destination here? (base, binding)"""
    ENCAPSULATE = 55
    """Which technology carries this network, under which identifier? (base, network, host)"""
    REMOTE = 56
    """At which tunnel endpoint is the destination host? (reach)"""
    FABRIC = 57
    """Is the destination host in the fabric? (host)"""
    UPLINK = 58
    """Is this host's own way into the fabric in order? (host)"""
    WRAP = 59
    """Under which labels does the frame leave? (host)"""
    INGRESS_TRACK = 60
    """Connection tracking of what a port receives. (base)"""
    INGRESS_POLICY = 61
    """Which security groups does the receiving port have? (base, binding)"""
    INGRESS_GROUP = 62
    """As EGRESS_GROUP. (security_group)"""
    INGRESS_RULE = 63
    """As EGRESS_RULE. (security_group)"""
    INGRESS_MEMBER = 64
    """As EGRESS_MEMBER. (member)"""
    INGRESS_VERDICT = 65
    """Go on, ask the hosts that the port has left, or drop. (base, binding)"""
    ANSWER = 66
    """Is this packet, about which a port's new host asks, of a connection that is known here? (base)"""
    DELIVER = 70
    """To which OpenFlow port? (binding)"""
    MARKER = 250
    """Never reached: says whose tables these are. (marker)"""


NETWORK = Field.METADATA
"""The key of the network the frame is in."""
FLAGS = Field.REG0
SOURCE_PORT = Field.REG1
"""The key of the sending port; 0 for frames from a tunnel."""
DESTINATION_PORT = Field.REG2
DESTINATION_HOST = Field.REG3
ZONE = Field.REG4
"""The conntrack zone of the port at hand; 0 for ports without port security, STATELESS for those that have
stateless security groups only."""
GROUP = Field.REG5
REMOTE_GROUP = Field.REG6
"""The remote group whose rules are asked; 0 for rules without one."""
GENERATION = Field.REG7
"""The binding generation of the destination port."""
SOURCE_HOST = Field.REG8
"""The key of the host that sent the frame over a tunnel or the fabric; 0 for frames of this host's ports."""
LABEL = Field.REG9
"""The MPLS label of the network in the fabric."""


STATELESS = 1 << 16
"""No conntrack zone, which has 16 bits: each packet is judged by itself."""


class Flag(IntEnum):
    """Bits of FLAGS."""

    FROM_TUNNEL = 0x1
    """From another host. Split horizon: may be delivered, never sent to a host again."""
    PERMITTED = 0x2
    """A rule has said yes."""
    ACTIVATED = 0x4
    """The data path has seen the destination port active on this host."""
    REDIRECT = 0x8
    """The destination port has left this host: a frame from another host goes on to where the port is, once."""
    COPY = 0x10
    """The port is about to leave this host, or to arrive: a second copy, taken only where the port has started."""
    OUTSIDE = 0x20
    """Came in from a physical network, here or at the host that sent it: never let out into one again."""


PHYSICAL_OFPORT = 31000
"""The patch ports into bridges of physical networks are numbered from the next on, up to 31999."""
TUNNEL_OFPORT = 65000
"""The flow-based VXLAN port, the same number on every host."""
LIVENESS_OFPORT_FIRST = 32768
LIVENESS_OFPORT_LAST = 64999
"""The fixed-remote ports on which BFD runs; a number belongs to the far host, whoever watches it."""
UPLINK_GROUP = 0xFA000001
"""The group through which a host sends into the fabric."""
RESERVED_VNI_FIRST = 0xFFFF00
VNI_PROBE = 0xFFFF01
"""Path-MTU probes between hosts."""
VNI_WARM_UP = 0xFFFFFD
"""Frames that only make the sender's switch resolve the next hop; dropped where they arrive."""
VNI_LIVENESS = 0xFFFFFE
"""BFD between hosts."""

LATE_FRAMES = 0x0A4F << 32
"""The destination MAC address of a frame sent on by the host where its port was: this, and the key of the port. It is
delivered to that port or dropped, never sent on again; no port has such an address."""
SENT_ON_PREFIX_MASK = 0xFFFF << 32
COPIES = 0x0A4E << 32
"""The same for a second copy that the host where the port is sends to the one where it is prepared. It is delivered if
the port has started there by then; it must not queue up in front of a guest that is not running yet."""
ASKED = 0x0A4D << 32
"""The port's address, destination or source, in a packet that its new host asks an old one about (`query`)."""
KNOWN = 0x0A4C << 32
"""The same in the answer: the packet is of a connection that the old host knows."""
LATE_MASK = QUERY_MASK = 0xFFFE << 32
"""Covers LATE_FRAMES and COPIES, or ASKED and KNOWN."""
SENT_ON_MASK = 0xFFFC << 32
"""Covers all four."""

LEARNED_SECONDS = 0xFFFF
"""How long what the data path has learned lives: the longest that OpenFlow can say, for so long may an outage last."""

METER_PROBE = 1
"""How many probes a second a switch hands to the controller."""


def failover_group(port_key: int) -> int:
    """The group that delivers to a port while its interface is there, and else sends to where it is prepared:
    groups up to 0x7FFFFFFF are those of ports."""
    return port_key


class CookieClass(IntEnum):
    """The top eight bits of a cookie: what kind of object caused the flow."""

    BASE = 1
    NETWORK = 2
    SUBNET = 3
    PORT = 4
    BINDING = 5
    SECURITY_GROUP = 6
    MEMBER = 7
    HOST = 8
    PLACE = 9
    TRANSIT = 10
    MARKER = 11
    LEARNED = 0xAC
    """Made by the data path itself: read, never repaired away."""


@dataclass(frozen=True, slots=True)
class Cookie:
    """64 bits: class (8), pipeline version (8), detail (16), object key (32)."""

    cookie_class: CookieClass
    key: int = 0
    detail: int = 0
    version: int = PIPELINE_VERSION

    def __int__(self) -> int:
        return self.cookie_class << 56 | self.version << 48 | self.detail << 32 | self.key

    @classmethod
    def parse(cls, number: int) -> "Cookie | None":
        """Read a cookie; None when it is none of ours."""
        try:
            kind = CookieClass(number >> 56)
        except ValueError:
            return None
        return cls(kind, number & 0xFFFFFFFF, number >> 32 & 0xFFFF, number >> 48 & 0xFF)


def cookie(cookie_class: CookieClass, key: int = 0, detail: int = 0) -> int:
    """The number that goes into a flow."""
    return int(Cookie(cookie_class, key, detail))


def is_learned_by_any(number: int) -> bool:
    """True for flows that the data path made, by the rules of whatever release."""
    return number >> 56 == CookieClass.LEARNED


def is_learned(number: int) -> bool:
    """True for those that it made by rules of this version. What it made by another's goes with them: its tables may
    mean something else."""
    return is_learned_by_any(number) and number >> 48 & 0xFF == PIPELINE_VERSION


def is_of_one_port(flow: Flow) -> bool:
    """True for a flow of a binding that matches its port's key: on one switch, no other fragment can have a flow that
    matches the same."""
    if flow.cookie >> 56 != CookieClass.BINDING:
        return False
    return any(each.field in (SOURCE_PORT, DESTINATION_PORT) and each.exact for each in flow.match)
