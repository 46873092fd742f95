"""The memoised recompute: `advance` brings the plan from one world to the next, doing only what changed.

An empty compiler *is* the full recompute, so the two cannot diverge; tests hold them against each other.
`dirty` names the keys that may have changed (the union of what commits and observations touched). It is a hint
about where to look, not a description of what to do: each unit looked at recomputes from the world.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from typing import Any

from overlace.compiler.graph import UNIT_KINDS
from overlace.compiler.placement import PlanBuilder
from overlace.compiler.plan import Audience, Fragment, PlanChange, SwitchName, SwitchPlan
from overlace.compiler.reader import Reader, World
from overlace.compiler.readers import Readers
from overlace.compiler.unit import (
    NO_MEMBERSHIPS,
    NOTHING,
    Memberships,
    Output,
    Sort,
    Unit,
    UnitKind,
    sort_of,
)
from overlace.model.snapshot import Key

_KINDS = {kind.name: kind for kind in UNIT_KINDS}
_ROOTED_IN: dict[Sort | None, list[UnitKind]] = {
    sort: [kind for kind in UNIT_KINDS if kind.rooted_in == sort]
    for sort in {each.rooted_in for each in UNIT_KINDS}
}
_WITH_KIN = [(kind.name, kind.kin) for kind in UNIT_KINDS if kind.kin is not None]


@dataclass(slots=True)
class _Memo:
    """What is kept of a unit; `keys` is what it has read (and not what is `near`). Of what it puts out the parts are
    kept, and a fragment that is alone as itself: most are."""

    projection: Any
    fragments: Fragment | tuple[Fragment, ...]
    memberships: Memberships
    keys: tuple[Key, ...]

    @property
    def output(self) -> Output:
        """What it puts out."""
        kept = self.fragments
        return Output((kept,) if isinstance(kept, Fragment) else kept, self.memberships)

    def keep(self, output: Output) -> None:
        """It puts this out now."""
        found = output.fragments
        self.fragments = found[0] if len(found) == 1 else found
        self.memberships = output.memberships


@dataclass(slots=True)
class WorkCounters:
    """Machine-independent cost of compilation, counted since the start."""

    units_projected: int = 0
    units_built: int = 0
    fragments_changed: int = 0
    switches_changed: int = 0
    """Summed over all plans: a fragment that goes to ten switches counts once there, and each of the ten here."""


class Compiler:
    """The cache of one controller. Not thread-safe; `advance` is otherwise a pure function of its world."""

    def __init__(self) -> None:
        self._memos: dict[Unit, _Memo] = {}
        self._readers = Readers()
        self._builder = PlanBuilder()
        self.counters = WorkCounters()

    @property
    def plan(self) -> dict[SwitchName, SwitchPlan]:
        """What every switch is to hold, as of the last `advance`."""
        return {switch: self._builder.held_by(switch) for switch in self._builder.switches}

    def switch_plan(self, switch: SwitchName) -> SwitchPlan:
        """What one switch is to hold."""
        return self._builder.held_by(switch)

    def members(self, audience: Audience) -> Iterable[SwitchName]:
        """The switches that an audience reaches."""
        return self._builder.members(audience)

    def advance(self, world: World, dirty: Iterable[Key] | None = None) -> PlanChange:
        """Compile `world`. Without `dirty` every unit is looked at."""
        units = self._every_unit(world) if dirty is None else self._units_of(world, dirty)
        outputs = [change for unit in units if (change := self._refresh(world, unit)) is not None]
        plan_change = self._builder.apply(outputs)
        self.counters.fragments_changed += self._builder.moved
        self.counters.switches_changed += len(plan_change.switches)
        return plan_change

    def _every_unit(self, world: World) -> Iterable[Unit]:
        """Kind by kind: units that are alike and neighbours share much of what they read and make."""
        fresh = ((kind.name, *root) for kind in UNIT_KINDS for root in kind.roots(world.snapshot))
        return dict.fromkeys(chain(fresh, self._memos))

    def _units_of(self, world: World, dirty: Iterable[Key]) -> set[Unit]:
        units: set[Unit] = set()
        for key in dirty:
            units.update(self._readers.of(key))
            for kind in _ROOTED_IN.get(sort_of(key), ()):
                units.add((kind.name, *kind.root_of(key)))
            for name, kin in _WITH_KIN:
                for each in kin(key, world.snapshot):
                    units.add((name, *each))
        return units

    def _refresh(self, world: World, unit: Unit) -> tuple[Output, Output] | None:
        kind: UnitKind = _KINDS[unit[0]]
        root = unit[1:]
        memo = known = self._memos.get(unit)
        reader = Reader(world)
        projection = kind.project(reader, root)
        self.counters.units_projected += 1
        if projection is None:
            return self._forget(unit, memo) if memo is not None else None
        if memo is None:
            memo = _Memo(None, (), NO_MEMBERSHIPS, ())
        if reader.keys or memo.keys:
            memo.keys = self._readers.move(unit, memo.keys, reader.keys)
        if memo.projection == projection:
            return None
        self.counters.units_built += 1
        new = kind.build(projection)
        if known is None:
            old = NOTHING
            self._memos[_same_name(unit, new)] = memo
        else:
            old = memo.output
            new = _keep_equal_fragments(old, new)
        memo.projection = projection
        memo.keep(new)
        return old, new

    def _forget(self, unit: Unit, memo: _Memo) -> tuple[Output, Output]:
        """Let go of a unit whose root is gone; should the root come back, its key brings the unit back."""
        self._readers.move(unit, memo.keys, frozenset())
        del self._memos[unit]
        return memo.output, NOTHING


def _same_name(unit: Unit, output: Output) -> Unit:
    """A unit under the very object that its fragment has as id, where both are called the same."""
    for fragment in output.fragments:
        if fragment.id == unit:
            return fragment.id
    return unit


def _keep_equal_fragments(old: Output, new: Output) -> Output:
    """Let fragments that came out equal be the same objects as before."""
    if not old.fragments:
        return new
    before = {fragment.id: fragment for fragment in old.fragments}
    kept = []
    for fragment in new.fragments:
        known = before.get(fragment.id)
        same = known is not None and known.audience == fragment.audience and known.same_content(fragment)
        kept.append(known if same and known is not None else fragment)
    return Output(tuple(kept), new.memberships)
