"""Each action and rule of ovs-actions(7), told as a packet that meets it."""

from ipaddress import IPv4Address, IPv6Address

import pytest

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
    Subfield,
    move,
    set_field,
    whole,
)
from overlace.datapath.fields import VLAN_PRESENT, CtState, EthType, Field
from overlace.datapath.flow import Bucket, Flow, Group, GroupType
from overlace.datapath.interpreter import (
    Committed,
    Dropped,
    Packet,
    Sent,
    Surroundings,
    Tables,
    ToController,
    build,
    effects,
    format_trace,
    run,
)
from overlace.datapath.interpreter.conntrack import AssumedConntrack
from overlace.datapath.interpreter.pipeline import MAX_DEPTH, MAX_RECIRCULATIONS, MAX_RESUBMITS
from overlace.datapath.match import MatchValue, match

F = Field
A, B = 0x020000000001, 0x020000000002
V4 = (IPv4Address("10.0.0.1"), IPv4Address("10.0.0.2"))
V6 = (IPv6Address("fd00::1"), IPv6Address("fd00::2"))
PACKET = build.tcp((A, B), V4, (1000, 80))


def flow(
    table: int, *actions: Action, when: dict[Field, MatchValue] | None = None, priority: int = 1
) -> Flow:
    return Flow(table, priority, match(when), actions)


def through(*flows: Flow, packet: Packet = PACKET, groups: tuple[Group, ...] = ()) -> list[Sent]:
    """What is sent when `packet` arrives on port 1."""
    return [e for e in effects(Tables(flows, groups), packet, 1) if isinstance(e, Sent)]


def ports(sent: list[Sent]) -> list[int]:
    return [one.port for one in sent]


# Ways out


def test_output_sends_the_packet_as_it_is_by_then() -> None:
    sent = through(flow(0, Output(2), set_field(F.ETH_SRC, 7), Output(3)))
    assert [(one.port, one.packet[F.ETH_SRC]) for one in sent] == [(2, A), (3, 7)]


def test_output_to_the_input_port_needs_the_word_in_port() -> None:
    assert ports(through(flow(0, Output(1), Output(2)))) == [2]
    assert ports(through(flow(0, Output(IN_PORT)))) == [1]


def test_whatever_in_port_has_been_set_to_counts_as_the_input_port() -> None:
    assert ports(through(flow(0, set_field(F.IN_PORT, 0), Output(1), Output(IN_PORT)))) == [1]
    assert ports(through(flow(0, set_field(F.IN_PORT, 5), Output(5), Output(IN_PORT)))) == [5]


def test_output_to_a_register_takes_16_bit_numbers_of_reserved_ports_too() -> None:
    by_register = OutputField(Subfield(F.REG0, 0, 16))
    assert ports(through(flow(0, set_field(F.REG0, 9), by_register))) == [9]
    assert ports(through(flow(0, set_field(F.REG0, 0xFFFE), by_register))) == [LOCAL]
    assert ports(through(flow(0, set_field(F.REG0, 70000), OutputField(whole(F.REG0))))) == []


def test_output_to_a_port_that_is_not_there_does_nothing() -> None:
    around = Surroundings(ports={1, 2})
    (sent, *rest) = effects(Tables([flow(0, Output(9), Output(2))]), PACKET, 1, around)
    assert isinstance(sent, Sent) and sent.port == 2 and not rest


def test_a_packet_in_carries_userdata_and_leaves_the_packet_to_go_on() -> None:
    tables = Tables([flow(0, SendToController(b"\x01", max_len=64, controller_id=3), Output(2))])
    event, sent = effects(tables, PACKET, 1)
    assert isinstance(event, ToController) and isinstance(sent, Sent)
    assert (event.userdata, event.max_len, event.controller_id, event.reason) == (b"\x01", 64, 3, "action")


def test_output_to_the_controller_port_is_a_packet_in() -> None:
    (event,) = effects(Tables([flow(0, Output(CONTROLLER, max_len=128))]), PACKET, 1)
    assert isinstance(event, ToController) and event.max_len == 128


def test_a_packet_nobody_wants_is_dropped_and_it_is_said_where() -> None:
    (missed,) = effects(Tables(), PACKET, 1)
    assert missed == Dropped("no flow in table 0", None)
    deny = flow(5)
    (dropped,) = effects(Tables([flow(0, Goto(5)), deny]), PACKET, 1)
    assert dropped == Dropped("drop", deny)


# Fields


def test_writing_a_field_that_the_packet_lacks_does_nothing() -> None:
    (sent,) = through(
        flow(0, set_field(F.ARP_OP, 2), set_field(F.UDP_DST, 5), move(F.ARP_SPA, F.REG0), Output(2))
    )
    assert sent.packet.replace({F.IN_PORT: 0}) == PACKET


def test_writing_under_a_mask_keeps_the_other_bits() -> None:
    (sent,) = through(flow(0, set_field(F.REG0, 0xFF), set_field(F.REG0, 0x0A, 0x0F), Output(2)))
    assert sent.packet[F.REG0] == 0xFA


def test_move_copies_bits_to_any_place() -> None:
    (sent,) = through(flow(0, Move(Subfield(F.ETH_SRC, 40, 8), Subfield(F.REG1, 16, 8)), Output(2)))
    assert sent.packet[F.REG1] == 0x02 << 16


def test_check_packet_larger_counts_the_whole_frame_with_its_tag() -> None:
    check = flow(0, CheckPacketLarger(1000, Subfield(F.REG0, 3, 1)), Output(2))
    for length, tag, larger in ((1000, 0, 0), (1001, 0, 8), (1000, VLAN_PRESENT, 8), (996, VLAN_PRESENT, 0)):
        packet = build.tcp((A, B), V4, (1, 2), length=length).replace({F.VLAN_TCI: tag})
        (sent,) = through(check, packet=packet)
        assert sent.packet[F.REG0] == larger


def test_ttl_is_decremented_down_to_one() -> None:
    (sent,) = through(flow(0, DecrementTtl(), Output(2)), packet=PACKET.replace({F.IP_TTL: 2}))
    assert sent.packet[F.IP_TTL] == 1


def test_ttl_exceeded_ends_this_list_of_actions_but_not_the_outer_one() -> None:
    tables = Tables([flow(0, Resubmit(1), Output(3)), flow(1, DecrementTtl(), Output(2))])
    event, sent = effects(tables, PACKET.replace({F.IP_TTL: 1}), 1)
    assert isinstance(event, ToController) and event.reason == "invalid_ttl"
    assert isinstance(sent, Sent) and sent.port == 3


def test_the_hop_limit_of_ipv6_is_a_ttl() -> None:
    (sent,) = through(flow(0, DecrementTtl(), Output(2)), packet=build.udp((A, B), V6, (1, 2)))
    assert sent.packet[F.IP_TTL] == 63


def test_a_note_does_nothing() -> None:
    (sent,) = through(flow(0, Note(b"1"), Output(2)))
    assert sent.port == 2


# Tables


def test_the_highest_priority_wins() -> None:
    low, high = flow(0, Output(2)), flow(0, Output(3), when={F.ETH_SRC: A}, priority=2)
    assert ports(through(low, high)) == [3]


def test_resubmit_comes_back_and_registers_are_shared() -> None:
    sent = through(
        flow(0, Resubmit(1), OutputField(whole(F.REG0)), Output(9)), flow(1, set_field(F.REG0, 4), Output(2))
    )
    assert ports(sent) == [2, 4, 9]


def test_a_port_given_to_resubmit_counts_for_the_search_only() -> None:
    inner = flow(1, Output(7), Output(1), when={F.IN_PORT: 7})
    assert ports(through(flow(0, Resubmit(1, in_port=7)), inner)) == [7]


def test_goto_does_not_come_back() -> None:
    assert ports(through(flow(0, Resubmit(1), Output(2)), flow(1, Goto(3)), flow(3, Output(5)))) == [5, 2]


def counting(last: int, *end: Action) -> list[Flow]:
    """Table 1 resubmits to itself `last` times, then does `end`."""
    counted = (flow(1, set_field(F.REG0, n + 1), Resubmit(1), when={F.REG0: n}) for n in range(last))
    return [flow(0, Output(3), Resubmit(1)), *counted, flow(1, *end, when={F.REG0: last})]


def test_recursion_has_a_limit_and_beyond_it_the_packet_is_lost_altogether() -> None:
    assert ports(through(*counting(MAX_DEPTH, Output(2)))) == [3, 2]
    assert ports(through(*counting(MAX_DEPTH + 1, Output(2)))) == []
    assert ports(through(*counting(MAX_DEPTH, Resubmit(2)), flow(2, Output(2)))) == []


def test_the_number_of_resubmits_has_a_limit() -> None:
    inner = flow(1, *[Resubmit(2)] * 63)
    exactly = flow(0, *[Resubmit(1)] * (MAX_RESUBMITS // 64), Output(2))
    one_more = flow(0, *[Resubmit(1)] * (MAX_RESUBMITS // 64), Resubmit(2), Output(2))
    assert ports(through(exactly, inner)) == [2]
    assert effects(Tables([one_more, inner]), PACKET, 1)[-1] == Dropped("too many resubmits", inner)


def test_a_match_on_data_means_ethernet_unless_it_says_otherwise() -> None:
    sent = through(
        flow(0, Encap(PACKET_TYPE_MPLS), Resubmit(1), Resubmit(2)),
        flow(1, Encap(PACKET_TYPE_ETHERNET), Output(2), when={F.ETH_TYPE: EthType.MPLS}),
        flow(2, Encap(PACKET_TYPE_ETHERNET), Output(3), when={F.PACKET_TYPE: PACKET_TYPE_MPLS}),
    )
    assert ports(sent) == [3]


# Copies


def test_clone_gives_everything_back() -> None:
    sent = through(flow(0, Clone((set_field(F.ETH_SRC, 7), set_field(F.REG0, 5), Output(2))), Output(3)))
    assert [(one.port, one.packet[F.ETH_SRC], one.packet[F.REG0]) for one in sent] == [(2, 7, 5), (3, A, 0)]


def group_of(kind: GroupType, *buckets: Bucket) -> Group:
    return Group(7, kind, buckets)


def test_each_bucket_of_an_all_group_works_on_the_same_packet() -> None:
    group = group_of(
        GroupType.ALL, Bucket(1, (Output(2), set_field(F.ETH_SRC, 7))), Bucket(2, (Output(3),)), Bucket(3, ())
    )
    sent = through(flow(0, SendToGroup(7), Output(4)), groups=(group,))
    assert [(one.port, one.packet[F.ETH_SRC]) for one in sent] == [(2, 7), (3, A), (4, A)]


def test_a_bucket_is_a_set_of_which_one_action_sends() -> None:
    group = group_of(
        GroupType.INDIRECT, Bucket(1, (Resubmit(5), Output(2), set_field(F.ETH_SRC, 7), Output(3)))
    )
    sent = through(flow(0, SendToGroup(7)), flow(5, Output(9)), groups=(group,))
    assert [(one.port, one.packet[F.ETH_SRC]) for one in sent] == [(3, 7)]


def test_fast_failover_takes_the_first_bucket_that_lives() -> None:
    group = group_of(
        GroupType.FAST_FAILOVER, Bucket(1, (Output(2),), watch_port=2), Bucket(2, (Output(3),), watch_port=3)
    )
    tables = Tables([flow(0, SendToGroup(7))], [group])
    for dead, expected in ((set[int](), [2]), ({2}, [3]), ({2, 3}, [])):
        around = Surroundings(port_is_live=lambda port, dead=dead: port not in dead)  # type: ignore[misc]
        assert ports([e for e in effects(tables, PACKET, 1, around) if isinstance(e, Sent)]) == expected


def test_select_keeps_a_connection_on_a_bucket_and_shares_by_weight() -> None:
    group = group_of(
        GroupType.SELECT,
        Bucket(1, (Output(2),), weight=1),
        Bucket(2, (Output(3),), weight=3),
        Bucket(3, (Output(4),), weight=0),
    )
    chosen = [
        through(flow(0, SendToGroup(7)), packet=build.tcp((A, B), V4, (n, 80)), groups=(group,))[0].port
        for n in range(400)
    ]
    again = through(flow(0, SendToGroup(7)), packet=build.tcp((A, B), V4, (5, 80)), groups=(group,))[0].port
    assert again == chosen[5]
    assert 50 < chosen.count(2) < 150 and chosen.count(4) == 0


def test_the_choice_of_a_select_group_can_be_given() -> None:
    group = group_of(GroupType.SELECT, Bucket(1, (Output(2),), weight=1), Bucket(2, (Output(3),), weight=1))
    around = Surroundings(choose_bucket=lambda _group, _packet, buckets: buckets[-1])
    (sent,) = effects(Tables([flow(0, SendToGroup(7))], [group]), PACKET, 1, around)
    assert isinstance(sent, Sent) and sent.port == 3


# Meters


def test_a_meter_that_is_exhausted_ends_the_packet_but_not_what_it_has_done() -> None:
    tables = Tables([flow(0, Output(2), ApplyMeter(1), Output(3))])
    full = Surroundings(meter_passes=lambda _meter, _packet: False)
    assert [type(e).__name__ for e in effects(tables, PACKET, 1)] == ["Sent", "Sent"]
    assert [e.port for e in effects(tables, PACKET, 1, full) if isinstance(e, Sent)] == [2]


def test_a_metered_packet_in_does_not_hold_up_the_packet() -> None:
    tables = Tables([flow(0, SendToController(b"", meter_id=1), Output(2))])
    full = Surroundings(meter_passes=lambda _meter, _packet: False)
    (sent,) = effects(tables, PACKET, 1, full)
    assert isinstance(sent, Sent)


# Connection tracking


def test_ct_with_a_table_starts_a_branch_that_knows_the_state() -> None:
    tables = Tables(
        [
            flow(0, Conntrack(zone=5, table=3), Output(9)),
            flow(3, Output(2), when={F.CT_STATE: CtState.TRK | CtState.EST, F.CT_ZONE: 5, F.CT_MARK: 8}),
        ]
    )
    around = Surroundings(conntrack=AssumedConntrack(CtState.EST, mark=8))
    branch, original = effects(tables, PACKET, 1, around)
    assert isinstance(branch, Sent) and isinstance(original, Sent)
    assert (branch.port, original.port) == (2, 9)
    assert original.packet[F.CT_STATE] == 0


def test_after_ct_the_packet_itself_is_untracked_again() -> None:
    sent = through(
        flow(0, Conntrack(zone=5, table=3)),
        flow(3, Conntrack(zone=5, commit=True), Resubmit(4)),
        flow(4, Output(2), when={F.CT_STATE: 0}),
    )
    assert ports(sent) == [2]


def test_registers_go_along_into_the_branch() -> None:
    sent = through(
        flow(0, set_field(F.REG3, 5), Conntrack(zone=Subfield(F.REG3, 0, 16), table=3)),
        flow(3, Output(2), when={F.REG3: 5, F.CT_ZONE: 5}),
    )
    assert ports(sent) == [2]


def test_a_commit_is_told_with_what_it_writes() -> None:
    write = (set_field(F.CT_MARK, 1),)
    committed, sent = effects(
        Tables([flow(0, Conntrack(zone=5, commit=True, force=True, set_fields=write), Output(2))]), PACKET, 1
    )
    assert isinstance(committed, Committed) and isinstance(sent, Sent)
    assert (committed.zone, committed.force, committed.set_fields) == (5, True, write)


def test_ct_clear_forgets() -> None:
    sent = through(
        flow(0, Conntrack(zone=5, table=3)),
        flow(3, ConntrackClear(), Resubmit(4)),
        flow(4, Output(2), when={F.CT_STATE: 0, F.CT_ZONE: 0}),
    )
    assert ports(sent) == [2]


def test_recirculation_has_a_limit() -> None:
    chain = [flow(n, Conntrack(zone=0, table=n + 1)) for n in range(MAX_RECIRCULATIONS)]
    assert ports(through(*chain, flow(MAX_RECIRCULATIONS, Output(2)))) == [2]
    longer = [*chain, flow(MAX_RECIRCULATIONS, Conntrack(zone=0, table=20)), flow(20, Output(2))]
    assert ports(through(*longer)) == []


# Headers


def test_a_pushed_tag_is_empty_and_comes_off_again() -> None:
    (tagged, plain) = through(
        flow(
            0,
            PushVlan(EthType.VLAN),
            set_field(F.VLAN_TCI, VLAN_PRESENT | 5),
            Output(2),
            PopVlan(),
            Output(3),
        )
    )
    assert (tagged.packet[F.VLAN_TCI], plain.packet[F.VLAN_TCI]) == (VLAN_PRESENT | 5, 0)


def test_the_tag_below_comes_to_light() -> None:
    packet = PACKET.replace({F.VLAN_TCI: VLAN_PRESENT | 5})
    inner, outer = through(
        flow(0, PushVlan(EthType.QINQ), PopVlan(), Output(2), PopVlan(), Output(3)), packet=packet
    )
    assert (inner.packet[F.VLAN_TCI], outer.packet[F.VLAN_TCI]) == (VLAN_PRESENT | 5, 0)


def test_a_first_label_takes_class_and_ttl_from_the_ip_header() -> None:
    (sent,) = through(
        flow(0, PushMpls(EthType.MPLS), Output(2)), packet=PACKET.replace({F.IP_DSCP: 46, F.IP_TTL: 9})
    )
    assert sent.packet.label == (0, 46 & 7, 1, 9)
    assert sent.packet[F.ETH_TYPE] == EthType.MPLS and sent.packet[F.IPV4_SRC] == 0


def test_ipv6_gets_the_explicit_null_label_and_other_frames_a_ttl_of_64() -> None:
    (v6,) = through(flow(0, PushMpls(EthType.MPLS), Output(2)), packet=build.udp((A, B), V6, (1, 2)))
    (arp,) = through(flow(0, PushMpls(EthType.MPLS), Output(2)), packet=build.rarp(A))
    assert (v6.packet.label, arp.packet.label) == ((2, 0, 1, 64), (0, 0, 1, 64))


def test_a_further_label_is_a_copy_and_labels_come_off_in_order() -> None:
    push = (PushMpls(EthType.MPLS), set_field(F.MPLS_LABEL, 17))
    (two, one, none) = through(
        flow(
            0,
            *(*push, PushMpls(EthType.MPLS), set_field(F.MPLS_TTL, 3), Output(2)),
            *(PopMpls(EthType.MPLS), Output(3), PopMpls(EthType.IPV4), Output(4)),
        )
    )
    assert (two.packet.label, two.packet.labels) == ((17, 0, 0, 3), ((17, 0, 1, 64),))
    assert (one.packet.label, one.packet.labels) == ((17, 0, 1, 64), ())
    assert none.packet[F.TCP_DST] == 80


def test_popping_into_the_wrong_type_shows_nothing() -> None:
    (sent,) = through(flow(0, PushMpls(EthType.MPLS), PopMpls(EthType.IPV6), Output(2)))
    assert sent.packet[F.ETH_TYPE] == EthType.IPV6 and sent.packet[F.IPV6_SRC] == 0


@pytest.mark.parametrize(
    "actions",
    [
        (PushMpls(EthType.MPLS),) * 4,
        (PushVlan(EthType.VLAN), Decap()),
        (Encap(PACKET_TYPE_ETHERNET),),
        (Decap(), Decap()),
    ],
)
def test_headers_that_cannot_be_are_errors_that_drop_the_packet(actions: tuple[Action, ...]) -> None:
    assert ports(through(flow(0, Output(3), *actions, Output(2)))) == []


def test_a_header_error_in_a_bucket_ends_only_the_bucket() -> None:
    group = group_of(
        GroupType.ALL, Bucket(1, (Encap(PACKET_TYPE_ETHERNET), Output(2))), Bucket(2, (Output(3),))
    )
    assert ports(through(flow(0, SendToGroup(7), Output(4)), groups=(group,))) == [3, 4]


def test_a_pseudowire_carries_the_whole_frame_and_gives_it_back() -> None:
    wrap = (Encap(PACKET_TYPE_MPLS), set_field(F.MPLS_LABEL, 1002), Encap(PACKET_TYPE_ETHERNET))
    unwrap = (Decap(), Decap(PACKET_TYPE_ETHERNET))
    tagged = PACKET.replace({F.VLAN_TCI: VLAN_PRESENT | 5})
    (outer, inner) = through(
        flow(0, *wrap, set_field(F.ETH_DST, 9), Output(2), *unwrap, Output(3)), packet=tagged
    )
    assert outer.packet.label == (1002, 0, 1, 64)
    assert (outer.packet[F.ETH_DST], outer.packet[F.VLAN_TCI]) == (9, 0)
    assert inner.packet.replace({F.IN_PORT: 0}) == tagged


def test_a_packet_without_ethernet_header_leaves_no_ordinary_port() -> None:
    assert ports(through(flow(0, Decap(), Output(2)))) == []


# The trace


def test_the_trace_shows_the_way_as_a_tree() -> None:
    trace = run(
        Tables([flow(0, Resubmit(5), Clone((Output(1),)), Output(2)), flow(5, when={F.ETH_SRC: A})]),
        PACKET,
        1,
    )
    assert [step.table for step in trace.lookups()] == [0, 5]
    assert format_trace(trace).splitlines() == [
        "  0. any, priority 1, cookie 0x0",
        "    resubmit(,5)",
        "          5. eth_src=02:00:00:00:00:01, priority 1, cookie 0x0",
        "    clone(output:1)",
        "        output:1",
        "         -> not sent back to its input port",
        "    output:2",
    ]


def test_trace_and_fast_run_agree_and_leave_the_packet_alone() -> None:
    tables = Tables([flow(0, set_field(F.ETH_SRC, 1), Output(2))])
    before = PACKET.copy()
    assert list(run(tables, PACKET, 1).effects) == effects(tables, PACKET, 1)
    assert before == PACKET
