"""What is printed is what ovs-ofctl(8) reads, and Open vSwitch takes it for every construct there is."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

import pytest
from tests.datapath.private_switch import PrivateSwitch, SwitchCommandError

from overlace.datapath.actions import (
    CONTROLLER,
    IN_PORT,
    LOCAL,
    PACKET_TYPE_ETHERNET,
    PACKET_TYPE_MPLS,
    Action,
    ApplyMeter,
    CheckPacketLarger,
    Clone,
    Conntrack,
    ConntrackClear,
    Decap,
    DecrementTtl,
    Encap,
    Goto,
    Learn,
    LearnLoad,
    LearnMatch,
    LearnOutput,
    Move,
    Note,
    Output,
    OutputField,
    PopMpls,
    PopVlan,
    PushMpls,
    PushVlan,
    Resubmit,
    SendToController,
    SendToGroup,
    SetField,
    Subfield,
    move,
    set_field,
    whole,
)
from overlace.datapath.fields import CtState, EthType, Field, IpProto
from overlace.datapath.flow import Bucket, Flow, Group, GroupType, Meter, MeterUnit
from overlace.datapath.match import Match, MatchValue, match
from overlace.datapath.prerequisites import NOT_MASKABLE, PREREQUISITE, READ_ONLY, Prerequisite
from overlace.datapath.text import (
    describe_flow,
    format_actions,
    format_flow,
    format_group,
    format_match,
    format_meter,
)

F = Field
P = Prerequisite

IPV4: dict[Field, MatchValue] = {F.ETH_TYPE: EthType.IPV4}
IPV6: dict[Field, MatchValue] = {F.ETH_TYPE: EthType.IPV6}
ICMPV6: dict[Field, MatchValue] = IPV6 | {F.IP_PROTO: IpProto.ICMPV6}
NEEDED: dict[Prerequisite, dict[Field, MatchValue]] = {
    P.NONE: {},
    P.ETHERNET: {},
    P.ARP: {F.ETH_TYPE: EthType.ARP},
    P.IPV4: IPV4,
    P.IPV6: IPV6,
    P.IP_ANY: IPV4,
    P.MPLS: {F.ETH_TYPE: EthType.MPLS},
    P.TCP: IPV4 | {F.IP_PROTO: IpProto.TCP},
    P.UDP: IPV6 | {F.IP_PROTO: IpProto.UDP},
    P.SCTP: IPV4 | {F.IP_PROTO: IpProto.SCTP},
    P.ICMPV4: IPV4 | {F.IP_PROTO: IpProto.ICMP},
    P.ICMPV6: ICMPV6,
    P.ND: ICMPV6 | {F.ICMPV6_TYPE: 135, F.ICMPV6_CODE: 0},
    P.ND_SOLICIT: ICMPV6 | {F.ICMPV6_TYPE: 135, F.ICMPV6_CODE: 0},
    P.ND_ADVERT: ICMPV6 | {F.ICMPV6_TYPE: 136, F.ICMPV6_CODE: 0},
}
"""A match that makes each prerequisite certain."""

A_VALUE: dict[Field, int] = {
    F.IN_PORT: 5,
    F.PACKET_TYPE: PACKET_TYPE_MPLS,
    F.ETH_TYPE: EthType.RARP,
    F.IP_FRAG: 1,
    F.CT_STATE: 0x21,
    F.ARP_OP: 2,
    F.ICMPV6_CODE: 0,
    F.VLAN_TCI: 0x1005,
}


MATCHABLE_BITS = {F.IP_FRAG: 0x3, F.CT_STATE: 0xFF}
"""Fields of which Open vSwitch knows less than their width."""


def value_of(field: Field) -> int:
    """Some value that the field can have."""
    return A_VALUE.get(field, 0x0102030405060708090A0B0C0D0E0F11 & field.full_mask)


def test_addresses_and_prefixes_are_written_as_people_write_them() -> None:
    condition = match(
        {
            F.ETH_TYPE: EthType.IPV4,
            F.ETH_DST: (0x010000000000, 0x010000000000),
            F.IPV4_SRC: IPv4Network("10.0.0.0/8"),
            F.IPV4_DST: IPv4Address("10.0.0.1"),
        }
    )
    assert format_match(condition) == (
        "eth_dst=01:00:00:00:00:00/01:00:00:00:00:00,eth_type=0x800,nw_src=10.0.0.0/8,nw_dst=10.0.0.1"
    )


def test_conntrack_states_are_written_with_plus_and_minus() -> None:
    tracked = CtState.TRK | CtState.EST
    condition = match({F.CT_STATE: (tracked, tracked | CtState.INV)})
    assert format_match(condition) == "ct_state=+est-inv+trk"


def test_a_flow_is_one_line() -> None:
    flow = Flow(
        table=10,
        priority=100,
        match=match({F.IN_PORT: 1}),
        actions=(set_field(F.REG1, 7), Output(IN_PORT), Goto(20)),
        cookie=0xAC,
        idle_timeout=5,
    )
    assert format_flow(flow) == (
        "table=10,priority=100,cookie=0xac,idle_timeout=5,in_port=1 "
        "actions=set_field:0x7->reg1,output:IN_PORT,goto_table:20"
    )


def test_no_action_is_called_drop() -> None:
    assert format_actions(()) == "drop"


def test_what_no_switch_can_do_has_no_text() -> None:
    with pytest.raises(ValueError, match="holes"):
        format_actions((SetField(F.MPLS_LABEL, 0, 0b101),))
    with pytest.raises(ValueError, match="under a mask"):
        format_match(match({F.ETH_TYPE: (0x800, 0xFF00)}))
    with pytest.raises(ValueError, match="never match"):
        format_match(match({F.IP_FRAG: (2, 3)}))


def test_what_a_switch_tells_all_the_same_is_named_with_what_is_wrong() -> None:
    told = Flow(3, 7, match({F.ETH_TYPE: (0x800, 0xFF00)}), (), 0x1F)
    assert describe_flow(told) == "table=3,priority=7,cookie=0x1f: eth_type cannot be matched under a mask"
    sound = Flow(3, 7, match({F.IN_PORT: 1}), ())
    assert describe_flow(sound) == format_flow(sound)


@pytest.mark.switch
@pytest.mark.parametrize("field", list(Field), ids=repr)
def test_open_vswitch_takes_a_match_on_every_field(switch: PrivateSwitch, field: Field) -> None:
    condition = match(NEEDED[PREREQUISITE[field]] | {field: value_of(field)})
    switch.add_flows([format_flow(Flow(1, 1, condition, ()))])
    if field not in NOT_MASKABLE:
        bits = MATCHABLE_BITS.get(field, field.full_mask & ~1)
        masked = match(NEEDED[PREREQUISITE[field]] | {field: (value_of(field) & bits, bits)})
        switch.add_flows([format_flow(Flow(2, 1, masked, ()))])


@pytest.mark.switch
@pytest.mark.parametrize("field", [field for field in Field if field in NOT_MASKABLE], ids=repr)
def test_open_vswitch_refuses_a_mask_where_we_say_so(switch: PrivateSwitch, field: Field) -> None:
    needed = format_match(match(NEEDED[PREREQUISITE[field]]))
    with pytest.raises(SwitchCommandError):
        switch.add_flows([f"{needed},{field.ovs_name}=0x1/0x1 actions=drop".lstrip(",")])


@pytest.mark.switch
@pytest.mark.parametrize("field", list(Field), ids=repr)
def test_open_vswitch_lets_the_same_fields_be_written(switch: PrivateSwitch, field: Field) -> None:
    needed = match(NEEDED[PREREQUISITE[field]])
    flow = Flow(1, 1, needed, (set_field(field, value_of(field)),))
    if field in READ_ONLY or field in (F.CT_MARK, F.CT_LABEL):
        with pytest.raises(SwitchCommandError):
            switch.add_flows([format_flow(flow)])
        return
    bit = SetField(field, 0, 1)
    whole_move = Move(whole(F.REG0), Subfield(F.REG1, 0, 32))
    switch.add_flows([format_flow(flow), format_flow(Flow(2, 1, needed, (bit, whole_move)))])


IP_ACTIONS: list[tuple[Action, ...]] = [
    (Output(5),),
    (Output(5, max_len=64), Output(IN_PORT), Output(LOCAL)),
    (Output(CONTROLLER, max_len=128),),
    (OutputField(whole(F.REG0)), OutputField(Subfield(F.REG1, 0, 16))),
    (set_field(F.IPV4_SRC, 5, 0xFF), set_field(F.IN_PORT, 0), Output(2)),
    (set_field(F.IN_PORT, LOCAL), Output(2)),
    (move(F.ETH_SRC, F.ETH_DST), Move(Subfield(F.IN_PORT, 0, 16), Subfield(F.REG1, 16, 16))),
    (Move(whole(F.IN_PORT), whole(F.REG1)),),
    (Resubmit(40), Resubmit(0, in_port=7), Resubmit(0, in_port=0), Goto(200)),
    (SendToGroup(1),),
    (ApplyMeter(1), Output(2)),
    (Conntrack(zone=5, table=31),),
    (Conntrack(zone=Subfield(F.REG4, 0, 16), commit=True, force=True, table=31),),
    (
        Conntrack(
            zone=1, commit=True, set_fields=(set_field(F.CT_MARK, 5, 0xFF), set_field(F.CT_LABEL, 1 << 100))
        ),
    ),
    (ConntrackClear(), DecrementTtl(), Note(b"\x01\x02")),
    (SendToController(b"\x01\x02\xff", max_len=128, controller_id=7, meter_id=1),),
    (SendToController(b""),),
    (CheckPacketLarger(1400, Subfield(F.REG0, 3, 1)),),
    (PushVlan(EthType.VLAN), set_field(F.VLAN_TCI, 0x1005), PopVlan(), PushVlan(EthType.QINQ)),
    (PushMpls(EthType.MPLS), set_field(F.MPLS_LABEL, 16), PopMpls(EthType.IPV4), set_field(F.IP_TTL, 9)),
    (
        Encap(PACKET_TYPE_MPLS),
        set_field(F.MPLS_TC, 5),
        SetField(F.MPLS_LABEL, 16, 0xFFFF0),
        Encap(PACKET_TYPE_ETHERNET),
        set_field(F.ETH_SRC, 1),
    ),
    (Clone((set_field(F.REG0, 1), Clone((Output(3),)), Resubmit(9))), Output(2)),
]


@pytest.mark.switch
@pytest.mark.parametrize("actions", IP_ACTIONS, ids=format_actions)
def test_open_vswitch_takes_every_action(switch: PrivateSwitch, actions: tuple[Action, ...]) -> None:
    switch.ofctl("add-meter", "br-int", format_meter(Meter(1, MeterUnit.KBPS, 1000)))
    switch.ofctl("add-group", "br-int", format_group(Group(1, GroupType.ALL, (Bucket(1, (Output(2),)),))))
    switch.add_flows([format_flow(Flow(5, 1, match(IPV4), actions))])


@pytest.mark.switch
def test_open_vswitch_takes_decap(switch: PrivateSwitch) -> None:
    label: dict[Field, MatchValue] = {F.ETH_TYPE: EthType.MPLS, F.MPLS_BOS: 1}
    switch.add_flows(
        [
            format_flow(Flow(5, 1, match(label), (Decap(), Decap(PACKET_TYPE_ETHERNET), Resubmit(6)))),
            format_flow(Flow(5, 2, match(label), (Decap(), Decap(0x10800), Resubmit(6)))),
        ]
    )


LEARN_SPECS = [
    (LearnMatch(whole(F.ETH_DST), whole(F.ETH_SRC)),),
    (LearnMatch(whole(F.ETH_TYPE), EthType.IPV4), LearnMatch(whole(F.IPV4_DST), whole(F.IPV4_SRC))),
    (LearnMatch(Subfield(F.REG1, 0, 16), Subfield(F.IN_PORT, 0, 16)),),
    (LearnMatch(whole(F.ETH_DST), 0x020000000001), LearnMatch(whole(F.METADATA), 77)),
    (LearnMatch(Subfield(F.REG1, 4, 8), 3), LearnMatch(Subfield(F.VLAN_TCI, 0, 12), 5)),
    (LearnLoad(whole(F.TUN_DST), whole(F.TUN_SRC)), LearnLoad(Subfield(F.TUN_ID, 0, 24), 5001)),
    (LearnLoad(whole(F.IN_PORT), 0), LearnOutput(Subfield(F.IN_PORT, 0, 16))),
    (LearnOutput(whole(F.REG2)),),
]


@pytest.mark.switch
@pytest.mark.parametrize("specs", LEARN_SPECS, ids=repr)
def test_open_vswitch_takes_every_way_of_learning(
    switch: PrivateSwitch, specs: tuple[LearnMatch | LearnLoad | LearnOutput, ...]
) -> None:
    learn = Learn(
        5, 7, 0xAC, specs, idle_timeout=3, hard_timeout=60, send_flow_removed=True, delete_learned=True
    )
    switch.add_flows([format_flow(Flow(1, 1, match(IPV4), (learn,)))])


@pytest.mark.switch
@pytest.mark.parametrize(
    "condition",
    [
        match({F.TUN_IPV6_SRC: IPv6Network("fd00::/16"), F.TUN_IPV6_DST: IPv6Address("fd00::1")}),
        match({F.TUN_SRC: IPv4Network("10.0.0.0/9"), F.TUN_ID: (5, 0xFF)}),
        match({F.CT_STATE: (CtState.TRK, 0xFF), F.CT_LABEL: (1, 3), F.CT_MARK: (1, 3)}),
        match({F.VLAN_TCI: 0}),
        match({F.VLAN_TCI: (0x1000, 0x1000)}),
        match(IPV4 | {F.IP_FRAG: (0, 2)}),
        match(IPV4 | {F.IP_FRAG: (0, 3)}),
        match(IPV4 | {F.IP_FRAG: 3}),
        match(IPV4 | {F.IP_FRAG: 0}),
        match(IPV4 | {F.IP_FRAG: (1, 1)}),
        match({F.IN_PORT: LOCAL}),
        match({F.IN_PORT: CONTROLLER}),
    ],
    ids=format_match,
)
def test_open_vswitch_takes_every_form_of_condition(switch: PrivateSwitch, condition: Match) -> None:
    switch.add_flows([format_flow(Flow(1, 1, condition, ()))])


@pytest.mark.switch
@pytest.mark.parametrize(
    "group",
    [
        Group(7, GroupType.ALL, (Bucket(1, (Output(1),)), Bucket(2, (set_field(F.REG1, 1), Resubmit(5))))),
        Group(7, GroupType.INDIRECT, (Bucket(1, (Output(1),)),)),
        Group(7, GroupType.SELECT, (Bucket(1, (Output(1),), weight=2), Bucket(2, (), weight=1)), "dp_hash"),
        Group(7, GroupType.SELECT, (Bucket(1, (Output(1),), weight=2),), "hash"),
        Group(7, GroupType.SELECT, (Bucket(1, (Output(1),), weight=1),)),
        Group(
            7, GroupType.FAST_FAILOVER, (Bucket(1, (Output(1),), watch_port=1), Bucket(2, (), watch_port=2))
        ),
        Group(7, GroupType.ALL, ()),
    ],
    ids=format_group,
)
def test_open_vswitch_takes_every_group(switch: PrivateSwitch, group: Group) -> None:
    switch.ofctl("add-group", "br-int", format_group(group))


@pytest.mark.switch
@pytest.mark.parametrize(
    "meter", [Meter(1, MeterUnit.KBPS, 1000, 100), Meter(2, MeterUnit.PKTPS, 50)], ids=format_meter
)
def test_open_vswitch_takes_every_meter(switch: PrivateSwitch, meter: Meter) -> None:
    switch.ofctl("add-meter", "br-int", format_meter(meter))
