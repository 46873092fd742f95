"""Hypothesis strategies: small flow tables whose flows Open vSwitch accepts, and packets that meet them."""

from ipaddress import IPv4Address, IPv6Address

from hypothesis import strategies as st
from tests.datapath.private_switch import TUNNEL_PORT

from overlace.datapath.actions import (
    IN_PORT,
    Action,
    Clone,
    Conntrack,
    ConntrackClear,
    DecrementTtl,
    Goto,
    Move,
    Output,
    OutputField,
    PopVlan,
    PushVlan,
    Resubmit,
    SendToController,
    SendToGroup,
    SetField,
    Subfield,
)
from overlace.datapath.fields import VLAN_PRESENT, CtState, EthType, Field, IpProto
from overlace.datapath.flow import Bucket, Flow, Group, GroupType
from overlace.datapath.interpreter import build
from overlace.datapath.interpreter.packet import Packet
from overlace.datapath.match import MatchValue, match

F = Field

TABLES = 4
PORTS = (1, 2, 3, 4)
MACS = (0x020000000001, 0x020000000002)
IPV4 = (IPv4Address("10.0.0.1"), IPv4Address("10.0.0.2"))
IPV6 = (IPv6Address("fd00::1"), IPv6Address("fd00::2"))
ENDPOINTS = tuple(int(IPv4Address(f"10.1.0.{host}")) for host in (2, 3))

METADATA = (F.REG0, F.REG1, F.METADATA, F.TUN_ID)
ETHERNET = (F.ETH_SRC, F.ETH_DST)

Kind = tuple[dict[Field, MatchValue], tuple[Field, ...], tuple[Field, ...]]
"""Conditions that make fields certain, what else may be matched, what may be written."""

_IP_MATCHED = (F.IP_DSCP, F.IP_ECN, F.IP_TTL, F.CT_STATE, F.CT_ZONE)
_IP_WRITTEN = (F.IP_DSCP, F.IP_ECN, F.IP_TTL)
_V4 = (F.IPV4_SRC, F.IPV4_DST)
_V6 = (F.IPV6_SRC, F.IPV6_DST)
_ICMPV6: dict[Field, MatchValue] = {F.ETH_TYPE: EthType.IPV6, F.IP_PROTO: IpProto.ICMPV6}

KINDS: dict[str, Kind] = {
    "any": ({}, (), ()),
    "ipv4": ({F.ETH_TYPE: EthType.IPV4}, (*_V4, *_IP_MATCHED), (*_V4, *_IP_WRITTEN)),
    "ipv6": ({F.ETH_TYPE: EthType.IPV6}, (*_V6, *_IP_MATCHED), (*_V6, *_IP_WRITTEN)),
    "tcp": (
        {F.ETH_TYPE: EthType.IPV4, F.IP_PROTO: IpProto.TCP},
        (*_V4, *_IP_MATCHED, F.TCP_SRC, F.TCP_DST, F.TCP_FLAGS),
        (*_V4, *_IP_WRITTEN, F.TCP_SRC, F.TCP_DST),
    ),
    "udp6": (
        {F.ETH_TYPE: EthType.IPV6, F.IP_PROTO: IpProto.UDP},
        (*_V6, *_IP_MATCHED, F.UDP_SRC, F.UDP_DST),
        (*_V6, *_IP_WRITTEN, F.UDP_SRC, F.UDP_DST),
    ),
    "icmp": (
        {F.ETH_TYPE: EthType.IPV4, F.IP_PROTO: IpProto.ICMP},
        (*_V4, F.ICMPV4_TYPE, F.ICMPV4_CODE),
        (F.ICMPV4_TYPE, F.ICMPV4_CODE),
    ),
    "arp": (
        {F.ETH_TYPE: EthType.ARP},
        (F.ARP_OP, F.ARP_SPA, F.ARP_TPA, F.ARP_SHA, F.ARP_THA),
        (F.ARP_OP, F.ARP_SPA, F.ARP_TPA, F.ARP_SHA, F.ARP_THA),
    ),
    "ns": (
        _ICMPV6 | {F.ICMPV6_TYPE: 135, F.ICMPV6_CODE: 0},
        (*_V6, F.ND_TARGET, F.ND_SLL),
        (*_V6, F.ND_TARGET, F.ND_SLL),
    ),
    "na": (
        _ICMPV6 | {F.ICMPV6_TYPE: 136, F.ICMPV6_CODE: 0},
        (*_V6, F.ND_TARGET, F.ND_TLL),
        (*_V6, F.ND_TARGET, F.ND_TLL),
    ),
}

_POOL: dict[Field, tuple[int, ...]] = {
    **dict.fromkeys((F.ETH_SRC, F.ETH_DST, F.ARP_SHA, F.ARP_THA, F.ND_SLL, F.ND_TLL), MACS),
    **dict.fromkeys((F.IPV4_SRC, F.IPV4_DST, F.ARP_SPA, F.ARP_TPA), tuple(map(int, IPV4))),
    **dict.fromkeys((F.IPV6_SRC, F.IPV6_DST, F.ND_TARGET), tuple(map(int, IPV6))),
    F.TUN_ID: (0, 5001, 5002),
    F.CT_STATE: (0, CtState.TRK | CtState.NEW, CtState.TRK | CtState.EST, CtState.TRK | CtState.INV),
    F.CT_ZONE: (0, 1),
    F.IP_TTL: (1, 2, 64),
    F.TCP_FLAGS: (build.SYN, build.ACK),
    F.ARP_OP: (1, 2),
    F.IN_PORT: (*PORTS, 0),
    F.ICMPV4_TYPE: (0, 8),
    F.ICMPV4_CODE: (0,),
    F.VLAN_TCI: (0, VLAN_PRESENT | 5, VLAN_PRESENT | 6),
}
_MASKED = frozenset((*METADATA, *ETHERNET, *_V4, *_V6, F.CT_STATE, F.TCP_FLAGS, F.TCP_DST))


def values(field: Field) -> st.SearchStrategy[int]:
    """Values that flows and packets are likely to have in common."""
    return st.sampled_from(_POOL.get(field, (0, 1, 2, 3)))


def subfields(fields: tuple[Field, ...], bits: int) -> st.SearchStrategy[Subfield]:
    """Subfields of a width, of fields that are at least as wide."""
    wide = [field for field in fields if field.bits >= bits]
    return st.builds(Subfield, st.sampled_from(wide), st.just(0), st.just(bits))


@st.composite
def conditions(draw: st.DrawFn, kind: str) -> dict[Field, MatchValue]:
    """A match for a kind of packet; some fields under masks."""
    certain, matched, _ = KINDS[kind]
    chosen: dict[Field, MatchValue] = dict(certain)
    candidates = (F.IN_PORT, *METADATA, *ETHERNET, F.VLAN_TCI, *matched)
    how_many = draw(st.sampled_from((0, 0, 1, 2)))
    for field in draw(st.lists(st.sampled_from(candidates), max_size=how_many, unique=True)):
        if field in chosen:
            continue
        value = draw(values(field))
        masked = field in _MASKED and draw(st.booleans())
        width = 0xFF if field is F.CT_STATE else field.full_mask
        chosen[field] = (value, draw(st.integers(1, width)) & width) if masked else value
    return chosen


@st.composite
def writes(draw: st.DrawFn, kind: str) -> Action:
    """A set_field or move that the kind of packet allows."""
    targets = (*METADATA, *ETHERNET, *KINDS[kind][2])
    target = draw(st.sampled_from(targets))
    if draw(st.booleans()):
        return SetField(target, draw(values(target)), target.full_mask)
    if target is F.ARP_OP:  # where it becomes 0, Open vSwitch writes no field of the ARP header at all
        target = F.ARP_SHA
    bits = min(target.bits, draw(st.sampled_from((4, 8, 32, 48))))
    readable = (*METADATA, *ETHERNET, *KINDS[kind][2])
    return Move(
        draw(subfields(readable, bits)), Subfield(target, draw(st.integers(0, target.bits - bits)), bits)
    )


@st.composite
def tunnelled(draw: st.DrawFn) -> tuple[Action, ...]:
    """Send to some tunnel endpoint."""
    endpoint = draw(st.sampled_from(ENDPOINTS))
    return SetField(F.TUN_DST, endpoint, F.TUN_DST.full_mask), Output(TUNNEL_PORT)


def outputs() -> st.SearchStrategy[Action]:
    """Ways out."""
    ports = st.builds(Output, st.sampled_from((*PORTS, IN_PORT, TUNNEL_PORT)))
    by_register = st.just(OutputField(Subfield(F.REG0, 0, 16)))
    return st.one_of(ports, ports, by_register, st.just(SendToController(b"\x01")))


@st.composite
def action_lists(draw: st.DrawFn, kind: str, table: int, depth: int = 0) -> tuple[Action, ...]:
    """What a flow of a table may do; jumps lead to later tables, so that every packet comes to an end."""
    single = [
        writes(kind),
        writes(kind),
        outputs(),
        outputs(),
        st.just(PushVlan(EthType.VLAN)),
        st.just(PopVlan()),
    ]
    if kind in ("ipv4", "ipv6", "tcp", "udp6"):
        single += [
            st.just(DecrementTtl()),
            st.just(ConntrackClear()),
            st.just(Conntrack(zone=1, commit=True)),
        ]
    later = st.integers(table + 1, TABLES)
    if table < TABLES:
        single.append(st.builds(Resubmit, later, st.sampled_from((None, *PORTS))))
        if kind in ("ipv4", "ipv6", "tcp", "udp6"):
            zones = st.one_of(st.just(2), st.just(Subfield(F.REG1, 0, 16)))
            single.append(st.builds(Conntrack, zone=zones, table=later))
    if not depth:
        single.append(st.builds(SendToGroup, st.sampled_from((1, 2, 3))))
        single.append(st.builds(Clone, action_lists(kind, table, 1).filter(bool)))
    parts = draw(
        st.lists(st.one_of(*single).map(lambda action: (action,)) | tunnelled(), min_size=1, max_size=5)
    )
    actions = tuple(action for part in parts for action in part)
    vlan_sensitive = [a for a in actions if isinstance(a, (PushVlan, PopVlan))]
    if len(vlan_sensitive) > 1 or (vlan_sensitive and depth):
        actions = tuple(a for a in actions if not isinstance(a, (PushVlan, PopVlan)))
    if table < TABLES and not depth and draw(st.booleans()):
        actions = (*actions, Goto(draw(later)))
    return actions


@st.composite
def flow_tables(draw: st.DrawFn) -> list[Flow]:
    """Some flows; no two of one table have the same priority, so that every lookup has one answer.

    Each table has a flow for whatever meets no other, which does something and mostly goes on, so that
    packets come far.
    """
    flows: list[Flow] = []
    for table in range(TABLES + 1):
        fallback: tuple[Action, ...] = (draw(writes("any")), draw(outputs()))
        if table < TABLES and draw(st.integers(0, 3)):
            fallback = (*fallback, Goto(draw(st.integers(table + 1, TABLES))))
        flows.append(Flow(table, 0, match(), fallback))
        kinds = draw(st.lists(st.sampled_from(sorted(KINDS)), min_size=3, max_size=8))
        for priority, kind in enumerate(kinds, start=1):
            condition = match(draw(conditions(kind)))
            tag = condition.get(F.VLAN_TCI)
            actions = draw(action_lists(kind, table))
            if tag is None or not tag.value:
                actions = without_pop(actions)
            state = condition.get(F.CT_STATE)
            if state is not None and state.value & CtState.INV:
                actions = without_commit(actions)
            flows.append(Flow(table, priority, condition, actions))
    return flows


def without_pop(actions: tuple[Action, ...]) -> tuple[Action, ...]:
    """pop_vlan is accepted only where a tag is certain."""
    return tuple(action for action in actions if not isinstance(action, PopVlan))


def without_commit(actions: tuple[Action, ...]) -> tuple[Action, ...]:
    """ct(commit) is refused where the match says that the packet is invalid (OFPBAC_MATCH_INCONSISTENT)."""
    copies = tuple(
        Clone(without_commit(action.actions)) if isinstance(action, Clone) else action for action in actions
    )
    return tuple(a for a in copies if not (isinstance(a, Conntrack) and a.commit or a == Clone(())))


@st.composite
def group_sets(draw: st.DrawFn) -> list[Group]:
    """Groups 1 (all), 2 (indirect) and 3 (fast failover), whose buckets write and send."""
    write = st.one_of(st.lists(writes("any"), max_size=1), st.just([PushVlan(EthType.VLAN)]))
    send = st.one_of(
        st.builds(Output, st.sampled_from((*PORTS, IN_PORT))), st.builds(Resubmit, st.just(TABLES))
    )

    def bucket(number: int, watch_port: int | None = None) -> Bucket:
        return Bucket(number, (*draw(write), *draw(st.lists(send, max_size=2))), watch_port=watch_port)

    return [
        Group(1, GroupType.ALL, tuple(bucket(n) for n in range(draw(st.integers(0, 3))))),
        Group(2, GroupType.INDIRECT, (bucket(1),)),
        Group(3, GroupType.FAST_FAILOVER, (bucket(1, watch_port=99), bucket(2, watch_port=1))),
    ]


@st.composite
def packets(draw: st.DrawFn) -> Packet:
    """A packet of some kind, arriving on a port."""
    macs = draw(st.permutations(MACS))
    pair = (macs[0], macs[1])
    v4 = draw(st.permutations(IPV4))
    v6 = draw(st.permutations(IPV6))
    ports = (draw(st.integers(0, 3)), draw(st.integers(0, 3)))
    packet = draw(
        st.sampled_from(
            [
                build.tcp(pair, (v4[0], v4[1]), ports, draw(values(F.TCP_FLAGS))),
                build.udp(pair, (v6[0], v6[1]), ports),
                build.udp(pair, (v4[0], v4[1]), ports),
                build.icmp(pair, (v4[0], v4[1])),
                build.arp_request(pair[0], v4[0], v4[1]),
                build.arp_reply(pair[0], v4[0], pair[1], v4[1]),
                build.neighbour_solicitation(pair[0], v6[0], v6[1]),
                build.neighbour_advertisement(pair, (v6[0], v6[1]), v6[0]),
                build.ethernet(*pair, EthType.LLDP),
            ]
        )
    )
    packet[F.IN_PORT] = draw(st.sampled_from(PORTS))
    packet[F.VLAN_TCI] = draw(values(F.VLAN_TCI))
    if packet[F.ETH_TYPE] in (EthType.IPV4, EthType.IPV6):
        packet[F.IP_TTL] = draw(values(F.IP_TTL))
    if packet[F.IP_PROTO] in (IpProto.TCP, IpProto.UDP):
        packet[F.IP_FRAG] = draw(st.sampled_from((0, 0, 1)))
    return packet
