"""Tables behave like a plain list of flows, only faster; flows come, go, are learned and expire."""

from hypothesis import HealthCheck, given, settings, strategies as st
from tests.datapath.worlds import KINDS, conditions, packets

from overlace.datapath.actions import Learn, LearnLoad, LearnMatch, LearnOutput, Output, Subfield, whole
from overlace.datapath.fields import EthType, Field
from overlace.datapath.flow import Flow
from overlace.datapath.interpreter import Learned, Packet, Surroundings, Tables, build, effects
from overlace.datapath.match import MatchValue, match

F = Field
A, B = 0x020000000001, 0x020000000002


def matches(flow: Flow, packet: Packet) -> bool:
    """The definition of a match."""
    if flow.match.get(F.PACKET_TYPE) is None and packet[F.PACKET_TYPE]:
        return not any(c.field.order >= F.ETH_SRC.order for c in flow.match)
    return all(packet[c.field] & c.mask == c.value for c in flow.match)


@st.composite
def matching_flows(draw: st.DrawFn) -> list[Flow]:
    """Flows of two tables with all sorts of matches, each with a priority of its own."""
    kinds = draw(st.lists(st.sampled_from(sorted(KINDS)), max_size=12))
    return [
        Flow(priority % 2, priority, match(draw(conditions(kind))), (Output(priority),))
        for priority, kind in enumerate(kinds, start=1)
    ]


@settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow])
@given(matching_flows(), st.lists(packets(), min_size=1, max_size=5), st.data())
def test_a_lookup_finds_what_a_search_through_all_flows_finds(
    flows: list[Flow], arriving: list[Packet], data: st.DataObject
) -> None:
    tables = Tables(flows)
    gone = data.draw(st.lists(st.sampled_from(flows), unique=True)) if flows else []
    for flow in gone:
        assert tables.remove(flow.key) == flow
    left = [flow for flow in flows if flow not in gone]
    assert len(tables) == len(left)
    for packet in arriving:
        packet[F.IP_FRAG] = 0
        for table in {flow.table for flow in flows}:
            candidates = [flow for flow in left if flow.table == table and matches(flow, packet)]
            best = max(candidates, key=lambda flow: flow.priority, default=None)
            found = tables.lookup(table, packet)
            assert (found.flow if found else None) == best


def test_adding_a_flow_with_the_same_key_replaces_it() -> None:
    one, other = Flow(0, 1, match(), (Output(1),)), Flow(0, 1, match(), (Output(2),))
    tables = Tables([one])
    assert tables.add(other) == one
    assert list(tables) == [other]


def test_a_removed_flow_is_no_longer_found() -> None:
    flow = Flow(0, 1, match(), (Output(2),))
    tables = Tables([flow])
    assert tables.remove(flow.key) == flow
    assert tables.remove(flow.key) is None
    assert tables.lookup(0, build.rarp(A)) is None


def test_a_first_fragment_is_matched_with_its_ports() -> None:
    conditions: dict[Field, MatchValue] = {F.ETH_TYPE: EthType.IPV4, F.IP_PROTO: 17, F.UDP_DST: 53}
    tables = Tables([Flow(0, 1, match(conditions), ())])
    packet = Packet({F.ETH_TYPE: EthType.IPV4, F.IP_PROTO: 17, F.UDP_DST: 53})
    assert tables.lookup(0, packet) is not None
    assert tables.lookup(0, packet.replace({F.IP_FRAG: 1})) is not None
    assert tables.lookup(0, packet.replace({F.IP_FRAG: 3, F.UDP_DST: 0})) is None


LEARN = Learn(
    table=5,
    priority=200,
    cookie=0xAC,
    specs=(
        LearnMatch(whole(F.ETH_DST), whole(F.ETH_SRC)),
        LearnMatch(Subfield(F.REG1, 0, 8), Subfield(F.IN_PORT, 0, 8)),
        LearnMatch(Subfield(F.REG1, 8, 8), 3),
        LearnLoad(Subfield(F.TUN_ID, 0, 24), 5001),
        LearnLoad(whole(F.TUN_DST), whole(F.TUN_SRC)),
        LearnOutput(Subfield(F.IN_PORT, 0, 16)),
    ),
    hard_timeout=60,
    idle_timeout=10,
    send_flow_removed=True,
    delete_learned=True,
)
LEARNING = Flow(0, 1, match(), (LEARN,))


def test_learn_makes_a_flow_of_the_packet() -> None:
    tables = Tables([LEARNING])
    packet = build.rarp(A).replace({F.TUN_SRC: 0x0A010003})
    (learned, _dropped) = effects(tables, packet, 7)
    assert isinstance(learned, Learned)
    assert learned.flow.match == match({F.ETH_DST: A, F.REG1: (0x0307, 0xFFFF)})
    assert [str(type(action).__name__) for action in learned.flow.actions] == [
        "SetField",
        "SetField",
        "Output",
    ]
    assert learned.flow.actions[1].value == 0x0A010003  # type: ignore[union-attr]
    assert learned.flow.actions[2] == Output(7)
    assert (learned.flow.cookie, learned.flow.hard_timeout, learned.flow.send_flow_removed) == (
        0xAC,
        60,
        True,
    )
    assert tables.entry(learned.flow.key) is not None


def learned_at(now: float) -> Tables:
    tables = Tables([LEARNING])
    effects(tables, build.rarp(A), 7, Surroundings(now=now))
    return tables


def test_a_learned_flow_expires_when_idle_and_learning_again_refreshes_it() -> None:
    tables = learned_at(100.0)
    assert tables.expire(109.9) == []
    effects(tables, build.rarp(A), 7, Surroundings(now=109.0))
    assert tables.expire(118.9) == []
    assert [flow.table for flow in tables.expire(119.0)] == [5]


def test_use_postpones_the_idle_timeout_but_not_the_hard_one() -> None:
    flow = Flow(0, 1, match(), (Output(2),), idle_timeout=10, hard_timeout=25)
    tables = Tables()
    tables.add(flow, now=0.0)
    for now in (9.0, 18.0, 24.0):
        assert tables.expire(now) == []
        effects(tables, build.rarp(A), 1, Surroundings(now=now))
    assert tables.expire(25.0) == [flow]


def test_what_was_learned_goes_with_the_last_flow_that_learns_it() -> None:
    tables = learned_at(0.0)
    second = Flow(1, 1, match(), (LEARN,))
    tables.add(second)
    tables.remove(LEARNING.key)
    assert len(tables.flows(5)) == 1
    tables.remove(second.key)
    assert tables.flows(5) == []
