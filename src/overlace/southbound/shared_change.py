"""A change that many switches get: what it means to each that awaits it, worked out once for all."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain

from overlace.compiler.plan import Audience, Fragment, FragmentId, Share, SwitchChange
from overlace.datapath.flow import Flow, FlowKey
from overlace.southbound.comparison import compare_entries
from overlace.southbound.flow_holders import FlowHolders, Table
from overlace.southbound.operations import TableOperations


@dataclass(slots=True)
class Part:
    """What a change means to those who hold fragments of one audience."""

    before: Share | None
    after: Share | None
    added: dict[FragmentId, Fragment] = field(default_factory=dict)
    removed: dict[FragmentId, Fragment] = field(default_factory=dict)

    def awaited_by(self, share: Share) -> bool:
        """Whether exactly what is removed is held, and nothing yet of what is added."""
        if share is self.before:
            return True
        if any(share.get(id_) is not old for id_, old in self.removed.items()):
            return False
        return not any(id_ in share for id_ in self.added if id_ not in self.removed)


class FlowsChange:
    """A change of flows alone, and what follows from it wherever it is awaited: where just what it removes is held,
    and nothing yet of what it adds (`DesiredTable.awaits`)."""

    def __init__(self, change: SwitchChange) -> None:
        self.added = change.added
        self.removed = change.removed
        self.shares = change.shares

    @cached_property
    def parts(self) -> dict[Audience, Part]:
        """By audience."""
        parts: dict[Audience, Part] = {}

        def part(audience: Audience) -> Part:
            if audience not in parts:
                parts[audience] = Part(*self.shares.get(audience, (None, None)))
            return parts[audience]

        for id_, fragment in self.removed.items():
            part(fragment.audience).removed[id_] = fragment
        for id_, fragment in self.added.items():
            part(fragment.audience).added[id_] = fragment
        return parts

    @cached_property
    def newcomers(self) -> tuple[FragmentId, ...]:
        """Ids under which nothing may be held yet."""
        return tuple(id_ for id_ in self.added if id_ not in self.removed)

    @cached_property
    def replaced(self) -> dict[FragmentId, Fragment]:
        """What stood before under the ids that stay."""
        return {id_: old for id_, old in self.removed.items() if id_ in self.added}

    @property
    def fragments(self) -> Iterator[Fragment]:
        """Those that go, then those that come."""
        return chain(self.removed.values(), self.added.values())


class SharedChange:
    """The operations that a change comes to wherever it is awaited."""

    def __init__(self, flows: FlowsChange, operations: TableOperations) -> None:
        self.flows = flows
        self.operations = operations

    @cached_property
    def growth(self) -> int:
        """So many flows more are held afterwards."""
        return len(self.operations.flows.added) - len(self.operations.flows.removed)

    def note(self, holders: FlowHolders, tables: Sequence[Table]) -> None:
        """All these tables have taken the change."""
        for fragment in self.flows.removed.values():
            holders.release_in_all(fragment, tables)
        for fragment in self.flows.added.values():
            holders.hold_in_all(fragment, tables)


def flows_change(change: SwitchChange) -> FlowsChange | None:
    """None when there is more to it than flows."""
    flows = FlowsChange(change)
    return flows if all(fragment.is_flows_alone for fragment in flows.fragments) else None


def shared_change(flows: FlowsChange, holders: FlowHolders) -> SharedChange | None:
    """What a change means to every switch that awaits it. None when it may not be the same to all: when a fragment that
    stays holds one of the flows."""
    before, after = union_of(flows.removed.values()), union_of(flows.added.values())
    if len(after) < sum(len(fragment.flows) for fragment in flows.added.values()):
        return None
    if not holders.hold_nothing_else(shareable_numbers(flows.fragments), set(flows.fragments)):
        return None
    return SharedChange(flows, TableOperations(compare_entries(after, before)))


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
