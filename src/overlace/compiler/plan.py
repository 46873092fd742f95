"""What the compiler returns: fragments, and which switch holds which.

A *fragment* is a small set of flows, groups, meters and tunnel ports that come and go together because they
have one cause. Many switches hold the very same fragment object, so it is compiled and encoded once. A
*plan* is, for each switch, a mapping from fragment id to fragment; a *plan change* is what turned the last
plan into this one, and is all that the southbound needs.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, TypeVar

from immutables import Map

from overlace.compiler.pipeline import is_of_one_port
from overlace.datapath.flow import Flow, Group, Meter

V = TypeVar("V")

_NUMBERS = (1 << 60) - 1
"""Integers up to here take 32 bytes, larger ones 48."""

SwitchName = str
Audience = tuple[str, ...]
"""A named set of switches, e.g. ``("network", id)``; see `unit`."""
FragmentId = tuple[str, ...]
"""Unit kind and the identifiers of its objects, e.g. ``("port", "<port id>")``."""


@dataclass(frozen=True, slots=True)
class TunnelPort:
    """An Interface row that a switch needs: an OVSDB fact, not an OpenFlow one (ovs-vswitchd.conf.db(5))."""

    name: str
    type: str
    ofport: int
    options: tuple[tuple[str, str], ...] = ()
    bfd: tuple[tuple[str, str], ...] = ()
    bridge: str = ""
    """The bridge of somebody else that it is in; empty for the host's own."""


@dataclass(frozen=True, slots=True)
class _Rest:
    """What is in a fragment beside flows, and what makes these; most fragments of a kind have the same."""

    build: Callable[[Any], Iterable[Flow]] | None = None
    groups: tuple[Group, ...] = ()
    meters: tuple[Meter, ...] = ()
    tunnel_ports: tuple[TunnelPort, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing beside flows."""
        return not (self.groups or self.meters or self.tunnel_ports)


_FLOWS_ALONE = _Rest()


class Fragment:
    """Compared by identity: an unchanged fragment is the same object, which is what sharing rests on.

    The same flow (equal in all parts) may stand in several fragments of one switch; two flows with equal
    keys that differ are a compiler error.

    Flows take much room. A fragment of a kind that comes in large numbers is `made_of` the little that its flows
    follow from: they are made when somebody asks, and only those that were asked for last are kept.

    It is for one audience, which the unit that makes it names (`to`).
    """

    __slots__ = ("_rest", "_shareable", "_view", "audience", "id")

    def __init__(
        self,
        id: FragmentId,  # noqa: A002 - what everybody calls it
        flows: tuple[Flow, ...] = (),
        groups: tuple[Group, ...] = (),
        meters: tuple[Meter, ...] = (),
        tunnel_ports: tuple[TunnelPort, ...] = (),
    ) -> None:
        self.id = id
        self.audience: Audience = ()
        self._rest = (
            _Rest(None, groups, meters, tunnel_ports) if groups or meters or tunnel_ports else _FLOWS_ALONE
        )
        self._view: Any = flows
        self._shareable: tuple[int, ...] | None = None

    @classmethod
    def made_of(
        cls,
        id: FragmentId,  # noqa: A002
        build: Callable[[V], Iterable[Flow]],
        view: V,
        groups: tuple[Group, ...] = (),
    ) -> "Fragment":
        """One with the flows that `build` makes of `view`, whenever they are needed."""
        fragment = cls(id)
        fragment._rest = _Rest(build, groups) if groups else _makes(build)
        fragment._view = view
        return fragment

    def to(self, audience: Audience) -> "Fragment":
        """This one, for these switches."""
        self.audience = audience
        return self

    def __repr__(self) -> str:
        return f"Fragment({'/'.join(self.id)})"

    @property
    def flows(self) -> tuple[Flow, ...]:
        """What goes into the flow tables. They may be other objects the next time."""
        flows: tuple[Flow, ...] = self._view if self._rest.build is None else _made(self)
        return flows

    def make_flows(self) -> tuple[Flow, ...]:
        """As `flows`, made anew in any case."""
        build = self._rest.build
        return self._view if build is None else tuple(build(self._view))

    @property
    def groups(self) -> tuple[Group, ...]:
        """What goes into the group table."""
        return self._rest.groups

    @property
    def meters(self) -> tuple[Meter, ...]:
        """What goes into the meter table."""
        return self._rest.meters

    @property
    def tunnel_ports(self) -> tuple[TunnelPort, ...]:
        """Interfaces that it needs."""
        return self._rest.tunnel_ports

    @property
    def is_flows_alone(self) -> bool:
        """Whether there is nothing in it but flows."""
        return self._rest.is_empty

    @property
    def shareable(self) -> tuple[int, ...]:
        """The keys of those flows that another fragment may have too, as numbers: see `key_number`."""
        if self._shareable is None:
            self._shareable = tuple([key_number(flow) for flow in self.flows if not is_of_one_port(flow)])
        return self._shareable

    def same_content(self, other: "Fragment") -> bool:
        """True when both put the same things into a switch."""
        one, its = self._rest, other._rest
        if one.build is its.build and self._view == other._view:  # of equal views come equal flows
            return one == its
        others = (its.groups, its.meters, its.tunnel_ports)
        return (one.groups, one.meters, one.tunnel_ports) == others and self.flows == other.flows


@lru_cache(maxsize=64)
def _makes(build: Callable[[Any], Iterable[Flow]]) -> _Rest:
    """The same object for all fragments of a kind."""
    return _Rest(build)


@lru_cache(maxsize=8192)
def _made(fragment: Fragment) -> tuple[Flow, ...]:
    """More fragments than a change or a switch has: what is being worked on is made once."""
    return fragment.make_flows()


def key_number(flow: Flow) -> int:
    """A number for the key of a flow. Two keys of one switch with the same number would be taken for two fragments that
    disagree; among 100,000 flows the odds are one in two hundred million."""
    return hash(flow.key) & _NUMBERS


SwitchPlan = Mapping[FragmentId, Fragment]
"""The desired contents of one switch."""
Share = Map[FragmentId, Fragment]
"""All fragments of one audience: the same object for all its switches."""
NO_SHARE: Share = Map()
Shares = Mapping[Audience, tuple[Share | None, Share]]
"""What the plan has for audiences before a change (None: it is not known) and after it."""


@dataclass(slots=True)
class SwitchChange:
    """What changes on one switch: fragments to hold from now on, and fragments to let go.

    A fragment id in both is a replacement: `removed` holds the old one, `added` the new one. Switches that get the same
    share one object, so who wants to change it takes a copy.

    Who holds what `shares` gives for an audience before, as that very object, holds the other one afterwards. Who holds
    something else comes to its own by `added` and `removed`.
    """

    added: dict[FragmentId, Fragment] = field(default_factory=dict)
    removed: dict[FragmentId, Fragment] = field(default_factory=dict)
    shares: dict[Audience, tuple[Share | None, Share]] = field(default_factory=dict)

    def follow(self, later: "SwitchChange") -> None:
        """Become what this change and then `later` come to. What comes and goes again is left among `removed`:
        to let go of what is not held is no error."""
        self._follow_shares(later)
        for id_, fragment in later.removed.items():
            self.added.pop(id_, None)
            self.removed.setdefault(id_, fragment)
        self.added.update(later.added)

    def copy(self) -> "SwitchChange":
        """One that may be changed."""
        return SwitchChange(dict(self.added), dict(self.removed), dict(self.shares))

    def not_add(self, id_: FragmentId) -> Fragment | None:
        """Leave this one out; returned is what would have come."""
        return self._left_out(self.added.pop(id_, None))

    def not_remove(self, id_: FragmentId) -> None:
        """Leave what is under this id where it is."""
        self._left_out(self.removed.pop(id_, None))

    def remove_too(self, fragment: Fragment) -> None:
        """Let go of another one."""
        self.removed[fragment.id] = fragment
        self._left_out(fragment)

    def _left_out(self, fragment: Fragment | None) -> Fragment | None:
        """What is added and removed is not what leads from the plan's share to its next."""
        if fragment is not None and (share := self.shares.get(fragment.audience)) is not None:
            self.shares[fragment.audience] = None, share[1]
        return fragment

    def _follow_shares(self, later: "SwitchChange") -> None:
        """Where the two do not join, what is to be held before is not known."""
        touched = {each.audience for part in (self.added, self.removed) for each in part.values()}
        for part in (later.added, later.removed):
            for each in part.values():
                if each.audience not in later.shares:
                    self._left_out(each)
        for audience, (before, after) in later.shares.items():
            if audience in self.shares:
                first, joint = self.shares[audience]
                before = first if joint is before else None
            elif audience in touched:
                before = None
            self.shares[audience] = before, after


@dataclass(slots=True)
class PlanChange:
    """The changes of one compilation; `sequence` counts compilations and is what switches acknowledge.

    `rebuilt` names the fragments whose content is new, as opposed to those that only reached another switch.
    """

    sequence: int
    switches: dict[SwitchName, SwitchChange]
    rebuilt: frozenset[FragmentId] = frozenset()

    def together(self) -> list[tuple[SwitchChange, list[SwitchName]]]:
        """The changes, each with all switches that share it."""
        return together(self.switches)

    def follow(self, later: "PlanChange") -> None:
        """Become what this change and then `later` come to."""
        self.sequence = later.sequence
        self.rebuilt |= later.rebuilt
        for name, change in later.switches.items():
            before = self.switches.get(name, _NOTHING)
            self.switches[name] = before.copy()
            self.switches[name].follow(change)


_NOTHING = SwitchChange()


def together(switches: Mapping[SwitchName, SwitchChange]) -> list[tuple[SwitchChange, list[SwitchName]]]:
    """Changes by switch, each once, with all switches that share the object."""
    found: dict[int, tuple[SwitchChange, list[SwitchName]]] = {}
    for name, change in switches.items():
        if (known := found.get(id(change))) is not None:
            known[1].append(name)
        else:
            found[id(change)] = change, [name]
    return list(found.values())
