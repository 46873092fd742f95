"""The wanted contents of one switch: its fragments, and what they add up to.

Fragments may share flows, groups, meters and tunnel ports; each is put when the first fragment brings it and taken
away when the last one goes. `apply` answers what a change of fragments means for
a switch that holds exactly the present contents; `difference` answers what a switch needs that holds
something else. `absorb` answers nothing: for a switch that will be compared before it is written to. Nothing here knows
about connections.
"""

from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import TypeVar

from overlace.compiler.plan import Fragment, FragmentId, Shares, SwitchChange, TunnelPort, key_number
from overlace.datapath.flow import Flow, FlowKey, Group, Meter
from overlace.southbound.comparison import compare_entries, compare_flows
from overlace.southbound.flow_holders import FlowHolders
from overlace.southbound.held_fragments import HeldFragments
from overlace.southbound.holdings import ClashError, Holdings, Staged
from overlace.southbound.operations import Changes, TableOperations
from overlace.southbound.shared_change import (
    FlowsChange,
    SharedChange,
    flows_of,
    shareable_numbers,
    union_of,
)

IsLearned = Callable[[int], bool]
"""True for a cookie of flows that the data path makes itself with learn()."""

K = TypeVar("K")
V = TypeVar("V")

_Rest = tuple[Staged[int, Group], Staged[int, Meter], Staged[str, TunnelPort]]


def _groups_of(fragment: Fragment) -> Iterator[tuple[int, Group]]:
    return ((group.group_id, group) for group in fragment.groups)


def _meters_of(fragment: Fragment) -> Iterator[tuple[int, Meter]]:
    return ((meter.meter_id, meter) for meter in fragment.meters)


def _ports_of(fragment: Fragment) -> Iterator[tuple[str, TunnelPort]]:
    return ((port.name, port) for port in fragment.tunnel_ports)


class ConflictError(Exception):
    """Two fragments of one switch want different things under one key: an error of the compiler.

    `newcomer` is the fragment whose addition was refused, `holder` the one that was there (or came) first.
    """

    def __init__(self, newcomer: FragmentId, holder: FragmentId, key: object) -> None:
        super().__init__(f"fragments {'/'.join(newcomer)} and {'/'.join(holder)} disagree about {key}")
        self.newcomer = newcomer
        self.holder = holder
        self.key = key


@dataclass(frozen=True, slots=True)
class Gathered:
    """All flows of a table; `total` counts those that fragments share more than once."""

    union: Mapping[FlowKey, Flow]
    total: int


class DesiredTable:
    """Fragments held by one switch, and what they add up to. Flows are not kept again: see `flow_holders`."""

    def __init__(
        self,
        is_learned: IsLearned,
        canonical: Callable[[Flow], Flow],
        holders: FlowHolders | None = None,
    ) -> None:
        """`canonical` turns a flow into what a switch gives back for it in a dump; all tables share `holders`."""
        self._is_learned = is_learned
        self._canonical = canonical
        self._holders = FlowHolders() if holders is None else holders
        self._fragments = HeldFragments()
        self._groups: Holdings[int, Group] = Holdings()
        self._meters: Holdings[int, Meter] = Holdings()
        self._tunnel_ports: Holdings[str, TunnelPort] = Holdings()
        self._generation = 0
        self._watchers: list[set[Fragment]] = []
        self.flow_count: int | None = None
        """So many flows they add up to; None until somebody had to know."""

    @property
    def fragments(self) -> HeldFragments:
        """The fragments held."""
        return self._fragments

    def flows(self) -> Mapping[FlowKey, Flow]:
        """The union of the fragments' flows, put together now: for a large switch `WantedFlows` does it in portions."""
        return self._gathered().union

    @contextmanager
    def watched(self) -> Iterator[set[Fragment]]:
        """Inside, all that comes and goes is put into the set; first, all that is held."""
        moved = set(self._fragments.all())
        self._watchers.append(moved)
        try:
            yield moved
        finally:
            self._watchers = [each for each in self._watchers if each is not moved]

    def _gathered(self) -> Gathered:
        union: dict[FlowKey, Flow] = {}
        total = 0
        for fragment in self._fragments.all():
            flows = fragment.flows
            total += len(flows)
            union.update((flow.key, flow) for flow in flows)
        return Gathered(union, total)

    @property
    def groups(self) -> Mapping[int, Group]:
        """The union of the fragments' groups."""
        return self._groups.values

    @property
    def meters(self) -> Mapping[int, Meter]:
        """The union of the fragments' meters."""
        return self._meters.values

    @property
    def tunnel_ports(self) -> Mapping[str, TunnelPort]:
        """The union of the fragments' tunnel ports."""
        return self._tunnel_ports.values

    @property
    def generation(self) -> int:
        """Counts the changes made: an equal number means equal contents."""
        return self._generation

    def apply(self, change: SwitchChange) -> TableOperations:
        """Hold `change.added`, let go of `change.removed`, and return what that means for the switch.

        Raises ConflictError, and then nothing has changed. Letting go of what is not held is no error, and a
        fragment held under an added id is replaced, so that merged changes need no exact history.
        """
        self.count()
        released, added = self._what_moves(change)
        flows = self._flow_changes(released, added)
        rest = self._stage_rest(released, added)
        self._hold(released, added, change.shares)
        self._note_flows(released, added, flows)
        return self._commit_rest(rest, TableOperations(flows))

    def absorb(self, change: SwitchChange) -> None:
        """As `apply`, for a switch that is not told. Until its flows are counted, none are made, and fragments that
        disagree about flows come up only then. Raises ConflictError."""
        if self.flow_count is not None:
            self.apply(change)
            return
        released, added = self._what_moves(change)
        rest = self._stage_rest(released, added)
        self._hold(released, added, change.shares)
        self._commit_rest(rest, TableOperations())

    def count(self, gathered: Gathered | None = None) -> None:
        """See to it that the flows, which may be at hand, are counted, and that no fragments disagree. Raises
        ConflictError."""
        if self.flow_count is not None:
            return
        gathered = gathered or self._gathered()
        if len(gathered.union) < gathered.total:
            absorbed, self._fragments = self._fragments, HeldFragments()
            try:
                self._check_agreement([], sorted(absorbed.all(), key=lambda fragment: fragment.id))
            finally:
                self._fragments = absorbed
        for fragment in self._fragments.all():
            self._holders.hold(fragment, self)
        self.flow_count = len(gathered.union)

    def awaits(self, change: FlowsChange) -> bool:
        """Whether exactly what the change removes is held, and nothing yet of what it adds."""
        share = self._fragments.share
        return all(part.awaited_by(share(audience)) for audience, part in change.parts.items())

    def take(self, shared: SharedChange) -> None:
        """Apply a change that is awaited; what holders know of it is told them for all tables at once."""
        assert self.flow_count is not None
        self._exchange_awaited(shared.flows)
        self.flow_count += shared.growth

    def take_uncounted(self, change: FlowsChange) -> None:
        """As `absorb`, for a change that is awaited, while flows are not counted."""
        assert self.flow_count is None
        self._exchange_awaited(change)

    def _exchange_awaited(self, change: FlowsChange) -> None:
        held = self._fragments
        for audience, part in change.parts.items():
            if part.after is not None and held.share(audience) is part.before:
                held.put(audience, part.after)
            else:
                held.exchange(part.removed.values(), part.added.values(), change.shares)
        self._note_moved(change.fragments)

    def clear(self) -> None:
        """Hold nothing any more."""
        self.absorb(SwitchChange({}, dict(self._fragments)))

    def difference(
        self,
        flows: Iterable[Flow],
        groups: Iterable[Group],
        meters: Iterable[Meter],
        wanted: Mapping[FlowKey, Flow] | None = None,
    ) -> TableOperations:
        """What turns a switch that holds exactly these into the wanted one (tunnel ports left out), whose flows may be
        at hand.

        Learned flows stay. Whatever else is not wanted goes, for the bridge is ours.
        """
        wanted = self.flows() if wanted is None else wanted
        return TableOperations(
            flows=self.flow_difference(wanted, wanted.get, flows),
            groups=compare_entries(self.groups, {group.group_id: group for group in groups}),
            meters=compare_entries(self.meters, {meter.meter_id: meter for meter in meters}),
        )

    def flow_difference(
        self,
        wanted: Mapping[FlowKey, Flow],
        elsewhere: Callable[[FlowKey], Flow | None],
        observed: Iterable[Flow],
    ) -> Changes[Flow]:
        """Compare a part of the wanted flows with the same part of the switch (see `comparison`)."""
        own = (flow for flow in observed if not self._is_learned(flow.cookie))
        return compare_flows(wanted, elsewhere, own, self._canonical)

    def holders(self, value: Flow | Group | Meter) -> list[Fragment]:
        """The fragments in which a value stands; looks at all of them, so only for reporting."""
        return [
            fragment
            for fragment in self._fragments.all()
            if any(value in part for part in (fragment.flows, fragment.groups, fragment.meters))
        ]

    def replaced_by(self, change: SwitchChange) -> dict[FragmentId, Fragment]:
        """What is held under the ids of what comes."""
        replaced: dict[FragmentId, Fragment] = {}
        for part in (change.removed, change.added):
            for id_, fragment in part.items():
                if id_ in change.added and (old := self._fragments.like(fragment)) is not None:
                    replaced[id_] = old
        return replaced

    def _what_moves(self, change: SwitchChange) -> tuple[list[Fragment], list[Fragment]]:
        """The fragments that go and those that come; one that replaces another is among both. One is replaced for its
        own audience, whichever version of it is there, and for that of the one that the change removes."""
        held = self._fragments
        added = [fragment for fragment in change.added.values() if not held.holds(fragment)]
        released = [old for fragment in added if (old := held.like(fragment)) is not None]
        for id_, going in change.removed.items():
            stays = id_ in change.added and change.added[id_].audience == going.audience
            if not stays and (old := held.like(going)) is not None:
                released.append(old)
        return released, added

    def _note_flows(
        self, released: Iterable[Fragment], added: Iterable[Fragment], flows: Changes[Flow]
    ) -> None:
        for fragment in released:
            self._holders.release(fragment, self)
        for fragment in added:
            self._holders.hold(fragment, self)
        assert self.flow_count is not None
        self.flow_count += len(flows.added) - len(flows.removed)

    def _hold(self, released: list[Fragment], added: list[Fragment], shares: Shares) -> None:
        """Others instead of these."""
        self._fragments.exchange(released, added, shares)
        self._note_moved(chain(released, added))

    def _note_moved(self, fragments: Iterable[Fragment]) -> None:
        self._generation += 1
        if self._watchers:
            moved = list(fragments)
            for watcher in self._watchers:
                watcher.update(moved)

    def _flow_changes(self, released: list[Fragment], added: list[Fragment]) -> Changes[Flow]:
        """What becomes of the flows, counting those of fragments that stay. Raises ConflictError."""
        before, after = union_of(released), union_of(added)
        if len(after) < sum(len(fragment.flows) for fragment in added):
            self._check_agreement(released, added)
        going = set(released)
        for number in shareable_numbers((*released, *added)):
            if (staying := self._staying(number, going)) is None:
                continue
            if (newcomer := after.pop(staying.key, staying)) != staying:
                raise self._conflict(flows_of, released, added, ClashError(staying.key, newcomer))
            before.pop(staying.key, None)
        return compare_entries(after, before)

    def _staying(self, number: int, going: Container[Fragment]) -> Flow | None:
        """The flow of a fragment that is held here and goes on to be."""
        for fragment in self._holders.held_in(self, self._fragments, number):
            if fragment not in going:
                return next(flow for flow in fragment.flows if key_number(flow) == number)
        return None

    def _check_agreement(self, released: list[Fragment], added: list[Fragment]) -> None:
        """Newcomers that share a key must want the same under it. Raises ConflictError."""
        seen: dict[FlowKey, Flow] = {}
        for fragment in added:
            for key, flow in flows_of(fragment):
                if seen.setdefault(key, flow) != flow:
                    raise self._conflict(flows_of, released, added, ClashError(key, flow))

    def _stage_rest(self, released: list[Fragment], added: list[Fragment]) -> _Rest | None:
        """Groups, meters and tunnel ports; None for fragments of flows alone, as nearly all are."""
        released = [fragment for fragment in released if not fragment.is_flows_alone]
        added = [fragment for fragment in added if not fragment.is_flows_alone]
        if not (released or added):
            return None
        return (
            self._stage(self._groups, _groups_of, released, added),
            self._stage(self._meters, _meters_of, released, added),
            self._stage(self._tunnel_ports, _ports_of, released, added),
        )

    def _commit_rest(self, rest: _Rest | None, operations: TableOperations) -> TableOperations:
        if rest is not None:
            operations.groups = self._groups.commit(rest[0])
            operations.meters = self._meters.commit(rest[1])
            operations.tunnel_ports = self._tunnel_ports.commit(rest[2])
        return operations

    def _stage(
        self,
        holdings: Holdings[K, V],
        part: Callable[[Fragment], Iterator[tuple[K, V]]],
        released: list[Fragment],
        added: list[Fragment],
    ) -> Staged[K, V]:
        try:
            return holdings.stage(
                (key for fragment in released for key, _ in part(fragment)),
                (pair for fragment in added for pair in part(fragment)),
            )
        except ClashError as clash:
            raise self._conflict(part, released, added, clash) from clash

    def _conflict(
        self,
        part: Callable[[Fragment], Iterator[tuple[K, V]]],
        released: list[Fragment],
        added: list[Fragment],
        clash: ClashError,
    ) -> ConflictError:
        """Find out whose values clash; slow, and only on the way to an error."""
        staying = [fragment for fragment in self._fragments.all() if fragment not in released]
        holders = [
            fragment.id
            for fragment in (*staying, *added)
            if any(key == clash.key for key, _ in part(fragment))
        ]
        newcomers = [f.id for f in added if any(value is clash.newcomer for _, value in part(f))]
        newcomer = newcomers[0]
        holder = next(id_ for id_ in (*holders, newcomer) if id_ != newcomer or len(holders) == 1)
        return ConflictError(newcomer, holder, clash.key)
