"""What must be true of a packet before a field of it exists (ovs-fields(7), "Prerequisites").

A flow may match or write a field only where its prerequisite is certain; a packet that lacks it has the
value 0 there, and writes to it do nothing.
"""

from collections.abc import Callable, Sequence
from enum import Enum

from overlace.datapath.fields import EthType, Field, IpFrag, IpProto

MPLS_MULTICAST = 0x8848
"""EtherType of multicast MPLS, which ovs-fields(7) treats as MPLS too."""
ND_SOLICIT = 135
"""ICMPv6 type of a neighbour solicitation (RFC 4861, 4.3)."""
ND_ADVERT = 136
"""ICMPv6 type of a neighbour advertisement (RFC 4861, 4.4)."""

F = Field


class Prerequisite(Enum):
    """The prerequisites by the names of ovs-fields(7)."""

    NONE = "none"
    ETHERNET = "Ethernet"
    ARP = "ARP"
    IPV4 = "IPv4"
    IPV6 = "IPv6"
    IP_ANY = "IPv4/IPv6"
    MPLS = "MPLS"
    TCP = "TCP"
    UDP = "UDP"
    SCTP = "SCTP"
    ICMPV4 = "ICMPv4"
    ICMPV6 = "ICMPv6"
    ND = "ND"
    ND_SOLICIT = "ND solicit"
    ND_ADVERT = "ND advert"


P = Prerequisite

_BY_PREREQUISITE: dict[Prerequisite, tuple[Field, ...]] = {
    P.ETHERNET: (F.ETH_SRC, F.ETH_DST, F.ETH_TYPE, F.VLAN_TCI),
    P.MPLS: (F.MPLS_LABEL, F.MPLS_TC, F.MPLS_BOS, F.MPLS_TTL),
    P.IPV4: (F.IPV4_SRC, F.IPV4_DST),
    P.IPV6: (F.IPV6_SRC, F.IPV6_DST),
    P.IP_ANY: (F.IP_PROTO, F.IP_DSCP, F.IP_ECN, F.IP_TTL, F.IP_FRAG),
    P.TCP: (F.TCP_SRC, F.TCP_DST, F.TCP_FLAGS),
    P.UDP: (F.UDP_SRC, F.UDP_DST),
    P.SCTP: (F.SCTP_SRC, F.SCTP_DST),
    P.ICMPV4: (F.ICMPV4_TYPE, F.ICMPV4_CODE),
    P.ICMPV6: (F.ICMPV6_TYPE, F.ICMPV6_CODE),
    P.ARP: (F.ARP_OP, F.ARP_SPA, F.ARP_TPA, F.ARP_SHA, F.ARP_THA),
    P.ND: (F.ND_TARGET, F.ND_RESERVED, F.ND_OPTIONS_TYPE),
    P.ND_SOLICIT: (F.ND_SLL,),
    P.ND_ADVERT: (F.ND_TLL,),
}

PREREQUISITE: dict[Field, Prerequisite] = dict.fromkeys(Field, P.NONE) | {
    field: prerequisite for prerequisite, fields in _BY_PREREQUISITE.items() for field in fields
}

NOT_MASKABLE = frozenset(
    {F.IN_PORT, F.PACKET_TYPE, F.CT_ZONE, F.ETH_TYPE, F.IP_PROTO, F.IP_DSCP, F.IP_ECN, F.IP_TTL, F.ARP_OP}
    | {F.MPLS_LABEL, F.MPLS_TC, F.MPLS_BOS, F.MPLS_TTL, F.ND_RESERVED, F.ND_OPTIONS_TYPE}
    | {F.ICMPV4_TYPE, F.ICMPV4_CODE, F.ICMPV6_TYPE, F.ICMPV6_CODE}
)
"""Fields that a match may only compare whole."""

READ_ONLY = frozenset(
    {F.PACKET_TYPE, F.CT_STATE, F.CT_ZONE, F.ETH_TYPE, F.MPLS_BOS, F.IP_PROTO, F.IP_FRAG, F.TCP_FLAGS}
)
"""Fields that set_field and move cannot write; `CT_MARK` and `CT_LABEL` are written in ct(exec()) only."""

_FIRST_DATA_FIELD = Field.ETH_SRC.order


def is_data_field(field: Field) -> bool:
    """True for bytes of the packet, False for metadata and registers.

    A match on a data field without a match on packet_type means Ethernet (ovs-fields(7), packet_type).
    """
    return field.order >= _FIRST_DATA_FIELD


Values = Sequence[int]
"""A value for each field, indexed by `Field.order`."""


def _ethernet(v: Values) -> bool:
    return v[_PACKET_TYPE] == 0


def _eth_type(*types: int) -> Callable[[Values], bool]:
    wanted = frozenset(types)
    return lambda v: v[_ETH_TYPE] in wanted


def _transport(*protocols: int) -> Callable[[Values], bool]:
    wanted = frozenset(protocols)
    return lambda v: v[_ETH_TYPE] in _IP and v[_IP_PROTO] in wanted and not v[_IP_FRAG] & IpFrag.LATER


def _icmp(eth_type: int, protocol: int) -> Callable[[Values], bool]:
    return lambda v: v[_ETH_TYPE] == eth_type and v[_IP_PROTO] == protocol and not v[_IP_FRAG] & IpFrag.LATER


def _neighbour(*types: int) -> Callable[[Values], bool]:
    wanted = frozenset(types)
    return lambda v: _icmpv6(v) and v[_ICMPV6_TYPE] in wanted and v[_ICMPV6_CODE] == 0


_PACKET_TYPE = F.PACKET_TYPE.order
_ETH_TYPE = F.ETH_TYPE.order
_IP_PROTO = F.IP_PROTO.order
_IP_FRAG = F.IP_FRAG.order
_ICMPV6_TYPE = F.ICMPV6_TYPE.order
_ICMPV6_CODE = F.ICMPV6_CODE.order
_IP = frozenset((EthType.IPV4, EthType.IPV6))
_icmpv6 = _icmp(EthType.IPV6, IpProto.ICMPV6)

_TEST: dict[Prerequisite, Callable[[Values], bool]] = {
    P.NONE: lambda _: True,
    P.ETHERNET: _ethernet,
    P.ARP: _eth_type(EthType.ARP, EthType.RARP),
    P.IPV4: _eth_type(EthType.IPV4),
    P.IPV6: _eth_type(EthType.IPV6),
    P.IP_ANY: _eth_type(EthType.IPV4, EthType.IPV6),
    P.MPLS: _eth_type(EthType.MPLS, MPLS_MULTICAST),
    P.TCP: _transport(IpProto.TCP),
    P.UDP: _transport(IpProto.UDP),
    P.SCTP: _transport(IpProto.SCTP),
    P.ICMPV4: _icmp(EthType.IPV4, IpProto.ICMP),
    P.ICMPV6: _icmpv6,
    P.ND: _neighbour(ND_SOLICIT, ND_ADVERT),
    P.ND_SOLICIT: _neighbour(ND_SOLICIT),
    P.ND_ADVERT: _neighbour(ND_ADVERT),
}

_TEST_OF_FIELD = tuple(_TEST[PREREQUISITE[field]] for field in Field)


def field_exists(field: Field, values: Values) -> bool:
    """True when a packet with these field values has `field`."""
    return _TEST_OF_FIELD[field.order](values)
