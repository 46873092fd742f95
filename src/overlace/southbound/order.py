"""The order in which operations are safe: make, then break.

A flow may refer to groups and meters, and a switch refuses a flow whose group or meter is missing; removing a
group or a meter takes the flows that use it along (OpenFlow 1.5, 6.5 and 6.6). So meters and groups come before
the flows, and go after them. Meters stay outside the bundle: Open vSwitch refuses a meter_mod inside one and
answers the commit with success all the same. Everything else of a batch is one atomic, ordered bundle.

Operations over the limit (the first fill of a switch) are cut into several batches, each safe by itself, so
that the switch is never busy for long with one commit.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from overlace.datapath.actions import Action, Clone, SendToGroup
from overlace.datapath.flow import Flow, Group, Meter
from overlace.southbound.operations import TableOperations

DEFAULT_LIMIT = 5000
"""Most operations in one batch: about 25 ms of a switch's time."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Batch:
    """What is sent together, in the order of the attributes; flows and groups are the bundle.

    Removed meters always make a batch of their own: a meter that goes although the bundle before it was refused
    would take flows along.
    """

    meters_added: tuple[Meter, ...] = ()
    meters_changed: tuple[Meter, ...] = ()
    groups_added: tuple[Group, ...] = ()
    groups_changed: tuple[Group, ...] = ()
    flows_put: tuple[Flow, ...] = ()
    flows_removed: tuple[Flow, ...] = ()
    groups_removed: tuple[Group, ...] = ()
    meters_removed: tuple[Meter, ...] = ()

    @property
    def bundled(self) -> int:
        """Messages inside the bundle."""
        return (
            len(self.groups_added)
            + len(self.groups_changed)
            + len(self.flows_put)
            + len(self.flows_removed)
            + len(self.groups_removed)
        )


def order(operations: TableOperations, limit: int = DEFAULT_LIMIT) -> list[Batch]:
    """Put operations in order: one batch, or several when there are more than `limit`; none for no operations."""
    if not operations.openflow:
        return []
    groups, meters, flows = operations.groups, operations.meters, operations.flows
    groups_added = referenced_first(groups.added)
    groups_removed = referenced_first(groups.removed)[::-1]
    whole = Batch(
        tuple(meters.added),
        tuple(meters.changed),
        tuple(groups_added),
        tuple(groups.changed),
        (*flows.added, *flows.changed),
        tuple(flows.removed),
        tuple(groups_removed),
    )
    batches = [whole] if len(operations) <= limit else list(_cut(whole, limit))
    batches += [Batch(meters_removed=part) for part in _parts(meters.removed, limit)]
    return [batch for batch in batches if batch != Batch()]


def _cut(whole: Batch, limit: int) -> Iterator[Batch]:
    yield from (Batch(meters_added=part) for part in _parts(whole.meters_added, limit))
    yield from (Batch(meters_changed=part) for part in _parts(whole.meters_changed, limit))
    yield from (Batch(groups_added=part) for part in _parts(whole.groups_added, limit))
    yield from (Batch(groups_changed=part) for part in _parts(whole.groups_changed, limit))
    yield from (Batch(flows_put=part) for part in _parts(whole.flows_put, limit))
    yield from (Batch(flows_removed=part) for part in _parts(whole.flows_removed, limit))
    yield from (Batch(groups_removed=part) for part in _parts(whole.groups_removed, limit))


def _parts(items: Sequence[T], limit: int) -> Iterator[tuple[T, ...]]:
    for start in range(0, len(items), limit):
        yield tuple(items[start : start + limit])


def referenced_first(groups: Sequence[Group]) -> list[Group]:
    """Groups so ordered that one that is an action of another comes before it (groups may be chained)."""
    if len(groups) < 2:
        return list(groups)
    by_id = {group.group_id: group for group in groups}
    ordered: dict[int, Group] = {}
    for group in groups:
        _place(group, by_id, ordered, frozenset())
    return list(ordered.values())


def _place(
    group: Group, by_id: Mapping[int, Group], ordered: dict[int, Group], above: frozenset[int]
) -> None:
    if group.group_id in ordered or group.group_id in above:  # a loop is the switch's to refuse
        return
    for bucket in group.buckets:
        for group_id in referenced_groups(bucket.actions):
            if group_id in by_id:
                _place(by_id[group_id], by_id, ordered, above | {group.group_id})
    ordered[group.group_id] = group


def referenced_groups(actions: Sequence[Action]) -> Iterator[int]:
    """The groups to which a list of actions sends packets."""
    for action in actions:
        if isinstance(action, SendToGroup):
            yield action.group_id
        elif isinstance(action, Clone):
            yield from referenced_groups(action.actions)
