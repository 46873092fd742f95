"""Units: the small pure functions the compiler is made of.

A unit *projects* the little of the world that it needs, noting what it read, and *builds* its output from the
projection alone. When something that it read changes, it projects again; when the projection comes out equal,
the old output stands, the very same objects.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from overlace.compiler.plan import Audience, Fragment, SwitchName
from overlace.compiler.reader import Reader
from overlace.model.snapshot import Key, Snapshot

UnitId = tuple[str, ...]
Unit = tuple[str, ...]
"""Kind and id."""

Sort = tuple[type, str]
"""Of keys: those of a class's values by their ids, with an empty text, or those of (outer, inner) pairs of an index."""

ALL_HOSTS: Audience = ("hosts",)
_NAMES = 1 << 14
"""So many of the names of each sort that were made last are one object wherever they are the same."""


@lru_cache(maxsize=_NAMES)
def switch_audience(name: SwitchName) -> Audience:
    """One switch alone."""
    return ("switch", name)


@lru_cache(maxsize=_NAMES)
def network_audience(network_id: str) -> Audience:
    """The hosts that have, or prepare, a port of the network."""
    return ("network", network_id)


@lru_cache(maxsize=_NAMES)
def group_audience(group_id: str) -> Audience:
    """The hosts with a port that carries the security group."""
    return ("group", group_id)


@lru_cache(maxsize=_NAMES)
def member_audience(group_id: str) -> Audience:
    """The hosts where a rule asks whether an address is a member of the group."""
    return ("members", group_id)


def family_audience(families: str) -> Audience:
    """The hosts whose tunnel endpoints have just these IP versions: ``"4"``, ``"6"`` or ``"46"``."""
    return ("families", families)


def site_audience(site_id: str, families: str) -> Audience:
    """Those of them that stand at one site."""
    return ("site", site_id, families)


@dataclass(frozen=True, slots=True)
class Memberships:
    """`joins`: which switch is in which audience; `includes`: every switch of the first audience is in the second,
    too."""

    joins: tuple[tuple[SwitchName, Audience], ...] = ()
    includes: tuple[tuple[Audience, Audience], ...] = ()


NO_MEMBERSHIPS = Memberships()


@dataclass(frozen=True, slots=True)
class Output:
    """`fragments`: what their audiences are to hold; `memberships`: who is in which audience because of this unit."""

    fragments: tuple[Fragment, ...] = ()
    memberships: Memberships = NO_MEMBERSHIPS


NOTHING = Output()


@dataclass(frozen=True, slots=True)
class UnitKind:
    """A kind of unit. `roots` lists the ids of all its units in a snapshot; each key of the sort `rooted_in` is one of
    this kind's roots, and `root_of` names the unit that it brings into being or ends. `project` returns None only
    when the root is gone. Where `project` reads what is `near` to the root, nothing is noted: of a hundred thousand
    ports that would be much. From any key that may be read so, `kin` finds the units that have, but for the root's own.
    """

    name: str
    rooted_in: Sort
    roots: Callable[[Snapshot], Iterable[UnitId]]
    root_of: Callable[[Key], UnitId]
    project: Callable[[Reader, UnitId], Any]
    build: Callable[[Any], Output]
    kin: Callable[[Key, Snapshot], Iterable[UnitId]] | None = None


def sort_of(key: Key) -> Sort | None:
    """The sort of a key; None for one of an index's outer keys alone."""
    if len(key) == 2:
        return key[0], ""
    return (key[0], key[1]) if len(key) == 4 else None


def rooted_in(cls: type) -> dict[str, Any]:
    """What a kind is rooted in with one unit for every value of a class."""

    def roots(snapshot: Snapshot) -> Iterable[UnitId]:
        return ((id_,) for id_ in snapshot.ids(cls))

    return {"rooted_in": (cls, ""), "roots": roots, "root_of": lambda key: (key[1],)}


def rooted_in_index(cls: type, index: str) -> dict[str, Any]:
    """What a kind is rooted in with one unit for every (outer, inner) pair of an index."""

    def roots(snapshot: Snapshot) -> Iterable[UnitId]:
        return (
            (outer, inner)
            for outer in snapshot.outer_keys(cls, index)
            for inner in snapshot.outer(cls, index, outer)
        )

    return {"rooted_in": (cls, index), "roots": roots, "root_of": lambda key: (key[2], key[3])}
