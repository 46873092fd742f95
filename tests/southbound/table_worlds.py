"""Random fragments over a small stock of flows, groups and meters, so that they share and clash often."""

from hypothesis import strategies as st
from tests.southbound.fake_tables import FakeTables
from tests.southbound.flow_samples import flow, flow_to_group, flow_to_meter, group, meter

from overlace.compiler.plan import Fragment, SwitchChange
from overlace.datapath.flow import Flow, Group, Meter
from overlace.southbound.operations import TableOperations
from overlace.southbound.order import Batch, order
from overlace.wire.openflow.messages import (
    FlowMod,
    FlowModCommand,
    GroupMod,
    GroupModCommand,
    Message,
    MeterMod,
    MeterModCommand,
)

GROUPS = range(1, 4)
METERS = range(1, 3)


@st.composite
def fragments(draw: st.DrawFn, name: str, variant: int | None = None) -> Fragment:
    """A fragment; all fragments of one `variant` agree about shared keys, others may clash."""
    variant = draw(st.integers(1, 3)) if variant is None else variant
    numbers = draw(st.sets(st.integers(1, 8), max_size=4))
    groups_used = draw(st.sets(st.sampled_from(GROUPS), max_size=2))
    meters_used = draw(st.sets(st.sampled_from(METERS), max_size=1))
    flows: list[Flow] = [flow(number, port=variant) for number in sorted(numbers)]
    flows += [flow_to_group(100 + number, number) for number in sorted(groups_used)]
    flows += [flow_to_meter(200 + number, number) for number in sorted(meters_used)]
    return Fragment(
        (name,),
        tuple(flows),
        tuple(group(number, variant) for number in sorted(groups_used)),
        tuple(meter(number, 1000 * variant) for number in sorted(meters_used)),
    )


@st.composite
def plans(draw: st.DrawFn) -> list[Fragment]:
    """Fragments without clashes."""
    variant = draw(st.integers(1, 3))
    names = draw(st.lists(st.sampled_from("abcdef"), unique=True, max_size=5))
    return [draw(fragments(name, variant)) for name in names]


def change_between(old: list[Fragment], new: list[Fragment]) -> SwitchChange:
    """The change that turns one plan into another."""
    return SwitchChange({each.id: each for each in new}, {each.id: each for each in old})


def contents(plan: list[Fragment]) -> tuple[set[Flow], set[Group], set[Meter]]:
    """What a plan adds up to."""
    return (
        {each for fragment in plan for each in fragment.flows},
        {each for fragment in plan for each in fragment.groups},
        {each for fragment in plan for each in fragment.meters},
    )


def held(tables: FakeTables) -> tuple[set[Flow], set[Group], set[Meter]]:
    """What tables hold, in the same form."""
    return set(tables.flows.values()), set(tables.groups.values()), set(tables.meters.values())


def perform(tables: FakeTables, operations: TableOperations, limit: int = 10_000) -> None:
    """Apply operations in their order, message by message. Raises RefusedMessage."""
    for batch in order(operations, limit):
        for message in messages(batch):
            tables.apply(message)


def messages(batch: Batch) -> list[Message]:
    """The messages of a batch, in the order in which they are sent."""
    add, change, delete = MeterModCommand
    out: list[Message] = [MeterMod(add, each) for each in batch.meters_added]
    out += [MeterMod(change, each) for each in batch.meters_changed]
    out += [MeterMod(delete, each) for each in batch.meters_removed]
    out += [GroupMod(GroupModCommand.ADD, each) for each in batch.groups_added]
    out += [GroupMod(GroupModCommand.MODIFY, each) for each in batch.groups_changed]
    out += [FlowMod(FlowModCommand.ADD, each) for each in batch.flows_put]
    out += [FlowMod(FlowModCommand.DELETE_STRICT, each) for each in batch.flows_removed]
    out += [GroupMod(GroupModCommand.DELETE, each) for each in batch.groups_removed]
    return out
