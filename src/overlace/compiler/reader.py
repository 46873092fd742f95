"""What a unit reads, it depends on: a view of the world that notes every question asked of it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from overlace.model.declaration import InnerKey
from overlace.model.observation import Observations, Place, Silence
from overlace.model.snapshot import Key, Snapshot

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class World:
    """All input of the compiler."""

    snapshot: Snapshot
    observations: Observations


class Reader:
    """Answers from one world; `keys` are the questions asked so far. Those asked of `near` are not among them: who asks
    them is found from the key (`UnitKind.kin`)."""

    __slots__ = ("_near", "_observations", "_snapshot", "keys")

    def __init__(self, world: World) -> None:
        self._snapshot = world.snapshot
        self._observations = world.observations
        self._near: Reader | None = None
        self.keys: set[Key] = set()

    @property
    def near(self) -> "Reader":
        """Another one of the same world, whose questions nobody keeps."""
        if self._near is None:
            self._near = Reader(World(self._snapshot, self._observations))
        return self._near

    def get(self, cls: type[V], key: str) -> V | None:
        """See `Snapshot.get`."""
        self.keys.add((cls, key))
        return self._snapshot.get(cls, key)

    def members(self, cls: type[V], index: str, outer: str, inner: InnerKey = "") -> Iterator[V]:
        """See `Snapshot.members`."""
        self.keys.add((cls, index, outer, inner))
        return self._snapshot.members(cls, index, outer, inner)

    def outer(self, cls: type, index: str, outer: str) -> Iterable[str]:
        """See `Snapshot.outer`."""
        self.keys.add((cls, index, outer))
        return self._snapshot.outer(cls, index, outer)

    def ofport(self, place: Place) -> int | None:
        """The OpenFlow port of a workload interface, once its switch has told."""
        self.keys.add(("ofport", place))
        return self._observations.ofports.get(place)

    def fabric_ports(self, node: str) -> Mapping[str, int] | None:
        """The OpenFlow ports of a node that have a carrier, by interface name; None until it has told."""
        self.keys.add(("fabric_ports", node))
        return self._observations.fabric_ports.get(node)

    def silent(self, host: str) -> frozenset[Silence]:
        """Which tunnel addresses of a host do not answer which sites."""
        self.keys.add(silent_key(host))
        return self._observations.silent.get(host, frozenset())

    def is_lost(self, host: str) -> bool:
        """Whether nobody hears a host."""
        self.keys.add(lost_key(host))
        return host in self._observations.lost


def lost_key(host: str) -> Key:
    """The key that a reader of `is_lost(host)` depends on."""
    return ("lost", host)


def ofport_key(place: Place) -> Key:
    """The key that a reader of `ofport(place)` depends on."""
    return ("ofport", place)


def fabric_ports_key(node: str) -> Key:
    """The key that a reader of `fabric_ports(node)` depends on."""
    return ("fabric_ports", node)


def silent_key(host: str) -> Key:
    """The key that a reader of `silent(host)` depends on."""
    return ("silent", host)
