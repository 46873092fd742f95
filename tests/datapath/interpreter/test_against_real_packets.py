"""What ofproto/trace does not follow: labels, learning, packet sizes, meters, connections, as real frames."""

from ipaddress import IPv4Address

import pytest
from hypothesis import HealthCheck, Phase, given, settings, strategies as st
from tests.datapath.capture import Taps
from tests.datapath.interpreter.test_conntrack_table import FIREWALL
from tests.datapath.private_switch import TUNNEL_PORT, UNDERLAY_PORT

from overlace.datapath.actions import (
    PACKET_TYPE_ETHERNET,
    PACKET_TYPE_MPLS,
    Action,
    CheckPacketLarger,
    Conntrack,
    Decap,
    Encap,
    Goto,
    Learn,
    LearnLoad,
    LearnMatch,
    LearnOutput,
    Move,
    Output,
    OutputField,
    PopMpls,
    PushMpls,
    Resubmit,
    SendToGroup,
    Subfield,
    set_field,
    whole,
)
from overlace.datapath.fields import EthType, Field
from overlace.datapath.flow import Bucket, Flow, Group, GroupType
from overlace.datapath.interpreter import Packet, Sent, Surroundings, Tables, build, effects
from overlace.datapath.interpreter.conntrack_table import ConntrackTable
from overlace.datapath.interpreter.decode import from_frame
from overlace.datapath.interpreter.encode import to_frame
from overlace.datapath.match import match
from overlace.datapath.prerequisites import is_data_field
from overlace.datapath.text import format_flow, format_group

F = Field
A, B = 0x020000000001, 0x020000000002
V4 = (IPv4Address("10.0.0.1"), IPv4Address("10.0.0.2"))
PACKET = build.tcp((A, B), V4, (1000, 80))

pytestmark = pytest.mark.switch


class Pair:
    """The same tables in the interpreter and in a real switch."""

    def __init__(self, taps: Taps, flows: list[Flow], groups: list[Group] | None = None) -> None:
        self.taps = taps
        self.tables = Tables(flows, groups or [])
        self.around = Surroundings(conntrack=ConntrackTable(), ports=set(taps.ports))
        for group in groups or []:
            taps.switch.ofctl("add-group", "br-int", format_group(group))
        taps.switch.replace_flows([format_flow(flow) for flow in flows])

    def send(self, packet: Packet, port: int = 1) -> list[tuple[int, dict[Field, int]]]:
        """Send to both; they agree; returns what came out."""
        frame = to_frame(packet)
        theirs = sorted((out, visible(sent)) for out, sent in self.taps.exchange(port, frame))
        happened = effects(self.tables, from_frame(frame), port, self.around)
        ours = sorted(
            (e.port, visible(from_frame(to_frame(e.packet)))) for e in happened if isinstance(e, Sent)
        )
        assert ours == theirs
        return [(out, dict(fields)) for out, fields in ours]


def visible(packet: Packet) -> list[tuple[Field, int]]:
    """The header fields of a frame, and those of the stack below its first label."""
    below = [(F.MPLS_LABEL, label[0]) for label in packet.labels]
    return [(f, value) for f, value in packet.fields().items() if is_data_field(f)] + below


def flow(table: int, *actions: Action, priority: int = 1, ip: bool = True) -> Flow:
    return Flow(table, priority, match({F.ETH_TYPE: EthType.IPV4}) if ip else match(), actions)


def mpls(table: int, *actions: Action, bottom: int | None = None) -> Flow:
    conditions = {F.ETH_TYPE: EthType.MPLS} | ({} if bottom is None else {F.MPLS_BOS: bottom})
    return Flow(table, 1, match(dict(conditions)), actions)


def test_labels_go_on_and_come_off(taps: Taps) -> None:
    pair = Pair(
        taps,
        [
            flow(
                0,
                *(PushMpls(EthType.MPLS), set_field(F.MPLS_LABEL, 17), Output(2)),
                *(PushMpls(EthType.MPLS), set_field(F.MPLS_TC, 5), Output(3), PopMpls(EthType.MPLS)),
                Goto(1),
            ),
            mpls(1, Output(4), PopMpls(EthType.IPV4), Goto(2), bottom=1),
            flow(2, set_field(F.IPV4_DST, 0x0A000063), Output(5)),
        ],
    )
    out = dict(pair.send(PACKET.replace({F.IP_DSCP: 46})))
    assert out[2][F.MPLS_LABEL] == 17 and out[5][F.IPV4_DST] == 0x0A000063 and 4 in out


def test_a_pseudowire_goes_through_two_switches_worth_of_actions(taps: Taps) -> None:
    pair = Pair(
        taps,
        [
            Flow(
                0,
                2,
                match({F.IN_PORT: 1}),
                (
                    *(Encap(PACKET_TYPE_MPLS), set_field(F.MPLS_LABEL, 1002), Encap(PACKET_TYPE_MPLS)),
                    *(set_field(F.MPLS_LABEL, 99), Encap(PACKET_TYPE_ETHERNET)),
                    *(set_field(F.ETH_SRC, 0x02EE00000001), Output(2), Resubmit(3)),
                ),
            ),
            mpls(3, PopMpls(EthType.MPLS), Resubmit(4), bottom=0),
            mpls(4, Decap(), Decap(PACKET_TYPE_ETHERNET), Resubmit(5), bottom=1),
            flow(5, Output(6)),
        ],
    )
    out = dict(pair.send(PACKET))
    assert out[2][F.ETH_SRC] == 0x02EE00000001
    assert out[6][F.TCP_DST] == 80


def test_a_label_from_the_wire_comes_off_too(taps: Taps) -> None:
    pair = Pair(taps, [mpls(0, PopMpls(EthType.IPV4), Goto(1), bottom=1), flow(1, Output(2))])
    labelled = PACKET.copy()
    labelled.inner = PACKET.replace({F.PACKET_TYPE: 1 << 16 | EthType.IPV4})
    labelled[F.ETH_TYPE] = EthType.MPLS
    labelled.label = (1001, 0, 1, 64)
    [(port, fields)] = pair.send(labelled)
    assert (port, fields[F.IPV4_SRC]) == (2, int(V4[0]))


def test_learning_changes_the_way_of_the_next_packet(taps: Taps) -> None:
    learn = Learn(
        table=1,
        priority=5,
        cookie=0xAC,
        specs=(
            LearnMatch(whole(F.ETH_DST), whole(F.ETH_SRC)),
            LearnLoad(Subfield(F.REG0, 0, 16), Subfield(F.IN_PORT, 0, 16)),
            LearnLoad(Subfield(F.ETH_SRC, 0, 8), 0x55),
            LearnOutput(Subfield(F.IN_PORT, 0, 16)),
        ),
        hard_timeout=60,
    )
    pair = Pair(
        taps,
        [
            flow(0, learn, Resubmit(1), OutputField(Subfield(F.REG0, 0, 16)), ip=False),
            flow(1, Output(6), priority=1, ip=False),
        ],
    )
    assert [port for port, _ in pair.send(PACKET, port=1)] == [6]
    by_learned_output, by_register = pair.send(build.tcp((B, A), V4[::-1], (80, 1000)), port=2)
    assert (by_learned_output[0], by_register[0]) == (1, 1)
    assert by_register[1][F.ETH_SRC] == 0x020000000055


@pytest.mark.parametrize("tag", [0, 0x1005])
def test_the_size_of_a_packet_decides(taps: Taps, tag: int) -> None:
    pair = Pair(
        taps,
        [
            flow(0, CheckPacketLarger(500, Subfield(F.REG0, 0, 1)), Resubmit(1), Output(4)),
            Flow(1, 1, match({F.REG0: 1}), (Output(2),)),
            Flow(1, 1, match({F.REG0: 0}), (Output(3),)),
        ],
    )
    header = 58 if tag else 54
    for payload, way in ((500 - header, 3), (501 - header, 2)):
        packet = PACKET.replace({F.VLAN_TCI: tag})
        packet.payload = bytes(payload)
        assert [port for port, _ in pair.send(packet)] == [way, 4]


def test_a_group_that_watches_a_dead_port_uses_the_other(taps: Taps) -> None:
    group = Group(
        7,
        GroupType.FAST_FAILOVER,
        (Bucket(1, (Output(2),), watch_port=99), Bucket(2, (Output(3),), watch_port=3)),
    )
    pair = Pair(taps, [flow(0, SendToGroup(7))], [group])
    pair.around = Surroundings(port_is_live=lambda port: port in taps.ports)
    assert [port for port, _ in pair.send(PACKET)] == [3]


def test_a_packet_that_recurses_too_deep_leaves_nothing_behind(taps: Taps) -> None:
    pair = Pair(taps, [flow(0, Output(2), Resubmit(0))])
    assert pair.send(PACKET) == []


@settings(
    max_examples=25,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    deadline=None,
    report_multiple_bugs=False,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.lists(
        st.tuples(
            st.booleans(),
            st.sampled_from((build.SYN, build.SYN | build.ACK, build.ACK)),
            st.integers(1, 2),
        ),
        max_size=10,
    )
)
def test_the_firewall_of_the_manual_page_passes_the_same_packets(
    taps: Taps, events: list[tuple[bool, int, int]]
) -> None:
    taps.switch.appctl("dpctl/flush-conntrack")
    pair = Pair(taps, FIREWALL)
    for back, flags, ports in events:
        if back:
            pair.send(build.tcp((B, A), V4[::-1], (80, ports), flags), port=2)
        else:
            pair.send(build.tcp((A, B), V4, (ports, 80), flags), port=1)


def test_a_tunnel_takes_a_packet_before_connection_tracking_and_after(taps: Taps) -> None:
    """The one point where ofproto/trace says otherwise (`ofproto_trace.TraceResult.is_that_of_packets`)."""
    tunnel = (set_field(F.TUN_DST, int(IPv4Address("10.1.0.3"))), Output(TUNNEL_PORT))
    flows = [flow(0, *tunnel, Conntrack(zone=1, table=1)), flow(1, Output(TUNNEL_PORT))]
    taps.switch.replace_flows([format_flow(each) for each in flows])
    underlay = Taps(taps.switch, {1: UNDERLAY_PORT})
    sent = [e for e in effects(Tables(flows), PACKET, 1) if isinstance(e, Sent)]
    # when a packet comes in, both copies are on the underlay
    assert len(underlay.sent(lambda: taps.exchange(1, PACKET))) == len(sent) == 2


def test_bits_are_moved_alike(taps: Taps) -> None:
    pair = Pair(
        taps,
        [
            flow(
                0,
                Move(Subfield(F.IP_DSCP, 3, 3), Subfield(F.ETH_SRC, 4, 3)),
                set_field(F.IP_ECN, 2),
                Output(2),
            )
        ],
    )
    [(_, fields)] = pair.send(PACKET.replace({F.IP_DSCP: 46}))
    assert (fields[F.ETH_SRC], fields[F.IP_ECN]) == (0x020000000051, 2)
