"""Desired tables: what changes of fragments, and differences, mean for a switch."""

import pytest
from hypothesis import given, strategies as st
from tests.southbound.fake_tables import FakeTables
from tests.southbound.flow_samples import flow, group, meter
from tests.southbound.harness import fragment
from tests.southbound.table_worlds import change_between, contents, fragments, held, perform, plans

from overlace.compiler.plan import Fragment, SwitchChange, key_number
from overlace.datapath.flow import Flow
from overlace.southbound.contents import Contents
from overlace.southbound.desired import ConflictError, DesiredTable
from overlace.southbound.flow_holders import FlowHolders
from overlace.southbound.operations import TableOperations
from overlace.southbound.shared_change import flows_change, shared_change
from overlace.wire.openflow.codec import canonical_flow

LEARNED = 0xAC << 56


def desired(*held_fragments: Fragment) -> DesiredTable:
    """A table that holds some fragments."""
    table = DesiredTable(lambda cookie: cookie >> 56 == 0xAC, canonical_flow)
    table.apply(change_between([], list(held_fragments)))
    return table


def test_a_flow_that_two_fragments_share_stays_until_the_second_goes() -> None:
    one, two = fragment("one", flows=(flow(1),)), fragment("two", flows=(flow(1),))
    table = desired(one, two)
    assert not table.apply(SwitchChange({}, {one.id: one}))
    assert table.apply(SwitchChange({}, {two.id: two})).flows.removed == [flow(1)]


def test_a_replaced_fragment_changes_only_what_differs() -> None:
    old = fragment("one", flows=(flow(1), flow(2), flow(3)))
    new = fragment("one", flows=(flow(1), flow(2, port=9), flow(4)))
    operations = desired(old).apply(change_between([old], [new]))
    assert operations.flows.added == [flow(4)]
    assert operations.flows.changed == [flow(2, port=9)]
    assert operations.flows.removed == [flow(3)]


def test_two_fragments_that_differ_about_one_key_are_both_named_and_nothing_changes() -> None:
    one, two = fragment("one", flows=(flow(1),)), fragment("two", flows=(flow(5), flow(1, port=2)))
    table = desired(one)
    before = table.generation
    with pytest.raises(ConflictError) as caught:
        table.apply(change_between([], [two]))
    assert (caught.value.newcomer, caught.value.holder) == (two.id, one.id)
    assert table.generation == before
    assert set(table.flows().values()) == {flow(1)}


def test_a_fragment_may_take_over_a_key_from_one_that_goes_in_the_same_change() -> None:
    one, two = fragment("one", flows=(flow(1),)), fragment("two", flows=(flow(1, port=2),))
    operations = desired(one).apply(change_between([one], [two]))
    assert operations.flows.changed == [flow(1, port=2)]


def test_foreign_flows_go_and_learned_ones_stay() -> None:
    table = desired(fragment("one", flows=(flow(1),), groups=(group(1, 1),), meters=(meter(1),)))
    foreign, learned = flow(7, cookie=0xBAD), flow(8, cookie=LEARNED | 5)
    operations = table.difference([flow(1), foreign, learned], [], [meter(1, rate=5)])
    assert operations.flows.removed == [foreign]
    assert operations.groups.added == [group(1, 1)]
    assert operations.meters.changed == [meter(1)]


@given(plans(), plans())
def test_applying_a_change_to_a_switch_that_holds_the_old_plan_gives_the_new_one(
    old: list[Fragment], new: list[Fragment]
) -> None:
    table, switch = desired(), FakeTables()
    perform(switch, table.apply(change_between([], old)))
    assert held(switch) == contents(old)
    perform(switch, table.apply(change_between(old, new)))
    assert held(switch) == contents(new)


@given(plans(), plans(), st.integers(1, 5))
def test_a_difference_turns_any_switch_into_the_wanted_one_in_however_many_batches(
    observed: list[Fragment], wanted: list[Fragment], limit: int
) -> None:
    table, switch = desired(*wanted), FakeTables()
    flows, groups, meters = contents(observed)
    switch.flows = {each.key: each for each in flows}
    switch.groups = {each.group_id: each for each in groups}
    switch.meters = {each.meter_id: each for each in meters}

    perform(switch, table.difference(flows, groups, meters), limit)

    assert held(switch) == contents(wanted)
    assert not table.difference(*contents(wanted))


@given(st.data())
def test_a_table_refuses_exactly_the_changes_that_clash_and_is_never_half_changed(
    data: st.DataObject,
) -> None:
    table = desired()
    present: dict[tuple[str, ...], Fragment] = {}
    for _ in range(6):
        name = data.draw(st.sampled_from("abcd"))
        newcomer = data.draw(fragments(name))
        after = {**present, newcomer.id: newcomer}
        try:
            table.apply(SwitchChange({newcomer.id: newcomer}, {}))
        except ConflictError:
            assert clashes(list(after.values()))
        else:
            assert not clashes(list(after.values()))
            present = after
        flows, groups, meters = contents(list(present.values()))
        assert set(table.flows().values()) == flows and table.flow_count == len(table.flows()) == len(flows)
        assert set(table.groups.values()) == groups and len(table.groups) == len(groups)
        assert set(table.meters.values()) == meters and len(table.meters) == len(meters)


def flows_alone(name: str) -> st.SearchStrategy[Fragment]:
    """Fragments of a few flows, which most others have too."""
    numbers = st.sets(st.integers(1, 4), min_size=1)
    return numbers.map(lambda some: fragment(name, flows=tuple(flow(each) for each in sorted(some))))


@given(st.data())
def test_what_a_change_means_to_many_tables_is_what_each_would_have_made_of_it(data: st.DataObject) -> None:
    # given four tables that share one register of holders, and twins of them that share nothing
    holders = FlowHolders()
    tables = [DesiredTable(lambda _: False, canonical_flow, holders) for _ in range(4)]
    twins = [DesiredTable(lambda _: False, canonical_flow) for _ in range(4)]
    for each in (*tables, *twins):
        each.count()
    for _ in range(data.draw(st.integers(1, 6))):
        # when fragments come, are replaced and go, on some of them
        names = data.draw(st.sets(st.sampled_from("abcd"), max_size=2))
        newcomers = [data.draw(st.one_of(flows_alone(name), fragments(name, 1))) for name in sorted(names)]
        some = data.draw(st.sets(st.integers(0, 3), min_size=1))
        first = twins[min(some)]
        going = data.draw(st.sets(st.sampled_from(sorted(first.fragments)))) if first.fragments else set()
        removed = {each.id: first.fragments[each.id] for each in newcomers if each.id in first.fragments}
        removed |= {id_: first.fragments[id_] for id_ in going}
        change = SwitchChange({each.id: each for each in newcomers}, removed)
        flows = flows_change(change)
        shared = shared_change(flows, holders) if flows is not None else None
        awaiting = [each for each in some if shared is not None and tables[each].awaits(shared.flows)]
        if shared is not None:
            for number in awaiting:
                tables[number].take(shared)
                assert as_sets(shared.operations) == as_sets(twins[number].apply(change))
            shared.note(holders, [tables[number] for number in awaiting])
        for number in some.difference(awaiting):
            assert as_sets(tables[number].apply(change)) == as_sets(twins[number].apply(change))
        # then both always hold the same
        for table, twin in zip(tables, twins, strict=True):
            assert table.flows() == twin.flows()
            assert table.flow_count == twin.flow_count == len(twin.flows())
            assert dict(table.groups) == dict(twin.groups)
    for table in tables:
        table.clear()
    assert holders.hold_nothing_else((key_number(flow(number)) for number in range(1, 9)), ())


@given(st.lists(plans(), min_size=1, max_size=4), st.data())
def test_a_table_that_only_absorbed_comes_to_the_same(
    steps: list[list[Fragment]], data: st.DataObject
) -> None:
    # given a table whose flows are counted from the start, and one that is counted at some time, or never
    counted, absorbing = desired(), DesiredTable(lambda _: False, canonical_flow)
    counting = data.draw(st.integers(0, len(steps)))
    held: list[Fragment] = []
    for number, step in enumerate(steps):
        if number == counting:
            absorbing.count()
        change = change_between(held, step)
        counted.apply(change)
        flows = flows_change(change)
        if absorbing.flow_count is None and flows is not None and absorbing.awaits(flows):
            absorbing.take_uncounted(flows)  # as many take it, where there is no more to it
        else:
            absorbing.absorb(change)
        held = step
    # then they hold the same, and need the same from an empty switch
    assert absorbing.flow_count in (None, counted.flow_count)
    assert as_sets(absorbing.difference([], [], [])) == as_sets(counted.difference([], [], []))
    assert dict(absorbing.groups) == dict(counted.groups)


def test_fragments_that_disagree_come_up_when_they_are_counted() -> None:
    one, two = fragment("one", flows=(flow(1),)), fragment("two", flows=(flow(5), flow(1, port=2)))
    contents = Contents(lambda _: False, canonical_flow)
    contents.absorb(change_between([], [one, two]))
    assert contents.new_failure() is None
    # when the switch is about to be compared
    contents.count()
    # then one of them, whichever came first, is held out, and named: always the same
    assert set(contents.table.fragments) == {one.id}
    failure = contents.new_failure()
    assert failure is not None
    assert "two and one disagree" in str(failure)


def as_sets(operations: TableOperations) -> tuple[set[Flow], set[Flow], set[Flow]]:
    """What becomes of the flows, in whatever order."""
    return set(operations.flows.added), set(operations.flows.changed), set(operations.flows.removed)


def clashes(plan: list[Fragment]) -> bool:
    """True when two values of a plan have one key and differ."""
    flows, groups, meters = contents(plan)
    return (
        len({each.key for each in flows}) < len(flows)
        or len({each.group_id for each in groups}) < len(groups)
        or len({each.meter_id for each in meters}) < len(meters)
    )
