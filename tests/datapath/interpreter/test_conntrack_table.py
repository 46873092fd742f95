"""The connection tracker's model, told as dialogues of packets, and held against Open vSwitch's own."""

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from tests.datapath.capture import Taps
from tests.datapath.private_switch import PrivateSwitch

from overlace.datapath.actions import Conntrack, Goto, Move, Output, Resubmit, Subfield, set_field
from overlace.datapath.fields import CtState, EthType, Field
from overlace.datapath.flow import Flow
from overlace.datapath.interpreter import Packet, Surroundings, Tables, build, effects
from overlace.datapath.interpreter.build import ACK, FIN, PSH, RST, SYN
from overlace.datapath.interpreter.conntrack_table import ConntrackTable
from overlace.datapath.match import match
from overlace.datapath.text import format_flow

F = Field
ZONE = 1
THERE, BACK = False, True
V4 = (IPv4Address("10.0.0.1"), IPv4Address("10.0.0.2"))
V6 = (IPv6Address("fd00::1"), IPv6Address("fd00::2"))
MACS = (0x020000000001, 0x020000000002)

NEW = CtState.TRK | CtState.NEW
EST = CtState.TRK | CtState.EST
REPLY = EST | CtState.RPL
RELATED = CtState.TRK | CtState.REL
INVALID = CtState.TRK | CtState.INV


def tcp(flags: int, back: bool = THERE, port: int = 1000) -> Packet:
    """A segment of the connection, there or back."""
    if back:
        return build.tcp(MACS[::-1], V4[::-1], (80, port), flags)
    return build.tcp(MACS, V4, (port, 80), flags)


def udp(back: bool = THERE) -> Packet:
    """A datagram of the connection, there or back."""
    return build.udp(MACS[::-1], V4[::-1], (53, 9)) if back else build.udp(MACS, V4, (9, 53))


def see(table: ConntrackTable, packet: Packet, *, commit: bool = False, zone: int = ZONE) -> int:
    """Pass a packet through the tracker and say which state it got."""
    tracked = table.lookup(zone, packet)
    if commit:
        packet = packet.replace({F.CT_STATE: tracked.state, F.CT_ZONE: zone})
        table.commit(zone, packet, force=False, set_fields=())
    return tracked.state


def test_a_connection_is_new_until_it_is_committed_and_answered() -> None:
    table = ConntrackTable()
    assert see(table, udp()) == NEW
    assert see(table, udp(BACK)) == NEW
    assert see(table, udp(), commit=True) == NEW
    assert see(table, udp()) == NEW
    assert see(table, udp(BACK)) == REPLY
    assert see(table, udp()) == EST


def test_a_tcp_handshake_establishes() -> None:
    table = ConntrackTable()
    assert see(table, tcp(SYN), commit=True) == NEW
    assert see(table, tcp(SYN)) == NEW
    assert see(table, tcp(SYN | ACK, BACK)) == REPLY
    assert see(table, tcp(ACK)) == EST
    assert see(table, tcp(ACK | PSH, BACK)) == REPLY


def test_a_session_is_picked_up_in_the_middle() -> None:
    table = ConntrackTable()
    assert see(table, tcp(ACK | PSH), commit=True) == NEW
    assert see(table, tcp(ACK | PSH)) == EST
    assert see(table, tcp(ACK, BACK)) == REPLY


def test_a_connection_does_not_begin_with_an_answer() -> None:
    table = ConntrackTable()
    assert see(table, tcp(SYN | ACK)) == INVALID
    assert see(table, build.icmp(MACS, V4, build.ECHO_REPLY)) == INVALID


@pytest.mark.parametrize("flags", [0, SYN | FIN, SYN | RST, FIN, PSH])
def test_flags_that_no_tcp_sends_are_invalid(flags: int) -> None:
    table = ConntrackTable()
    assert see(table, tcp(flags), commit=True) == INVALID
    see(table, tcp(SYN), commit=True)
    assert see(table, tcp(flags)) == INVALID


@pytest.mark.parametrize("end", [[(RST, BACK)], [(FIN | ACK, THERE), (FIN | ACK, BACK), (ACK, THERE)]])
def test_after_the_end_a_syn_begins_another_connection(end: list[tuple[int, bool]]) -> None:
    table = ConntrackTable()
    for flags, back in [(SYN, THERE), (SYN | ACK, BACK), (ACK, THERE), *end]:
        see(table, tcp(flags, back), commit=True)
    assert see(table, tcp(ACK)) == EST
    assert see(table, tcp(SYN)) == NEW
    assert list(table) == []


def test_zones_know_nothing_of_each_other() -> None:
    table = ConntrackTable()
    see(table, udp(), commit=True, zone=1)
    assert see(table, udp(BACK), zone=2) == NEW
    assert see(table, udp(BACK), zone=1) == REPLY


def test_echo_requests_and_replies_are_one_connection_per_identifier() -> None:
    table = ConntrackTable()
    request, reply = build.icmp(MACS, V4), build.icmp(MACS, V4[::-1], build.ECHO_REPLY)
    request.payload = reply.payload = bytes.fromhex("00070001")
    see(table, request, commit=True)
    assert see(table, reply) == REPLY
    reply.payload = bytes.fromhex("00080001")
    assert see(table, reply) == INVALID


def test_an_icmp_error_is_related_to_the_connection_it_quotes() -> None:
    table = ConntrackTable()
    see(table, udp(), commit=True)
    router = IPv4Address("10.0.0.99")
    assert see(table, build.icmp_error(MACS, (router, V4[0]), udp())) == RELATED | CtState.RPL
    assert see(table, build.icmp_error(MACS, (router, V4[1]), udp(BACK))) == RELATED
    assert see(table, build.icmp_error(MACS, (router, V4[0]), tcp(SYN))) == INVALID


def test_an_icmpv6_error_too() -> None:
    table = ConntrackTable()
    datagram = build.udp(MACS, V6, (9, 53))
    see(table, datagram, commit=True)
    assert see(table, build.icmp_error(MACS, V6[::-1], datagram, icmp_type=2)) == RELATED | CtState.RPL


def test_neighbour_discovery_is_invalid_to_the_tracker() -> None:
    assert see(ConntrackTable(), build.neighbour_solicitation(MACS[0], *V6)) == INVALID


def test_mark_and_label_come_back_and_are_written_under_masks() -> None:
    table = ConntrackTable()
    write = (set_field(F.CT_MARK, 0x12), set_field(F.CT_LABEL, 1 << 100, 1 << 100))
    table.commit(ZONE, udp(), force=False, set_fields=write)
    table.commit(ZONE, udp(), force=False, set_fields=(set_field(F.CT_MARK, 0x03, 0x0F),))
    tracked = table.lookup(ZONE, udp(BACK))
    assert (tracked.mark, tracked.label) == (0x13, 1 << 100)


def test_force_turns_a_connection_round() -> None:
    table = ConntrackTable()
    see(table, udp(), commit=True)
    assert see(table, udp(BACK)) == REPLY
    table.commit(ZONE, udp(BACK).replace({F.CT_STATE: REPLY, F.CT_ZONE: ZONE}), force=True, set_fields=())
    assert see(table, udp(BACK)) == NEW
    assert see(table, udp()) == REPLY


def test_connections_expire() -> None:
    table = ConntrackTable()
    see(table, udp(), commit=True)
    table.now = 59.0
    assert len(list(table)) == 1
    table.now = 60.0
    assert see(table, udp(BACK)) == NEW
    assert list(table) == []


def test_a_flushed_zone_is_forgotten() -> None:
    table = ConntrackTable()
    see(table, udp(), commit=True, zone=1)
    see(table, udp(), commit=True, zone=2)
    table.flush(1)
    assert [connection.original.zone for connection in table] == [2]


FIREWALL = [
    Flow(0, 1, match({F.ETH_TYPE: EthType.IPV4}), (Conntrack(zone=5, table=1),)),
    Flow(
        1,
        2,
        match({F.CT_STATE: (NEW, NEW), F.ETH_TYPE: EthType.IPV4, F.IN_PORT: 1}),
        (Conntrack(zone=5, commit=True), Output(2)),
    ),
    Flow(1, 2, match({F.CT_STATE: (EST, EST), F.ETH_TYPE: EthType.IPV4, F.IN_PORT: 2}), (Output(1),)),
    Flow(1, 1, match({F.CT_STATE: (EST, EST), F.ETH_TYPE: EthType.IPV4, F.IN_PORT: 1}), (Output(2),)),
]
"""The stateful firewall of ovs-actions(7): port 1 may begin, port 2 may answer."""


def test_the_firewall_of_the_manual_page_works() -> None:
    tables, around = Tables(FIREWALL), Surroundings(conntrack=ConntrackTable())
    kinds = [
        [type(effect).__name__ for effect in effects(tables, packet, port, around)]
        for packet, port in [(tcp(SYN, BACK), 2), (tcp(SYN), 1), (tcp(SYN | ACK, BACK), 2), (tcp(ACK), 1)]
    ]
    assert kinds == [["Dropped"], ["Committed", "Sent"], ["Sent"], ["Sent"]]


PROBE = [
    Flow(0, 1, match({F.ETH_TYPE: EthType.IPV4}), (Conntrack(zone=ZONE, table=1),)),
    Flow(
        1,
        2,
        match({F.ETH_TYPE: EthType.IPV4, F.IN_PORT: 1}),
        (
            Move(Subfield(F.CT_STATE, 0, 32), Subfield(F.ETH_SRC, 0, 32)),
            Conntrack(zone=ZONE, commit=True),
            Resubmit(2),
        ),
    ),
    Flow(
        1,
        1,
        match({F.ETH_TYPE: EthType.IPV4}),
        (Move(Subfield(F.CT_STATE, 0, 32), Subfield(F.ETH_SRC, 0, 32)), Goto(2)),
    ),
    Flow(2, 1, match(), (Output(3),)),
]
"""Shows the ct_state of a packet in its source address on port 3; commits what comes from port 1."""

SEGMENT_FLAGS = [
    SYN,
    SYN,
    SYN | ACK,
    SYN | ACK,
    ACK,
    ACK,
    ACK | PSH,
    FIN | ACK,
    FIN | ACK,
    RST,
    RST | ACK,
    FIN,
    0,
]
EVENTS = st.lists(
    st.tuples(st.booleans(), st.sampled_from(SEGMENT_FLAGS), st.booleans()), min_size=3, max_size=10
)


@pytest.mark.switch
@settings(
    max_examples=40,
    deadline=None,
    report_multiple_bugs=False,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(EVENTS)
def test_open_vswitch_gives_the_same_states_to_tcp(
    switch: PrivateSwitch, taps: Taps, events: list[tuple[bool, int, bool]]
) -> None:
    # Given an empty connection tracker,
    switch.appctl("dpctl/flush-conntrack")
    switch.replace_flows([format_flow(flow) for flow in PROBE])
    table = ConntrackTable()
    numbers = SequenceNumbers()
    # when segments with any flags go to and fro, some of them committed,
    for back, flags, commit in events:
        packet = tcp(flags, back)
        [(_, shown)] = taps.exchange(1 if commit else 2, packet, numbers.next(back, flags))
        theirs = shown[F.ETH_SRC] & 0xFFFFFFFF
        ours = see(table, packet, commit=commit)
        # then the states agree, until a segment is out of window, which the model does not know.
        if theirs == INVALID != ours:
            return
        assert theirs == ours


class SequenceNumbers:
    """Sequence and acknowledgement numbers as two real ends would send them."""

    def __init__(self) -> None:
        self._initial = (1000, 5000)
        self._next = [1000, 5000]

    def next(self, back: bool, flags: int) -> tuple[int, int]:
        """The numbers of the next segment; SYN and FIN count as a byte."""
        sender, receiver = int(back), int(not back)
        sequence = self._initial[sender] if flags & SYN else self._next[sender]
        self._next[sender] = max(self._next[sender], sequence + bool(flags & (SYN | FIN)))
        return sequence, self._next[receiver] if flags & ACK else 0


QUERIES = [
    build.udp(MACS, V4, (9, 53)),
    build.udp(MACS[::-1], V4[::-1], (53, 9)),
    build.icmp(MACS, V4),
    build.icmp(MACS[::-1], V4[::-1], build.ECHO_REPLY),
    build.icmp(MACS, V4, 13),
    build.icmp(MACS[::-1], V4[::-1], 14),
    build.icmp(MACS, V4, 17),
    build.icmp_error(MACS[::-1], V4[::-1], build.udp(MACS, V4, (9, 53))),
    build.icmp_error(MACS, V4, build.udp(MACS[::-1], V4[::-1], (53, 9))),
    build.icmp_error(MACS[::-1], V4[::-1], build.icmp(MACS, V4), icmp_type=build.TIME_EXCEEDED),
    build.ip(MACS, V4, 47),
]


@pytest.mark.switch
@settings(
    max_examples=25,
    deadline=None,
    report_multiple_bugs=False,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(st.tuples(st.sampled_from(QUERIES), st.booleans()), min_size=3, max_size=10))
def test_open_vswitch_gives_the_same_states_to_all_else(
    switch: PrivateSwitch, taps: Taps, events: list[tuple[Packet, bool]]
) -> None:
    switch.appctl("dpctl/flush-conntrack")
    switch.replace_flows([format_flow(flow) for flow in PROBE])
    table = ConntrackTable()
    for packet, commit in events:
        [(_, shown)] = taps.exchange(1 if commit else 2, packet)
        assert shown[F.ETH_SRC] & 0xFFFFFFFF == see(table, packet, commit=commit)
