"""Make before break across switches: what a change takes away waits for what it brings elsewhere.

When a port moves, its new host and its peers get new rules and its old host loses some. Were the old ones
removed first, frames still on their way would be lost. So the fragments that a change only removes stay until
the other switches that the change brings something to have answered, or for `grace` seconds at most. A switch
whose removals wait has not yet done the change, and its acknowledgements are held back accordingly.

Pure: time comes in as `now`, effects go out through `publish`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from overlace.compiler.plan import FragmentId, PlanChange, SwitchChange, SwitchName


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
        publish: Callable[[SwitchName, SwitchChange, int], None],
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
        bringing = {name for name, each in change.switches.items() if each.added and self._answers(name)}
        later: dict[SwitchName, SwitchChange] = {}
        for name, each in change.switches.items():
            self._newest[name] = change.sequence
            self._keep_again(name, each)
            if each.removed and bringing - {name} and self._answers(name):
                only_removed = {id_: old for id_, old in each.removed.items() if id_ not in each.added}
                if only_removed:
                    later[name] = SwitchChange({}, only_removed)
        if later:
            self._deferred.append(_Deferred(change.sequence, later, bringing, now + self._grace))
        self._tell_leaving(change.switches.keys())
        for name, each in change.switches.items():
            self._publish_now(name, each, later.get(name), change.sequence)

    def heard(self, name: SwitchName, sequence: int) -> None:
        """A switch has done (or refused, or is lost and so cannot do) everything up to `sequence`."""
        for deferred in self._deferred:
            if deferred.sequence <= sequence:
                deferred.awaited.discard(name)
        self._release(lambda deferred: not deferred.awaited)

    def tick(self, now: float) -> None:
        """Let time pass: nobody is waited for longer than the grace."""
        self._release(lambda deferred: now >= deferred.deadline)

    def done_up_to(self, name: SwitchName, sequence: int) -> int:
        """What an acknowledgement of `sequence` is worth while removals of this switch wait."""
        waiting = [each.sequence for each in self._deferred if name in each.removals]
        return min([sequence, *(first - 1 for first in waiting)])

    @property
    def waiting(self) -> bool:
        """True while removals wait."""
        return bool(self._deferred)

    def _publish_now(
        self, name: SwitchName, change: SwitchChange, later: SwitchChange | None, sequence: int
    ) -> None:
        if later is None:
            self._publish(name, change, sequence)
            return
        now = {id_: old for id_, old in change.removed.items() if id_ not in later.removed}
        if change.added or now:
            self._publish(name, SwitchChange(change.added, now), sequence)

    def _keep_again(self, name: SwitchName, change: SwitchChange) -> None:
        """What comes back before it was removed is not to be removed."""
        for deferred in self._deferred:
            if (removal := deferred.removals.get(name)) is not None:
                for id_ in change.added:
                    removal.removed.pop(id_, None)

    def _release(self, is_due: Callable[[_Deferred], bool]) -> None:
        due = [each for each in self._deferred if is_due(each)]
        if not due:
            return
        self._deferred = [each for each in self._deferred if each not in due]
        for deferred in due:
            self._tell_leaving(deferred.removals.keys())
            for name, removal in deferred.removals.items():
                self._publish(name, removal, self._newest[name])

    def _tell_leaving(self, names: Iterable[SwitchName]) -> None:
        for name in names:
            removals = (each.removals[name] for each in self._deferred if name in each.removals)
            self._leaving(name, {id_ for removal in removals for id_ in removal.removed})
