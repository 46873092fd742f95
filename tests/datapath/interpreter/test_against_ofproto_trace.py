"""The interpreter and Open vSwitch's own ofproto/trace agree on random tables and packets."""

import pytest
from hypothesis import HealthCheck, Phase, event, given, settings, strategies as st
from tests.datapath.ofproto_trace import outcome_of, trace
from tests.datapath.private_switch import TUNNEL_PORT, PrivateSwitch
from tests.datapath.worlds import PORTS, flow_tables, group_sets, packets

from overlace.datapath.fields import CtState, Field
from overlace.datapath.flow import Flow, Group
from overlace.datapath.interpreter import Surroundings, Tables, format_trace, run
from overlace.datapath.interpreter.conntrack import AssumedConntrack
from overlace.datapath.interpreter.packet import Packet
from overlace.datapath.text import format_flow, format_group

CT_STATES = [
    CtState.NEW,
    CtState.EST,
    CtState.EST | CtState.RPL,
    CtState.REL | CtState.NEW,
    CtState.REL | CtState.EST,
    CtState.REL | CtState.EST | CtState.RPL,
    CtState.INV,
]
LONGEST_CHAIN = 40
"""More ct(table) than any packet of the strategies meets."""


UNSHRUNK = tuple(phase for phase in Phase if phase not in (Phase.shrink, Phase.explain))
"""A failure costs hundreds of runs of the switch to shrink: it is reported as it was found."""


@pytest.mark.switch
@settings(
    max_examples=40,
    phases=UNSHRUNK,
    deadline=None,
    report_multiple_bugs=False,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(flow_tables(), group_sets(), st.lists(packets(), min_size=3, max_size=6), st.sampled_from(CT_STATES))
def test_a_packet_fares_in_the_interpreter_as_in_open_vswitch(
    switch: PrivateSwitch, flows: list[Flow], groups: list[Group], arriving: list[Packet], state: int
) -> None:
    # Given the same random groups and flows in both,
    switch.ofctl("del-flows", "br-int")
    switch.ofctl("del-groups", "br-int")
    for group in groups:
        switch.ofctl("add-group", "br-int", format_group(group))
    switch.add_flows([format_flow(flow) for flow in flows])
    around = Surroundings(
        conntrack=AssumedConntrack(state),
        ports={*PORTS, 5, 6, TUNNEL_PORT},
        port_is_live=lambda port: port in PORTS,
    )
    tables = Tables(flows, groups)
    # when packets arrive,
    for packet in arriving:
        theirs = trace(switch, "br-int", packet, [state] * LONGEST_CHAIN)
        ours = run(tables, packet, packet[Field.IN_PORT], around)
        if not theirs.is_that_of_packets:
            continue
        # then both send the same out of the same ports.
        event(f"outputs: {min(3, theirs.outcome.outputs.total())}")
        assert outcome_of(ours.effects) == theirs.outcome, f"{theirs.text}\n\n{format_trace(ours)}"
