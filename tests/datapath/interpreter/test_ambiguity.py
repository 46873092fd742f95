"""Two flows that leave the decision to chance are found, and only those."""

from itertools import combinations

from hypothesis import given, strategies as st

from overlace.datapath.actions import Output
from overlace.datapath.fields import EthType, Field
from overlace.datapath.flow import Flow
from overlace.datapath.interpreter.ambiguity import ambiguities, overlap
from overlace.datapath.match import MatchValue, match

F = Field


def flow(conditions: dict[Field, MatchValue], port: int = 1, priority: int = 1, table: int = 0) -> Flow:
    return Flow(table, priority, match(conditions), (Output(port),))


def test_flows_that_one_packet_can_match_are_ambiguous_when_they_differ_in_actions() -> None:
    by_source, by_destination = flow({F.ETH_SRC: 1}, 1), flow({F.ETH_DST: 2}, 2)
    assert ambiguities([by_source, by_destination]) == [(by_source, by_destination)]
    assert ambiguities([by_source, flow({F.ETH_DST: 2}, 1)]) == []


def test_priority_table_or_a_bit_that_differs_decide() -> None:
    base = flow({F.ETH_SRC: 1, F.METADATA: 5})
    assert ambiguities([base, flow({F.ETH_DST: 2}, 2, priority=2)]) == []
    assert ambiguities([base, flow({F.ETH_DST: 2}, 2, table=1)]) == []
    assert ambiguities([base, flow({F.ETH_DST: 2, F.METADATA: 6}, 2)]) == []
    assert ambiguities([base, flow({F.METADATA: (4, 6)}, 2)]) == [(base, flow({F.METADATA: (4, 6)}, 2))]


def test_kinds_of_packets_exclude_each_other() -> None:
    arp, ip = flow({F.ETH_TYPE: EthType.ARP}, 1), flow({F.ETH_TYPE: EthType.IPV4, F.IPV4_SRC: 1}, 2)
    assert ambiguities([arp, ip]) == []


CONDITIONS = st.dictionaries(
    st.sampled_from((F.REG0, F.REG1, F.METADATA)),
    st.integers(1, 7).flatmap(lambda mask: st.integers(0, 7).map(lambda value: (value & mask, mask))),
    max_size=3,
)


@given(st.lists(CONDITIONS, max_size=8))
def test_the_search_finds_every_overlapping_pair(many: list[dict[Field, MatchValue]]) -> None:
    flows = list({one.match: one for one in (flow(c, port) for port, c in enumerate(many))}.values())
    expected = {frozenset((a, b)) for a, b in combinations(flows, 2) if overlap(a.match, b.match)}
    assert {frozenset(pair) for pair in ambiguities(flows)} == expected


@given(CONDITIONS, CONDITIONS)
def test_overlap_means_that_a_packet_exists(
    one: dict[Field, MatchValue], other: dict[Field, MatchValue]
) -> None:
    a, b = match(one), match(other)
    fields = {c.field for c in (*a, *b)}
    witness = {
        f: sum(c.value for c in a if c.field is f) | sum(c.value for c in b if c.field is f) for f in fields
    }
    hit = all(witness[c.field] & c.mask == c.value for c in (*a, *b))
    assert overlap(a, b) == hit
