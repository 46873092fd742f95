"""What the compiler returns: fragments, and which switch holds which.

A *fragment* is a small set of flows, groups, meters and tunnel ports that come and go together because they
have one cause. Many switches hold the very same fragment object, so it is compiled and encoded once. A
*plan* is, for each switch, a mapping from fragment id to fragment; a *plan change* is what turned the last
plan into this one, and is all that the southbound needs.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from overlace.datapath.flow import Flow, FlowKey, Group, Meter

SwitchName = str
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


@dataclass(frozen=True, slots=True, eq=False)
class Fragment:
    """Compared by identity: an unchanged fragment is the same object, which is what sharing rests on.

    The same flow (equal in all parts) may stand in several fragments of one switch; two flows with equal
    keys that differ are a compiler error.
    """

    id: FragmentId
    flows: tuple[Flow, ...] = ()
    groups: tuple[Group, ...] = ()
    meters: tuple[Meter, ...] = ()
    tunnel_ports: tuple[TunnelPort, ...] = ()
    _flow_keys: tuple[FlowKey, ...] | None = field(default=None, init=False, repr=False)

    @property
    def flow_keys(self) -> tuple[FlowKey, ...]:
        """The identities of `flows`, in their order: the same objects for every switch that asks."""
        if self._flow_keys is None:
            object.__setattr__(self, "_flow_keys", tuple([flow.key for flow in self.flows]))
        assert self._flow_keys is not None
        return self._flow_keys

    def same_content(self, other: "Fragment") -> bool:
        """True when both put the same things into a switch."""
        return (
            self.flows == other.flows
            and self.groups == other.groups
            and self.meters == other.meters
            and self.tunnel_ports == other.tunnel_ports
        )


SwitchPlan = Mapping[FragmentId, Fragment]
"""The desired contents of one switch."""


@dataclass(slots=True)
class SwitchChange:
    """What changes on one switch: fragments to hold from now on, and fragments to let go.

    A fragment id in both is a replacement: `removed` holds the old one, `added` the new one. Switches that get the same
    share one object, so who wants to change it takes a copy.
    """

    added: dict[FragmentId, Fragment] = field(default_factory=dict)
    removed: dict[FragmentId, Fragment] = field(default_factory=dict)

    def follow(self, later: "SwitchChange") -> None:
        """Become what this change and then `later` come to. What comes and goes again is left among `removed`:
        to let go of what is not held is no error."""
        for id_, fragment in later.removed.items():
            self.added.pop(id_, None)
            self.removed.setdefault(id_, fragment)
        self.added.update(later.added)


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
            self.switches[name] = SwitchChange(dict(before.added), dict(before.removed))
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
