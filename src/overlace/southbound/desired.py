"""The wanted contents of one switch: its fragments, and what they add up to.

Fragments may share flows, groups, meters and tunnel ports; each is counted, so that it is put when the first
fragment brings it and taken away when the last one goes. `apply` answers what a change of fragments means for
a switch that holds exactly the present contents; `difference` answers what a switch needs that holds
something else. Nothing here knows about connections.
"""

from collections.abc import Callable, Iterable, Mapping
from operator import attrgetter
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

_flows_of: Callable[[Fragment], tuple[Flow, ...]] = attrgetter("flows")
_groups_of: Callable[[Fragment], tuple[Group, ...]] = attrgetter("groups")
_meters_of: Callable[[Fragment], tuple[Meter, ...]] = attrgetter("meters")
_ports_of: Callable[[Fragment], tuple[TunnelPort, ...]] = attrgetter("tunnel_ports")


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
        self._flows: Holdings[FlowKey, Flow] = Holdings(attrgetter("key"))
        self._groups: Holdings[int, Group] = Holdings(attrgetter("group_id"))
        self._meters: Holdings[int, Meter] = Holdings(attrgetter("meter_id"))
        self._tunnel_ports: Holdings[str, TunnelPort] = Holdings(attrgetter("name"))
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
        released = [self._fragments[id_] for id_ in leaving]
        flows = self._stage(self._flows, _flows_of, released, added)
        groups = self._stage(self._groups, _groups_of, released, added)
        meters = self._stage(self._meters, _meters_of, released, added)
        ports = self._stage(self._tunnel_ports, _ports_of, released, added)
        for id_ in leaving:
            del self._fragments[id_]
        self._fragments.update((fragment.id, fragment) for fragment in added)
        self._generation += 1
        return TableOperations(
            self._flows.commit(flows),
            self._groups.commit(groups),
            self._meters.commit(meters),
            self._tunnel_ports.commit(ports),
        )

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

    def _stage(
        self,
        holdings: Holdings[K, V],
        part: Callable[[Fragment], tuple[V, ...]],
        released: list[Fragment],
        added: list[Fragment],
    ) -> Staged[K, V]:
        try:
            return holdings.stage(
                (value for fragment in released for value in part(fragment)),
                (value for fragment in added for value in part(fragment)),
            )
        except ClashError as clash:
            raise self._conflict(holdings, part, released, added, clash) from clash

    def _conflict(
        self,
        holdings: Holdings[K, V],
        part: Callable[[Fragment], tuple[V, ...]],
        released: list[Fragment],
        added: list[Fragment],
        clash: ClashError,
    ) -> ConflictError:
        """Find out whose values clash; slow, and only on the way to an error."""
        staying = [fragment for fragment in self._fragments.values() if fragment not in released]
        holders = [
            fragment.id
            for fragment in (*staying, *added)
            if any(holdings.key(value) == clash.key for value in part(fragment))
        ]
        newcomers = [f.id for f in added if any(value is clash.newcomer for value in part(f))]
        newcomer = newcomers[0]
        holder = next(id_ for id_ in (*holders, newcomer) if id_ != newcomer or len(holders) == 1)
        return ConflictError(newcomer, holder, clash.key)
