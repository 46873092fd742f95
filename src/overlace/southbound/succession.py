"""Make before break across switches: what a change takes away waits for what it brings elsewhere.

When a port moves, its new host and its peers get new rules and its old host loses some. Were the old ones
removed first, frames still on their way would be lost. So the fragments that a change only removes stay until
the other switches that the change brings something to have answered, or for `grace` seconds at most. A switch
whose removals wait has not yet done the change, and its acknowledgements are held back accordingly.

Pure: time comes in as `now`, effects go out through `publish`, one call for all switches that get the same.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence, Set as AbstractSet
from dataclasses import dataclass

from overlace.compiler.plan import FragmentId, PlanChange, SwitchChange, SwitchName, together


@dataclass(slots=True)
class _Deferred:
    """Removals of one change, and whom they wait for."""

    sequence: int
    removals: dict[SwitchName, SwitchChange]
    awaited: set[SwitchName]
    deadline: float


class Succession:
    """Orders changes; `leaving` tells a switch which fragments it still holds only for the time being."""

    def __init__(
        self,
        publish: Callable[[Sequence[SwitchName], SwitchChange, int], None],
        leaving: Callable[[SwitchName, set[FragmentId]], None],
        answers: Callable[[SwitchName], bool],
        grace: float,
    ) -> None:
        """`answers` says whether a switch is in sync, so that waiting for it makes sense; `grace` in seconds."""
        self._publish = publish
        self._leaving = leaving
        self._answers = answers
        self._grace = grace
        self._deferred: list[_Deferred] = []
        self._newest: dict[SwitchName, int] = {}

    def publish(self, change: PlanChange, now: float) -> None:
        """Publish a change: additions and replacements at once, removals at once or later."""
        switches = self._keep_again(change.switches) if self._deferred else change.switches
        groups = together(switches)
        self._newest.update(dict.fromkeys(change.switches, change.sequence))
        later = self._put_off(change, groups, now)
        if self._deferred:
            self._tell_leaving(change.switches)
        for each, names in groups:
            if not later:
                self._publish(names, each, change.sequence)
                continue
            self._publish_now([name for name in names if name not in later], each, change.sequence)
            waiting = [name for name in names if name in later]
            if waiting:
                self._publish_now(waiting, _at_once(each), change.sequence)

    def heard(self, name: SwitchName, sequence: int) -> None:
        """A switch has done (or refused, or is lost and so cannot do) everything up to `sequence`."""
        if not self._deferred:
            return
        for deferred in self._deferred:
            if deferred.sequence <= sequence:
                deferred.awaited.discard(name)
        self._release(lambda deferred: not deferred.awaited)

    def tick(self, now: float) -> None:
        """Let time pass: nobody is waited for longer than the grace."""
        self._release(lambda deferred: now >= deferred.deadline)

    def done_up_to(self, name: SwitchName, sequence: int) -> int:
        """What an acknowledgement of `sequence` is worth while removals of this switch wait."""
        if not self._deferred:
            return sequence
        waiting = [each.sequence for each in self._deferred if name in each.removals]
        return min([sequence, *(first - 1 for first in waiting)])

    @property
    def waiting(self) -> bool:
        """True while removals wait."""
        return bool(self._deferred)

    def _put_off(
        self, change: PlanChange, groups: list[tuple[SwitchChange, list[SwitchName]]], now: float
    ) -> dict[SwitchName, SwitchChange]:
        """The removals that have to wait, by switch."""
        only_removing = [
            (each.removed.keys() - each.added.keys(), each, names) for each, names in groups if each.removed
        ]
        if not any(ids for ids, _, _ in only_removing):
            return {}
        bringing = {name for each, names in groups if each.added for name in names if self._answers(name)}
        later: dict[SwitchName, SwitchChange] = {}
        for ids, each, names in only_removing:
            if not ids or not bringing:
                continue
            removal = _put_off(each, ids)
            for name in names:
                if len(bringing) > (name in bringing) and self._answers(name):
                    later[name] = removal
        if later:
            self._deferred.append(_Deferred(change.sequence, later, bringing, now + self._grace))
        return later

    def _publish_now(self, names: Sequence[SwitchName], change: SwitchChange, sequence: int) -> None:
        if names and (change.added or change.removed):
            self._publish(names, change, sequence)

    def _keep_again(self, switches: Mapping[SwitchName, SwitchChange]) -> Mapping[SwitchName, SwitchChange]:
        """What comes back before it was removed is replaced, and not to be removed any more."""
        replacing = dict(switches)
        for deferred in self._deferred:
            for name, removal in deferred.removals.items():
                if (each := replacing.get(name)) is None or not removal.removed.keys() & each.added:
                    continue
                replacing[name] = own = each.copy()
                going = dict(removal.removed)
                for id_ in removal.removed.keys() & each.added:
                    own.remove_too(going.pop(id_))
                deferred.removals[name] = SwitchChange({}, going)
        return replacing

    def _release(self, is_due: Callable[[_Deferred], bool]) -> None:
        due = [each for each in self._deferred if is_due(each)]
        if not due:
            return
        self._deferred = [each for each in self._deferred if each not in due]
        for deferred in due:
            self._tell_leaving(deferred.removals)
            for removal, names in together(deferred.removals):
                by_newest: dict[int, list[SwitchName]] = defaultdict(list)
                for name in names:
                    by_newest[self._newest[name]].append(name)
                for newest, some in by_newest.items():
                    self._publish(some, removal, newest)

    def _tell_leaving(self, names: Iterable[SwitchName]) -> None:
        for name in names:
            removals = (each.removals[name] for each in self._deferred if name in each.removals)
            self._leaving(name, {id_ for removal in removals for id_ in removal.removed})


def _at_once(change: SwitchChange) -> SwitchChange:
    """Less what it only removes."""
    removed = {id_: old for id_, old in change.removed.items() if id_ in change.added}
    put_off = {old.audience for id_, old in change.removed.items() if id_ not in change.added}
    shares = {audience: share for audience, share in change.shares.items() if audience not in put_off}
    return SwitchChange(change.added, removed, shares)


def _put_off(change: SwitchChange, ids: AbstractSet[FragmentId]) -> SwitchChange:
    """The removals of these, after which the plan's share of their audiences is held unless it has changed again."""
    removed = {id_: old for id_, old in change.removed.items() if id_ in ids}
    audiences = {old.audience for old in removed.values()} & change.shares.keys()
    return SwitchChange({}, removed, {audience: (None, change.shares[audience][1]) for audience in audiences})
