"""Which switch holds which fragment: audiences with their members and fragments, and the plan they give.

A switch is a member of an audience as long as some unit says so, directly or through an included audience;
a fragment belongs to one audience. `PlanBuilder.apply` turns the changed outputs of units into the change of
the plan, touching only the (switch, fragment) pairs concerned.
"""

from collections import defaultdict
from collections.abc import Iterable

from overlace.compiler.plan import Fragment, FragmentId, PlanChange, SwitchChange, SwitchName
from overlace.compiler.unit import Audience, Output


class PlanBuilder:
    """The plan so far, and the bookkeeping that lets it change cheaply."""

    def __init__(self) -> None:
        self.plan: dict[SwitchName, dict[FragmentId, Fragment]] = {}
        self.sequence = 0
        self._members: dict[Audience, dict[SwitchName, int]] = defaultdict(dict)
        self._fragments: dict[Audience, dict[FragmentId, Fragment]] = defaultdict(dict)
        self._includes: dict[Audience, dict[Audience, int]] = defaultdict(dict)
        self._touched: dict[tuple[SwitchName, FragmentId], Audience] = {}
        self._rebuilt: set[FragmentId] = set()

    def members(self, audience: Audience) -> Iterable[SwitchName]:
        """The switches of an audience."""
        return self._members.get(audience, {}).keys()

    def apply(self, changes: Iterable[tuple[Output, Output]]) -> PlanChange:
        """Replace old outputs by new ones, and tell what that changes on which switch."""
        pairs = list(changes)
        self._touched = {}
        self._rebuilt = set()
        for old, new in pairs:  # joins first: a fragment then touches the members it ends up with
            self._change_memberships(old, new)
        for old, new in pairs:
            self._change_fragments(old, new)
        self.sequence += 1
        return PlanChange(self.sequence, self._settle(), frozenset(self._rebuilt))

    def _change_memberships(self, old: Output, new: Output) -> None:
        if old.joins != new.joins:
            for switch, audience in new.joins:
                self._join(switch, audience, 1)
            for switch, audience in old.joins:
                self._join(switch, audience, -1)
        if old.includes != new.includes:
            for outer, inner in new.includes:
                self._include(outer, inner, 1)
            for outer, inner in old.includes:
                self._include(outer, inner, -1)

    def _change_fragments(self, old: Output, new: Output) -> None:
        if old.fragments is new.fragments:
            return
        kept = {fragment.id for _, fragment in new.fragments}
        for audience, fragment in old.fragments:
            if fragment.id not in kept:
                self._fragments[audience].pop(fragment.id, None)
                self._touch_all(audience, fragment.id)
        for audience, fragment in new.fragments:
            if self._fragments[audience].get(fragment.id) is not fragment:
                self._fragments[audience][fragment.id] = fragment
                self._rebuilt.add(fragment.id)
                self._touch_all(audience, fragment.id)

    def _touch_all(self, audience: Audience, fragment_id: FragmentId) -> None:
        for switch in self._members[audience]:
            self._touched[switch, fragment_id] = audience

    def _join(self, switch: SwitchName, audience: Audience, step: int) -> None:
        members = self._members[audience]
        before = members.get(switch, 0)
        after = before + step
        if after:
            members[switch] = after
        else:
            del members[switch]
        if not before or not after:
            for fragment_id in self._fragments[audience]:
                self._touched[switch, fragment_id] = audience
            for included, count in self._includes[audience].items():
                self._join(switch, included, step * count)

    def _include(self, outer: Audience, inner: Audience, step: int) -> None:
        counts = self._includes[outer]
        counts[inner] = counts.get(inner, 0) + step
        if not counts[inner]:
            del counts[inner]
        for switch in list(self._members[outer]):
            self._join(switch, inner, step)

    def _settle(self) -> dict[SwitchName, SwitchChange]:
        changes: dict[SwitchName, SwitchChange] = {}
        for (switch, fragment_id), audience in self._touched.items():
            held = self.plan.setdefault(switch, {})
            old = held.get(fragment_id)
            new = self._fragments[audience].get(fragment_id) if switch in self._members[audience] else None
            if old is new:
                continue
            change = changes.setdefault(switch, SwitchChange())
            if old is not None:
                change.removed[fragment_id] = old
                del held[fragment_id]
            if new is not None:
                change.added[fragment_id] = new
                held[fragment_id] = new
        self._touched = {}
        return changes
