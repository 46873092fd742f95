"""The order of operations: safe at every single step."""

from hypothesis import given, strategies as st
from tests.southbound.fake_tables import FakeTables, referenced_meters
from tests.southbound.flow_samples import flow, group, meter
from tests.southbound.table_worlds import change_between, contents, held, messages, plans
from tests.southbound.test_desired import desired

from overlace.compiler.plan import Fragment
from overlace.datapath.actions import SendToGroup
from overlace.datapath.flow import Bucket, Group, GroupType
from overlace.southbound.operations import Changes, TableOperations
from overlace.southbound.order import Batch, order, referenced_first, referenced_groups


@given(plans(), plans(), st.integers(1, 6))
def test_at_no_point_does_a_flow_refer_to_a_group_or_meter_that_is_not_there(
    old: list[Fragment], new: list[Fragment], limit: int
) -> None:
    table, switch = desired(*old), FakeTables()
    switch.flows, switch.groups, switch.meters = dict(table.flows()), dict(table.groups), dict(table.meters)
    for batch in order(table.apply(change_between(old, new)), limit):
        for message in messages(batch):
            switch.apply(message)  # refuses references to what is missing
            for each in switch.flows.values():
                assert set(referenced_groups(each.actions)) <= switch.groups.keys()
                assert set(referenced_meters(each.actions)) <= switch.meters.keys()
    assert held(switch) == contents(new)


def test_operations_within_the_limit_are_one_batch_and_so_one_bundle() -> None:
    operations = TableOperations(
        flows=Changes([flow(1)], [flow(2)], [flow(3)]), groups=Changes([group(1, 1)])
    )
    assert order(operations) == [
        Batch(groups_added=(group(1, 1),), flows_put=(flow(1), flow(2)), flows_removed=(flow(3),))
    ]


def test_meters_are_removed_in_a_batch_of_their_own() -> None:
    operations = TableOperations(flows=Changes(removed=[flow(1)]), meters=Changes(removed=[meter(1)]))
    assert order(operations) == [Batch(flows_removed=(flow(1),)), Batch(meters_removed=(meter(1),))]


def test_no_operations_are_no_batch() -> None:
    assert order(TableOperations()) == []


def test_chained_groups_come_in_the_order_of_their_references() -> None:
    def chain(group_id: int, *targets: int) -> Group:
        buckets = tuple(Bucket(n, (SendToGroup(target),)) for n, target in enumerate(targets))
        return Group(group_id, GroupType.ALL, buckets)

    loop = [chain(8, 9), chain(9, 8)]
    ordered = referenced_first([chain(1, 2, 3), chain(3, 2), chain(2), *loop])
    assert [each.group_id for each in ordered][:3] == [2, 3, 1]
    assert len(ordered) == 5
