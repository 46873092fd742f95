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
from overlace.compiler.plan import FragmentId, PlanChange, SwitchName, SwitchPlan
from overlace.compiler.reader import Reader, World
from overlace.compiler.readers import Readers
from overlace.compiler.unit import NOTHING, Audience, Output, Unit, UnitKind
from overlace.model.snapshot import Key

_KINDS = {kind.name: kind for kind in UNIT_KINDS}
_WITH_KIN = [(kind.name, kind.kin) for kind in UNIT_KINDS if kind.kin is not None]


@dataclass(slots=True)
class _Memo:
    """What is kept of a unit; `keys` is what it read but for its root and kin, for which it is looked at anyway."""

    unit: Unit
    projection: Any
    output: Output
    keys: tuple[Key, ...]


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
            for kind in UNIT_KINDS:
                root = kind.root_of(key)
                if root is not None:
                    units.add((kind.name, *root))
            for name, kin in _WITH_KIN:
                units.update((name, *each) for each in kin(key, world.snapshot))
        return units

    def _refresh(self, world: World, unit: Unit) -> tuple[Output, Output] | None:
        kind: UnitKind = _KINDS[unit[0]]
        root = unit[1:]
        memo = self._memos.get(unit)
        reader = Reader(world)
        projection = kind.project(reader, root)
        self.counters.units_projected += 1
        if projection is None:
            return self._forget(memo) if memo else None
        if memo is None:
            memo = self._memos[unit] = _Memo(unit, None, NOTHING, ())
        fresh = reader.keys.difference(memo.keys)
        own = {key for key in fresh if kind.root_of(key) == root}
        if kind.kin is not None:
            own.update(key for key in fresh if root in kind.kin(key, world.snapshot))
        memo.keys = self._readers.move(memo.unit, memo.keys, reader.keys - own)
        if memo.projection == projection:
            return None
        self.counters.units_built += 1
        old = memo.output
        memo.output = _keep_equal_fragments(old, kind.build(projection))
        memo.projection = projection
        return old, memo.output

    def _forget(self, memo: _Memo) -> tuple[Output, Output]:
        """Let go of a unit whose root is gone; should the root come back, its key brings the unit back."""
        self._readers.move(memo.unit, memo.keys, frozenset())
        del self._memos[memo.unit]
        return memo.output, NOTHING


def _keep_equal_fragments(old: Output, new: Output) -> Output:
    """Let fragments that came out equal be the same objects as before."""
    if not old.fragments:
        return new
    before: dict[FragmentId, Any] = {
        fragment.id: (audience, fragment) for audience, fragment in old.fragments
    }
    kept = []
    for audience, fragment in new.fragments:
        known = before.get(fragment.id)
        same = known is not None and known[0] == audience and known[1].same_content(fragment)
        kept.append(known if same and known is not None else (audience, fragment))
    return Output(tuple(kept), new.joins, new.includes)
