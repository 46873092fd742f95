"""The wanted contents of a switch, less the fragments that the switch (or another fragment) does not allow.

One bad fragment must not keep all others from the switch. It is held out: what it replaced comes back if there
was something, and it is tried again after the next reconnection or when the plan brings another in its place.
"""

from collections.abc import Callable
from dataclasses import dataclass

from overlace.compiler.plan import Fragment, FragmentId, SwitchChange
from overlace.datapath.capabilities import Capabilities
from overlace.datapath.flow import Flow
from overlace.southbound.desired import ConflictError, DesiredTable, Gathered, IsLearned
from overlace.southbound.encoding import Subject
from overlace.southbound.failures import PlanFailure
from overlace.southbound.flow_holders import FlowHolders
from overlace.southbound.operations import TableOperations
from overlace.southbound.shared_change import FlowsChange, SharedChange


@dataclass(frozen=True, slots=True)
class HeldOut:
    """A fragment that the plan wants here and that is not here, and why."""

    fragment: Fragment
    reason: str


class Contents:
    """A desired table that survives bad fragments."""

    def __init__(
        self,
        is_learned: IsLearned,
        canonical: Callable[[Flow], Flow],
        holders: FlowHolders | None = None,
    ) -> None:
        self.table = DesiredTable(is_learned, canonical, holders)
        self.capabilities: Capabilities | None = None
        """What the switch can be asked for; None where that is everything."""
        self.leaving: set[FragmentId] = set()
        """Fragments that are to go soon: one of these gives way to a newcomer that conflicts with it."""
        self.held_out: dict[FragmentId, HeldOut] = {}
        self._replaced: dict[FragmentId, Fragment] = {}
        self._without: frozenset[FragmentId] = frozenset()
        self._kept_off: dict[FragmentId, Fragment] = {}
        self._unreported: dict[FragmentId, str] = {}

    def apply(self, change: SwitchChange) -> TableOperations:
        """As `DesiredTable.apply`, but a fragment that conflicts is held out instead of raising."""
        self.count()
        change = self._take_up(change)
        replaced = self.table.replaced_by(change)
        while True:
            try:
                operations = self.table.apply(change)
            except ConflictError as conflict:
                self._settle_conflict(change, conflict)
            else:
                self._replaced.update(replaced)
                return operations

    def go_without(self, ids: frozenset[FragmentId]) -> None:
        """Keep these fragments off the switch, which goes without what they do; for a switch that is not told yet."""
        if ids == self._without:
            return
        off = {each.id: each for each in self.table.fragments.all() if each.id in ids}
        back = {id_: fragment for id_, fragment in self._kept_off.items() if id_ not in ids}
        kept = {id_: fragment for id_, fragment in self._kept_off.items() if id_ in ids}
        self._without = ids
        self.absorb(SwitchChange(back, off))
        self._kept_off = kept | off

    def absorb(self, change: SwitchChange) -> None:
        """As `apply`, for a switch that is not told: it will be compared before it is written to."""
        if self.table.flow_count is not None:
            self.apply(change)
            return
        change = self._take_up(change)
        while True:
            try:
                self.table.absorb(change)
            except ConflictError as conflict:
                self._settle_conflict(change, conflict)
            else:
                return

    def count(self, gather: Callable[[], Gathered] | None = None) -> None:
        """Find out about fragments that conflict among those absorbed, and hold them out. `gather` gives the flows of
        the table as it is, for whom they are at hand."""
        while self.table.flow_count is None:
            try:
                self.table.count(gather() if gather else None)
            except ConflictError as conflict:
                fragment = self.table.fragments[conflict.newcomer]
                self._hold_out(fragment, str(conflict))
                self.table.absorb(SwitchChange({}, {fragment.id: fragment}))

    def _take_up(self, change: SwitchChange) -> SwitchChange:
        if self.held_out:
            for id_ in (*change.added, *change.removed):
                self.held_out.pop(id_, None)
                self._unreported.pop(id_, None)
        change = change.copy()
        for id_ in self._without:
            self._keep_off(id_, change)
        self._refuse_what_it_cannot(change)
        return change

    def _keep_off(self, id_: FragmentId, change: SwitchChange) -> None:
        if id_ in change.removed:
            self._kept_off.pop(id_, None)
        if (kept := change.not_add(id_)) is not None:
            self._kept_off[id_] = kept

    def awaits(self, change: FlowsChange) -> bool:
        """Whether `take` may be used instead of `apply`: nothing stands in the way of this change here."""
        return self.table.flow_count is not None and self._is_plain(change)

    def take(self, shared: SharedChange) -> None:
        """Apply a change that is awaited."""
        self._replaced.update(shared.flows.replaced)
        self.table.take(shared)

    def take_uncounted(self, change: FlowsChange) -> bool:
        """As `absorb`, where there is nothing to it but to hold other fragments; False where there is."""
        if self.table.flow_count is not None or not self._is_plain(change):
            return False
        self.table.take_uncounted(change)
        return True

    def _is_plain(self, change: FlowsChange) -> bool:
        if self.capabilities is not None or self.held_out:
            return False
        return self._without.isdisjoint(change.newcomers) and self.table.awaits(change)

    def _refuse_what_it_cannot(self, change: SwitchChange) -> None:
        """A fragment that asks for more than the switch has is not tried; what it replaces goes."""
        if self.capabilities is None:
            return
        for id_, fragment in tuple(change.added.items()):
            lacking = {text for flow in fragment.flows for text in self.capabilities.lacking(flow)}
            lacking |= {"meters"} if fragment.meters else set()
            if lacking:
                change.not_add(id_)
                self._hold_out(fragment, f"the switch is not known to have: {', '.join(sorted(lacking))}")

    def _settle_conflict(self, change: SwitchChange, conflict: ConflictError) -> None:
        """Let what is about to leave give way; otherwise hold the newcomer out."""
        gives_way = conflict.holder if conflict.holder in self.leaving else conflict.newcomer
        newcomer = change.not_add(gives_way)
        change.not_remove(gives_way)
        if gives_way == conflict.newcomer:
            assert newcomer is not None
            self._hold_out(newcomer, str(conflict))
        elif gives_way in self.table.fragments:
            change.remove_too(self.table.fragments[gives_way])

    def hold_out(self, subject: Subject, reason: str) -> list[FragmentId]:
        """Take the fragments with this flow, group or meter off the table (a later comparison does the rest).

        Returns their ids; none when no fragment has it.
        """
        self.count()
        found = self.table.holders(subject)
        for fragment in found:
            self._hold_out(fragment, reason)
            previous = self._replaced.pop(fragment.id, None)
            going = {fragment.id: fragment}
            try:
                self.table.apply(SwitchChange({fragment.id: previous} if previous else {}, going))
            except ConflictError:
                self.table.apply(SwitchChange({}, going))
        return [fragment.id for fragment in found]

    def readmit(self) -> None:
        """Try again what was held out."""
        again = {id_: held.fragment for id_, held in self.held_out.items()}
        if again:
            self.apply(SwitchChange(again, {}))

    def settle(self) -> None:
        """The switch has taken everything: what was replaced is no longer of interest."""
        self._replaced.clear()

    def new_failure(self) -> PlanFailure | None:
        """What was held out since this was last asked; None when nothing was."""
        unreported, self._unreported = self._unreported, {}
        if not unreported:
            return None
        return PlanFailure("; ".join(dict.fromkeys(unreported.values())), tuple(unreported))

    def _hold_out(self, fragment: Fragment, reason: str) -> None:
        self.held_out[fragment.id] = HeldOut(fragment, reason)
        self._unreported[fragment.id] = reason
