"""Which switch holds which fragment: audiences with their members and fragments, and the plan they give.

A switch is a member of an audience as long as some unit says so, directly or through an included audience;
a fragment belongs to one audience. What a switch holds follows from that and is kept nowhere. `PlanBuilder.apply` turns
the changed outputs of units into the change of the plan: worked out once for all switches that it is the same for,
and for a switch that enters or leaves an audience by itself.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import TypeVar

from immutables import MapMutation

from overlace.compiler.plan import (
    NO_SHARE,
    Audience,
    Fragment,
    FragmentId,
    PlanChange,
    Share,
    SwitchChange,
    SwitchName,
)
from overlace.compiler.unit import Output

_Moves = dict[FragmentId, tuple[Fragment | None, Fragment | None]]
"""What stood under an id before, and what stands there now."""

K = TypeVar("K")
V = TypeVar("V")
X = TypeVar("X")


class PlanBuilder:
    """The plan so far, and the bookkeeping that lets it change cheaply."""

    def __init__(self) -> None:
        self.sequence = 0
        self.moved = 0
        """So many fragments came, went or were made anew in the last change."""
        self._members: dict[Audience, dict[SwitchName, int]] = defaultdict(dict)
        self._shares: dict[Audience, Share] = {}
        self._includes: dict[Audience, dict[Audience, int]] = defaultdict(dict)
        self._audiences: dict[SwitchName, set[Audience]] = defaultdict(set)
        self._were: dict[tuple[SwitchName, Audience], bool] = {}
        """Memberships that came or went in the present change, as they were before it."""
        self._had: dict[Audience, Share] = {}
        """Shares that are different after the present change, as they were before it."""

    @property
    def switches(self) -> Iterable[SwitchName]:
        """All that are a member of anything."""
        return self._audiences.keys()

    def members(self, audience: Audience) -> Iterable[SwitchName]:
        """The switches of an audience."""
        return self._members.get(audience, {}).keys()

    def share(self, audience: Audience) -> Share:
        """All fragments of an audience."""
        return self._shares.get(audience, NO_SHARE)

    def held_by(self, switch: SwitchName) -> dict[FragmentId, Fragment]:
        """What a switch is to hold."""
        held: dict[FragmentId, Fragment] = {}
        for audience in self._audiences.get(switch, ()):
            held.update(self.share(audience))
        return held

    def apply(self, changes: Iterable[tuple[Output, Output]]) -> PlanChange:
        """Replace old outputs by new ones, and tell what that changes on which switch."""
        pairs = list(changes)
        self._were = {}
        for old, new in pairs:
            self._change_memberships(old, new)
        moves = self._move_fragments(pairs)
        self.sequence += 1
        self.moved = len(moves)
        rebuilt = frozenset(id_ for id_, (_, now) in moves.items() if now is not None)
        return PlanChange(self.sequence, self._changes(moves), rebuilt)

    def _change_memberships(self, old: Output, new: Output) -> None:
        before, after = old.memberships, new.memberships
        if before is after:
            return
        if before.joins != after.joins:
            for switch, audience in after.joins:
                self._join(switch, audience, 1)
            for switch, audience in before.joins:
                self._join(switch, audience, -1)
        if before.includes != after.includes:
            for outer, inner in after.includes:
                self._include(outer, inner, 1)
            for outer, inner in before.includes:
                self._include(outer, inner, -1)

    def _move_fragments(self, pairs: list[tuple[Output, Output]]) -> _Moves:
        before: dict[FragmentId, Fragment] = {}
        after: dict[FragmentId, Fragment] = {}
        for old, new in pairs:
            if old.fragments is not new.fragments:
                for fragment in old.fragments:
                    before[fragment.id] = fragment
                for fragment in new.fragments:
                    after[fragment.id] = fragment
        moves: _Moves = {}
        for id_ in before | after:
            then, now = before.get(id_), after.get(id_)
            if then is not now:
                moves[id_] = then, now
        self._change_shares(moves)
        return moves

    def _change_shares(self, moves: _Moves) -> None:
        touched: dict[Audience, MapMutation[FragmentId, Fragment]] = {}

        def opened(audience: Audience) -> MapMutation[FragmentId, Fragment]:
            if audience not in touched:
                touched[audience] = self.share(audience).mutate()
            return touched[audience]

        for id_, (then, now) in moves.items():
            if now is not None:
                opened(now.audience)[id_] = now
            if then is not None and (now is None or now.audience != then.audience):
                del opened(then.audience)[id_]
        self._had = {audience: self.share(audience) for audience in touched}
        for audience, mutation in touched.items():
            if after := mutation.finish():
                self._shares[audience] = after
            else:
                self._shares.pop(audience, None)

    def _join(self, switch: SwitchName, audience: Audience, step: int) -> None:
        members = self._members[audience]
        before = members.get(switch, 0)
        after = before + step
        if after:
            members[switch] = after
            self._audiences[switch].add(audience)
        else:
            _drop(self._members, audience, switch)
            self._audiences[switch].discard(audience)
        if not before or not after:
            self._were.setdefault((switch, audience), bool(before))
            for included, count in self._includes.get(audience, {}).items():
                self._join(switch, included, step * count)

    def _include(self, outer: Audience, inner: Audience, step: int) -> None:
        counts = self._includes[outer]
        counts[inner] = counts.get(inner, 0) + step
        if not counts[inner]:
            _drop(self._includes, outer, inner)
        for switch in list(self.members(outer)):
            self._join(switch, inner, step)

    def _changes(self, moves: _Moves) -> dict[SwitchName, SwitchChange]:
        entering: dict[SwitchName, dict[Audience, bool]] = defaultdict(dict)
        for (switch, audience), was in self._were.items():
            if was != (switch in self.members(audience)):
                entering[switch][audience] = not was
        parts = self._by_audience(moves)
        changes = self._shared_changes(parts, entering)
        for switch, audiences in entering.items():
            change = self._own_change(switch, audiences, moves, parts)
            if change.added or change.removed:
                changes[switch] = change
        self._were, self._had = {}, {}
        return changes

    def _shared_changes(
        self, parts: Mapping[Audience, SwitchChange], apart: Mapping[SwitchName, object]
    ) -> dict[SwitchName, SwitchChange]:
        """For switches that are in the same audiences as before: one object for all that get the same."""
        concerned: dict[SwitchName, tuple[Audience, ...]] = {}
        for audience in parts:
            alone = (audience,)
            for switch in self.members(audience):
                if switch not in apart:
                    concerned[switch] = (*concerned[switch], audience) if switch in concerned else alone
        merged = {audiences: _merged(parts, audiences) for audiences in set(concerned.values())}
        return {switch: merged[audiences] for switch, audiences in concerned.items()}

    def _own_change(
        self,
        switch: SwitchName,
        entering: Mapping[Audience, bool],
        moves: _Moves,
        parts: Mapping[Audience, SwitchChange],
    ) -> SwitchChange:
        """For a switch that enters audiences (True) or leaves them."""
        change = SwitchChange()
        for audience, enters in entering.items():
            part = change.added if enters else change.removed
            held = self.share(audience)
            part.update((id_, fragment) for id_, fragment in held.items() if id_ not in moves)
            change.shares[audience] = (
                (NO_SHARE, held) if enters else (self._had.get(audience, held), NO_SHARE)
            )
        is_in = self._audiences.get(switch, set())
        was_in = (is_in - entering.keys()) | {audience for audience, enters in entering.items() if not enters}
        for audience in was_in & parts.keys():
            change.removed.update(parts[audience].removed)
        for audience in is_in & parts.keys():
            change.added.update(parts[audience].added)
        for audience in was_in & is_in & parts.keys():
            change.shares.update(parts[audience].shares)
        return change

    def _by_audience(self, moves: _Moves) -> dict[Audience, SwitchChange]:
        """What the moves take from each audience and bring to it."""
        parts: dict[Audience, SwitchChange] = defaultdict(SwitchChange)
        for id_, (then, now) in moves.items():
            if then is not None:
                parts[then.audience].removed[id_] = then
            if now is not None:
                parts[now.audience].added[id_] = now
        for audience, part in parts.items():
            part.shares[audience] = self._had[audience], self.share(audience)
        return parts


def _drop(table: dict[K, dict[V, X]], outer: K, inner: V) -> None:
    """Nothing is kept of what is empty: objects come and go for ever."""
    entries = table[outer]
    del entries[inner]
    if not entries:
        del table[outer]


def _merged(parts: Mapping[Audience, SwitchChange], audiences: tuple[Audience, ...]) -> SwitchChange:
    if len(audiences) == 1:
        return parts[audiences[0]]
    change = SwitchChange()
    for audience in audiences:
        change.added.update(parts[audience].added)
        change.removed.update(parts[audience].removed)
        change.shares.update(parts[audience].shares)
    return change
