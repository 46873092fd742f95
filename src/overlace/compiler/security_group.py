"""Security groups: rules as flows keyed by group, and members as flows keyed by remote group.

A port asks each of its groups in turn, and a group asks once for its rules without a remote group and once for
each remote group that its rules name; any yes is a yes. So the flows of a group are the same on every host,
those of two groups never meet, and a group's new member is one flow an address.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from overlace.compiler.pipeline import GROUP, REMOTE_GROUP, CookieClass, Flag, Table, cookie
from overlace.compiler.plan import Fragment
from overlace.compiler.port_range import masked_ranges
from overlace.compiler.reader import Reader
from overlace.compiler.rule import IPV4, IPV6, Conditions, raise_flag, rule, visit
from overlace.compiler.unit import Memberships, Output, UnitId, group_audience, member_audience
from overlace.datapath.actions import Action, set_field
from overlace.datapath.fields import Field, IpProto
from overlace.datapath.flow import Flow
from overlace.datapath.match import MatchValue
from overlace.kit.addresses import IPAddress, IPNetwork, narrowest
from overlace.model.policy import Direction, EtherType, SecurityGroup, SecurityGroupRule
from overlace.model.port import AddressPair, FixedIp, Port
from overlace.model.snapshot import Key, Snapshot

_PROTOCOLS = {
    "ah": 51, "dccp": 33, "egp": 8, "esp": 50, "gre": 47, "hopopt": 0, "icmp": 1, "icmpv6": 58, "igmp": 2,
    "ip": 0, "ipip": 4, "ipv6-encap": 41, "ipv6-frag": 44, "ipv6-icmp": 58, "ipv6-nonxt": 59, "ipv6-opts": 60,
    "ipv6-route": 43, "ospf": 89, "pgm": 113, "rsvp": 46, "sctp": 132, "tcp": 6, "udp": 17, "udplite": 136,
    "vrrp": 112,
}  # fmt: skip
_ANY = frozenset({None, "any"})
_PORTS = {
    IpProto.TCP: Field.TCP_DST,
    IpProto.UDP: Field.UDP_DST,
    IpProto.SCTP: Field.SCTP_DST,
}


@dataclass(frozen=True, slots=True)
class GroupView:
    """A group, its rules, and the keys of the remote groups they name."""

    id: str
    key: int
    rules: tuple[SecurityGroupRule, ...]
    remote_keys: tuple[tuple[str, int], ...]


def project(reader: Reader, unit: UnitId) -> GroupView | None:
    """Read a group and its rules."""
    group = reader.get(SecurityGroup, unit[0])
    if group is None:
        return None
    rules = sorted(reader.members(SecurityGroupRule, "security_group", group.id), key=lambda each: each.id)
    names = sorted({each.remote_group_id for each in rules if each.remote_group_id})
    remotes = ((name, reader.get(SecurityGroup, name)) for name in names)
    keys = tuple((name, remote.key) for name, remote in remotes if remote is not None)
    return GroupView(group.id, group.key, tuple(rules), keys)


def build(group: GroupView) -> Output:
    """The fragment of the group, and the member audiences its hosts must be in."""
    fragment = Fragment.made_of(("security_group", group.id), _flows, group)
    includes = tuple((group_audience(group.id), member_audience(name)) for name, _ in group.remote_keys)
    return Output((fragment.to(group_audience(group.id)),), Memberships(includes=includes))


def _flows(group: GroupView) -> Iterable[Flow]:
    mark = cookie(CookieClass.SECURITY_GROUP, group.key)
    flows: dict[object, Flow] = {}
    for direction in Direction:
        for flow in _direction_flows(group, direction, mark):
            flows.setdefault(flow.key, flow)  # two rules may say the same
    return flows.values()


def _direction_flows(group: GroupView, direction: Direction, mark: int) -> list[Flow]:
    group_table, rule_table, member_table = _tables(direction)
    rules = [each for each in group.rules if each.direction is direction]
    keys = dict(group.remote_keys)
    asked = sorted({keys[each.remote_group_id] for each in rules if each.remote_group_id in keys})
    lookups: list[Action] = []
    for key in (0, *asked):
        lookups += (set_field(REMOTE_GROUP, key), visit(rule_table))
    flows = [rule(group_table, 100, {GROUP: group.key}, mark, *lookups)]
    for each in rules:
        remote = 0 if each.remote_group_id is None else keys.get(each.remote_group_id)
        if remote is None:
            continue  # a group that is gone has no members
        found = raise_flag(Flag.PERMITTED) if remote == 0 else visit(member_table)
        for conditions in rule_conditions(each):
            whole = {GROUP: group.key, REMOTE_GROUP: remote, **conditions}
            flows.append(rule(rule_table, 100, whole, mark, found))
    return flows


def _tables(direction: Direction) -> tuple[Table, Table, Table]:
    if direction is Direction.EGRESS:
        return Table.EGRESS_GROUP, Table.EGRESS_RULE, Table.EGRESS_MEMBER
    return Table.INGRESS_GROUP, Table.INGRESS_RULE, Table.INGRESS_MEMBER


def rule_conditions(each: SecurityGroupRule) -> list[Conditions]:
    """What the rule matches, apart from a remote group; several where a port range needs several masks."""
    family = IPV4 if each.ethertype is EtherType.IPV4 else IPV6
    conditions: dict[Field, MatchValue] = dict(family)
    if each.remote_ip_prefix is not None and each.remote_ip_prefix.prefixlen:
        conditions[_remote_field(each.ethertype, each.direction)] = each.remote_ip_prefix
    number = protocol_number(each.protocol, each.ethertype)
    if number is None:
        return [conditions]
    conditions[Field.IP_PROTO] = number
    return [{**conditions, **more} for more in _transport(number, each)]


def protocol_number(protocol: str | None, ethertype: EtherType) -> int | None:
    """IANA number of a rule's protocol; None for any. ``icmp`` in an IPv6 rule means ICMPv6, as in Neutron."""
    if protocol in _ANY or protocol is None:
        return None
    number = int(protocol) if protocol.isdigit() else _PROTOCOLS[protocol]
    return IpProto.ICMPV6 if number == IpProto.ICMP and ethertype is EtherType.IPV6 else number


def _transport(number: int, each: SecurityGroupRule) -> list[Conditions]:
    low, high = each.port_range_min, each.port_range_max
    if number in (IpProto.ICMP, IpProto.ICMPV6):
        kind, code = (
            (Field.ICMPV4_TYPE, Field.ICMPV4_CODE)
            if number == IpProto.ICMP
            else (Field.ICMPV6_TYPE, Field.ICMPV6_CODE)
        )
        exact: dict[Field, MatchValue] = {}
        if low is not None:
            exact[kind] = low
        if high is not None:
            exact[code] = high
        return [exact]
    if number not in _PORTS or low is None:
        return [{}]
    return [
        {_PORTS[number]: each_mask} for each_mask in masked_ranges(low, high if high is not None else low)
    ]


def _remote_field(ethertype: EtherType, direction: Direction) -> Field:
    if ethertype is EtherType.IPV4:
        return Field.IPV4_SRC if direction is Direction.INGRESS else Field.IPV4_DST
    return Field.IPV6_SRC if direction is Direction.INGRESS else Field.IPV6_DST


@dataclass(frozen=True, slots=True)
class MemberView:
    """A port as a member of a group."""

    group_id: str
    group_key: int
    port_id: str
    fixed_ips: tuple[FixedIp, ...]
    pairs: tuple[AddressPair, ...]


def project_member(reader: Reader, unit: UnitId) -> tuple[MemberView, ...] | None:
    """Read a port's memberships. It counts with every address that it may use, as in Neutron."""
    port = reader.near.get(Port, unit[0])
    if port is None:
        return None
    groups = (reader.near.get(SecurityGroup, name) for name in sorted(port.security_groups))
    return tuple(
        MemberView(each.id, each.key, port.id, port.fixed_ips, port.allowed_address_pairs)
        for each in groups
        if each is not None
    )


def kin_of_group(key: Key, snapshot: Snapshot) -> Iterable[UnitId]:
    """The ports in a group."""
    if len(key) != 2 or key[0] is not SecurityGroup:
        return ()
    return [(each.id,) for each in snapshot.members(Port, "security_group", key[1])]


def build_members(memberships: tuple[MemberView, ...]) -> Output:
    """Per group, one fragment for the hosts that ask for its members. Two ports of a group may share an
    address on different networks; their flows are equal, and a switch keeps the one until both are gone."""
    return Output(tuple([_member_fragment(each) for each in memberships]))


def _member_fragment(member: MemberView) -> Fragment:
    fragment = Fragment.made_of(("member", member.group_id, member.port_id), _members, member)
    return fragment.to(member_audience(member.group_id))


def _members(member: MemberView) -> Iterator[Flow]:
    mark = cookie(CookieClass.MEMBER, member.group_key)
    own = (ip.ip_address for ip in member.fixed_ips)
    allowed = (narrowest(pair.ip_address) for pair in member.pairs)
    for address in dict.fromkeys((*own, *allowed)):
        yield from _member_flows(member.group_key, address, mark)


def _member_flows(group_key: int, prefix: IPAddress | IPNetwork, mark: int) -> list[Flow]:
    version = EtherType.IPV4 if prefix.version == 4 else EtherType.IPV6
    family = IPV4 if version is EtherType.IPV4 else IPV6
    flows = []
    for table, direction in (
        (Table.INGRESS_MEMBER, Direction.INGRESS),
        (Table.EGRESS_MEMBER, Direction.EGRESS),
    ):
        conditions = {REMOTE_GROUP: group_key, **family, _remote_field(version, direction): prefix}
        flows.append(rule(table, 100, conditions, mark, raise_flag(Flag.PERMITTED)))
    return flows
