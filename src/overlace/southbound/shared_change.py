"""A change that many switches get: what it means to each that awaits it, worked out once for all."""

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property

from overlace.compiler.plan import Fragment, FragmentId, SwitchChange
from overlace.datapath.flow import Flow, FlowKey
from overlace.southbound.comparison import compare_entries
from overlace.southbound.flow_holders import FlowHolders, Table
from overlace.southbound.operations import TableOperations


class SharedChange:
    """A change of flows alone, and the operations that it comes to wherever it is awaited (`DesiredTable.awaits`)."""

    def __init__(self, change: SwitchChange, operations: TableOperations) -> None:
        self.added = change.added
        self.removed = change.removed
        self.operations = operations

    @cached_property
    def newcomers(self) -> tuple[FragmentId, ...]:
        """Ids under which nothing may be held yet."""
        return tuple(id_ for id_ in self.added if id_ not in self.removed)

    @cached_property
    def leavers(self) -> tuple[FragmentId, ...]:
        """Ids under which nothing is held afterwards."""
        return tuple(id_ for id_ in self.removed if id_ not in self.added)

    @cached_property
    def replaced(self) -> dict[FragmentId, Fragment]:
        """What stood before under the ids that stay."""
        return {id_: old for id_, old in self.removed.items() if id_ in self.added}

    @cached_property
    def growth(self) -> int:
        """So many flows more are held afterwards."""
        return len(self.operations.flows.added) - len(self.operations.flows.removed)

    def note(self, holders: FlowHolders, tables: Sequence[Table]) -> None:
        """All these tables have taken the change."""
        for fragment in self.removed.values():
            holders.release_in_all(fragment, tables)
        for fragment in self.added.values():
            holders.hold_in_all(fragment, tables)


def shared_change(change: SwitchChange, holders: FlowHolders) -> SharedChange | None:
    """What a change means to every switch that awaits it. None when it may not be the same to all: when a fragment that
    stays holds one of the flows, or there is more than flows."""
    released, added = change.removed.values(), change.added.values()
    if not all(fragment.is_flows_alone for fragment in (*released, *added)):
        return None
    before, after = union_of(released), union_of(added)
    if len(after) < sum(len(fragment.flows) for fragment in added):
        return None
    if not holders.hold_nothing_else(shareable_numbers((*released, *added)), {*released, *added}):
        return None
    return SharedChange(change, TableOperations(compare_entries(after, before)))


def flows_of(fragment: Fragment) -> Iterator[tuple[FlowKey, Flow]]:
    """Its flows by key."""
    return ((flow.key, flow) for flow in fragment.flows)


def union_of(fragments: Iterable[Fragment]) -> dict[FlowKey, Flow]:
    """The flows of all."""
    union: dict[FlowKey, Flow] = {}
    for fragment in fragments:
        union.update(flows_of(fragment))
    return union


def shareable_numbers(fragments: Iterable[Fragment]) -> dict[int, None]:
    """The numbers of all keys that others may have too."""
    return dict.fromkeys(number for fragment in fragments for number in fragment.shareable)
