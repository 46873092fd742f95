"""The wanted contents of one switch: its fragments, and what they add up to.

Fragments may share flows, groups, meters and tunnel ports; each is counted, so that it is put when the first
fragment brings it and taken away when the last one goes. `apply` answers what a change of fragments means for
a switch that holds exactly the present contents; `difference` answers what a switch needs that holds
something else. Nothing here knows about connections.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar

from overlace.compiler.plan import Fragment, FragmentId, SwitchChange, TunnelPort
from overlace.datapath.flow import Flow, FlowKey, Group, Meter
from overlace.southbound.comparison import compare_entries, compare_flows
from overlace.southbound.holdings import ClashError, Holdings, Staged
from overlace.southbound.operations import Changes, TableOperations

IsLearned = Callable[[int], bool]
"""True for a cookie of flows that the data path makes itself with learn()."""

K = TypeVar("K")
V = TypeVar("V")


def _flows_of(fragment: Fragment) -> Iterator[tuple[FlowKey, Flow]]:
    return zip(fragment.flow_keys, fragment.flows, strict=True)


def _groups_of(fragment: Fragment) -> Iterator[tuple[int, Group]]:
    return ((group.group_id, group) for group in fragment.groups)


def _meters_of(fragment: Fragment) -> Iterator[tuple[int, Meter]]:
    return ((meter.meter_id, meter) for meter in fragment.meters)


def _ports_of(fragment: Fragment) -> Iterator[tuple[str, TunnelPort]]:
    return ((port.name, port) for port in fragment.tunnel_ports)


def _flows_alone(fragment: Fragment) -> bool:
    return not (fragment.groups or fragment.meters or fragment.tunnel_ports)


class ConflictError(Exception):
    """Two fragments of one switch want different things under one key: an error of the compiler.

    `newcomer` is the fragment whose addition was refused, `holder` the one that was there (or came) first.
    """

    def __init__(self, newcomer: FragmentId, holder: FragmentId, key: object) -> None:
        super().__init__(f"fragments {'/'.join(newcomer)} and {'/'.join(holder)} disagree about {key}")
        self.newcomer = newcomer
        self.holder = holder
        self.key = key


class DesiredTable:
    """Fragments held by one switch and the counted union of what they contain."""

    def __init__(self, is_learned: IsLearned, canonical: Callable[[Flow], Flow]) -> None:
        """`canonical` turns a flow into what a switch gives back for it in a dump."""
        self._is_learned = is_learned
        self._canonical = canonical
        self._fragments: dict[FragmentId, Fragment] = {}
        self._flows: Holdings[FlowKey, Flow] = Holdings()
        self._groups: Holdings[int, Group] = Holdings()
        self._meters: Holdings[int, Meter] = Holdings()
        self._tunnel_ports: Holdings[str, TunnelPort] = Holdings()
        self._generation = 0

    @property
    def fragments(self) -> Mapping[FragmentId, Fragment]:
        """The fragments held."""
        return self._fragments

    @property
    def flows(self) -> Mapping[FlowKey, Flow]:
        """The union of the fragments' flows."""
        return self._flows.values

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
        added = [
            fragment for id_, fragment in change.added.items() if self._fragments.get(id_) is not fragment
        ]
        leaving = [fragment.id for fragment in added if fragment.id in self._fragments]
        leaving += [id_ for id_ in change.removed if id_ in self._fragments and id_ not in change.added]
        if not leaving and (brought := self._bring_new(added)) is not None:
            return brought
        released = [self._fragments[id_] for id_ in leaving]
        flows = self._stage(self._flows, _flows_of, released, added)
        rest = self._stage_rest(released, added)
        for id_ in leaving:
            del self._fragments[id_]
        self._fragments.update((fragment.id, fragment) for fragment in added)
        self._generation += 1
        operations = TableOperations(self._flows.commit(flows))
        if rest is not None:
            operations.groups = self._groups.commit(rest[0])
            operations.meters = self._meters.commit(rest[1])
            operations.tunnel_ports = self._tunnel_ports.commit(rest[2])
        return operations

    def difference(
        self, flows: Iterable[Flow], groups: Iterable[Group], meters: Iterable[Meter]
    ) -> TableOperations:
        """What turns a switch that holds exactly these into the wanted one (tunnel ports left out).

        Learned flows stay. Whatever else is not wanted goes, for the bridge is ours.
        """
        return TableOperations(
            flows=self.flow_difference(self.flows, flows),
            groups=compare_entries(self.groups, {group.group_id: group for group in groups}),
            meters=compare_entries(self.meters, {meter.meter_id: meter for meter in meters}),
        )

    def flow_difference(self, wanted: Mapping[FlowKey, Flow], observed: Iterable[Flow]) -> Changes[Flow]:
        """Compare a part of the wanted flows with the same part of the switch (see `comparison`)."""
        own = (flow for flow in observed if not self._is_learned(flow.cookie))
        return compare_flows(wanted, self.flows, own, self._canonical)

    def holders(self, value: Flow | Group | Meter) -> list[FragmentId]:
        """The fragments in which a value stands; looks at all of them, so only for reporting."""
        return [
            id_
            for id_, fragment in self._fragments.items()
            if any(value in part for part in (fragment.flows, fragment.groups, fragment.meters))
        ]

    def _bring_new(self, added: list[Fragment]) -> TableOperations | None:
        """One new fragment of flows that nobody shares: most changes are this, on each of many switches. None, and
        nothing has changed, when it is anything else."""
        if len(added) != 1 or not _flows_alone(added[0]):
            return None
        [fragment] = added
        flows = dict(zip(fragment.flow_keys, fragment.flows, strict=True))
        if len(flows) != len(fragment.flows) or not self._flows.claim_new(flows):
            return None
        self._fragments[fragment.id] = fragment
        self._generation += 1
        return TableOperations(Changes(list(fragment.flows)))

    def _stage_rest(
        self, released: list[Fragment], added: list[Fragment]
    ) -> tuple[Staged[int, Group], Staged[int, Meter], Staged[str, TunnelPort]] | None:
        """Groups, meters and tunnel ports; None for fragments of flows alone, as nearly all are."""
        if all(map(_flows_alone, (*released, *added))):
            return None
        return (
            self._stage(self._groups, _groups_of, released, added),
            self._stage(self._meters, _meters_of, released, added),
            self._stage(self._tunnel_ports, _ports_of, released, added),
        )

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
        staying = [fragment for fragment in self._fragments.values() if fragment not in released]
        holders = [
            fragment.id
            for fragment in (*staying, *added)
            if any(key == clash.key for key, _ in part(fragment))
        ]
        newcomers = [f.id for f in added if any(value is clash.newcomer for _, value in part(f))]
        newcomer = newcomers[0]
        holder = next(id_ for id_ in (*holders, newcomer) if id_ != newcomer or len(holders) == 1)
        return ConflictError(newcomer, holder, clash.key)
