"""Values, matches and subfields in the words of ovs-ofctl(8); formats as in ovs-fields(7)."""

from ipaddress import IPv4Address, IPv6Address

from overlace.datapath.actions import ANY, CONTROLLER, IN_PORT, LOCAL, Subfield
from overlace.datapath.fields import Field
from overlace.datapath.match import Condition, Match
from overlace.datapath.prerequisites import NOT_MASKABLE
from overlace.kit.addresses import format_mac

F = Field

_MAC = frozenset({F.ETH_SRC, F.ETH_DST, F.ARP_SHA, F.ARP_THA, F.ND_SLL, F.ND_TLL})
_IPV4 = frozenset({F.TUN_SRC, F.TUN_DST, F.IPV4_SRC, F.IPV4_DST, F.ARP_SPA, F.ARP_TPA})
_IPV6 = frozenset({F.TUN_IPV6_SRC, F.TUN_IPV6_DST, F.IPV6_SRC, F.IPV6_DST, F.ND_TARGET})
_DECIMAL = frozenset(
    {F.MPLS_LABEL, F.MPLS_TC, F.MPLS_BOS, F.MPLS_TTL, F.IP_PROTO, F.IP_DSCP, F.IP_ECN, F.IP_TTL}
    | {F.TCP_SRC, F.TCP_DST, F.UDP_SRC, F.UDP_DST, F.SCTP_SRC, F.SCTP_DST}
    | {F.ICMPV4_TYPE, F.ICMPV4_CODE, F.ICMPV6_TYPE, F.ICMPV6_CODE}
    | {F.ARP_OP, F.ND_RESERVED, F.ND_OPTIONS_TYPE, F.CT_ZONE}
)
_PORT_NAME = {IN_PORT: "IN_PORT", CONTROLLER: "CONTROLLER", LOCAL: "LOCAL", ANY: "ANY"}
_CT_FLAGS = ("new", "est", "rel", "rpl", "inv", "trk", "snat", "dnat")
_FRAGMENTS = {(0, 3): "no", (0, 1): "no", (1, 3): "first", (1, 1): "yes"} | {
    (3, 3): "later",
    (2, 2): "later",
    (0, 2): "not_later",
}


def format_port(port: int) -> str:
    """A port number, or the name of a reserved port."""
    return _PORT_NAME.get(port, str(port))


def format_value(field: Field, value: int) -> str:
    """A whole field's value in its customary form."""
    if field in _MAC:
        return format_mac(value)
    if field in _IPV4:
        return str(IPv4Address(value))
    if field in _IPV6:
        return str(IPv6Address(value))
    if field is F.IN_PORT:
        return format_port(value)
    if field is F.PACKET_TYPE:
        return f"({value >> 16},{value & 0xFFFF:#x})"
    return str(value) if field in _DECIMAL else f"{value:#x}"


def format_masked(field: Field, value: int, mask: int) -> str:
    """``value`` or ``value/mask``; addresses under a prefix mask as ``address/length``."""
    if field.full_mask & ~mask == 0:
        return format_value(field, value)
    host = field.full_mask ^ mask
    if field in _IPV4 | _IPV6 and host & (host + 1) == 0:
        return f"{format_value(field, value)}/{mask.bit_count()}"
    return f"{format_value(field, value)}/{format_value(field, mask)}"


def format_condition(condition: Condition) -> str:
    """One ``field=value``. Raises ValueError for what no switch accepts: a mask on an unmaskable field, or
    a fragment condition that has no name."""
    field, value, mask = condition.field, condition.value, condition.mask
    if field is F.IP_FRAG:
        return f"nw_frag={_fragment(value, mask)}"
    if field is F.CT_STATE and mask >> len(_CT_FLAGS) == 0:
        return f"ct_state={_ct_flags(value, mask)}"
    if not condition.exact and field in NOT_MASKABLE:
        raise ValueError(f"{field.ovs_name} cannot be matched under a mask")
    return f"{field.ovs_name}={format_masked(field, value, mask)}"


def format_match(match: Match) -> str:
    """The conditions joined by commas; "" for a match on everything."""
    return ",".join(map(format_condition, match))


def format_subfield(subfield: Subfield) -> str:
    """``reg0[0..15]``, ``reg0[3]``, or ``reg0[]`` for a whole field.

    The low 16 bits of in_port are its OpenFlow 1.0 form, which has a name of its own.
    """
    field, start, bits = subfield.field, subfield.start, subfield.bits
    if field is F.IN_PORT:
        return "in_port[]" if (start, bits) == (0, 16) else _with_bits("in_port_oxm", start, bits, 32)
    return _with_bits(field.ovs_name, start, bits, field.bits)


def _with_bits(name: str, start: int, bits: int, width: int) -> str:
    if (start, bits) == (0, width):
        return f"{name}[]"
    return f"{name}[{start}]" if bits == 1 else f"{name}[{start}..{start + bits - 1}]"


def _fragment(value: int, mask: int) -> str:
    try:
        return _FRAGMENTS[value, mask & 3]
    except KeyError:
        raise ValueError(f"nw_frag={value:#x}/{mask:#x} can never match") from None


def _ct_flags(value: int, mask: int) -> str:
    named = [(1 << bit, name) for bit, name in enumerate(_CT_FLAGS)]
    return "".join(("+" if value & bit else "-") + name for bit, name in named if mask & bit)
