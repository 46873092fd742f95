"""Given a table that goes on changing, when its flows are followed in small portions, then they are its flows."""

import asyncio

import pytest
from hypothesis import given, strategies as st
from tests.southbound.flow_samples import flow
from tests.southbound.table_worlds import change_between, plans

from overlace.compiler.plan import Fragment
from overlace.datapath.flow import Flow, FlowKey
from overlace.southbound import wanted_flows
from overlace.southbound.desired import DesiredTable
from overlace.southbound.reading import WHOLE, Piece, cut
from overlace.southbound.wanted_flows import WantedFlows
from overlace.wire.openflow.codec import canonical_flow


@pytest.fixture(autouse=True)
def small_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wanted_flows, "_PORTION", 2)


def table() -> DesiredTable:
    return DesiredTable(lambda _: False, canonical_flow)


def in_pieces(wanted: WantedFlows, size: int) -> dict[FlowKey, Flow]:
    """All flows by their pieces, none of which has what another has."""
    together: dict[FlowKey, Flow] = {}
    for piece in cut(wanted.per_table(), size):
        part = wanted.within(piece)
        assert all(each in piece for each in part.values())
        assert not part.keys() & together.keys()
        together |= part
    return together


@given(st.lists(plans(), min_size=1, max_size=5), st.data())
async def test_what_moves_while_portions_are_made_is_followed_too(
    steps: list[list[Fragment]], data: st.DataObject
) -> None:
    there, held = table(), list[Fragment]()
    with WantedFlows(there) as wanted:
        for step in steps:
            # when the table changes, before all of its last change has been followed or after
            there.apply(change_between(held, step))
            held = step
            async with asyncio.TaskGroup() as tasks:
                following = tasks.create_task(wanted.follow())
                for _ in range(data.draw(st.integers(0, 3))):
                    await asyncio.sleep(0)
                if cut_short := data.draw(st.booleans()):
                    following.cancel()
            # then, once all has been, they are its flows
            assert cut_short or wanted.within(WHOLE) == there.flows()
        # and what has not been followed yet is gathered all the same
        gathered = wanted.gathered()
        assert gathered.union == there.flows()
        assert gathered.total == sum(len(each.flows) for each in held)
        assert in_pieces(wanted, 3) == there.flows()
        assert wanted.per_table().total() == len(there.flows())
        assert all(wanted.get(key) == each for key, each in there.flows().items())


async def test_flows_that_many_share_are_followed_to_another_cookie() -> None:
    old = [Fragment((name,), (flow(1, cookie=5),)) for name in "abc"]
    new = [Fragment((name,), (flow(1, cookie=6),)) for name in "abc"]
    there = table()
    there.apply(change_between([], old))
    with WantedFlows(there) as wanted:
        await wanted.follow()
        # when all of them change how the flow is marked, and one of them goes
        there.apply(change_between(old, new))
        there.apply(change_between(new[2:], []))
        await wanted.follow()
        # then nothing is left where it was
        [here] = wanted.within(WHOLE).values()
        assert wanted.within(Piece(here.table, 5, 7)) == {}
        assert wanted.within(Piece(here.table, 6, 7)) == {here.key: flow(1, cookie=6)}
        assert wanted.per_table().total() == 1
        there.apply(change_between(new[:2], []))
        await wanted.follow()
        assert not wanted.per_table()
        assert wanted.get(here.key) is None


async def test_flows_are_cut_finer_than_they_are_kept_in_parts() -> None:
    flows = tuple(flow(number, cookie=number << 4) for number in range(64))
    there = table()
    there.apply(change_between([], [Fragment(("many",), flows)]))
    with WantedFlows(there) as wanted:
        await wanted.follow()
        [number] = wanted.per_table()
        assert wanted.within(Piece(number, 0x310, 0x3FF)) == {flows[0x31].key: flows[0x31]}


async def test_nobody_is_told_once_the_block_has_ended() -> None:
    there, held = table(), [Fragment(("one",), (flow(1),))]
    with WantedFlows(there) as first, WantedFlows(there) as second:
        await second.follow()
    there.apply(change_between([], held))
    await first.follow()
    await second.follow()
    assert not first.per_table()
    assert not second.per_table()
