"""Which hosts need each other: those that have, or prepare, ports of one network, or can bridge it."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass
from itertools import permutations

from overlace.model.network import Network, Segment
from overlace.model.port import Binding
from overlace.model.site import Host
from overlace.model.snapshot import Change, Snapshot

_NONE: frozenset[str] = frozenset()
Pair = tuple[str, str]
"""From host, to host."""


@dataclass(frozen=True, slots=True)
class NeighbourhoodChange:
    """Pairs that need each other from now on, and pairs that do no more."""

    begun: frozenset[Pair]
    ended: frozenset[Pair]


class Neighbourhood:
    """Counts, for each pair of hosts, the networks that both have a port of."""

    def __init__(self) -> None:
        self._hosts: dict[str, frozenset[str]] = {}
        self._networks: defaultdict[str, set[str]] = defaultdict(set)
        """Of each host that has any."""
        self._shared: Counter[Pair] = Counter()
        self._peers: dict[str, set[str]] = {}

    def __iter__(self) -> Iterator[Pair]:
        return iter(self._shared)

    def pairs_of(self, host: str) -> Iterator[Pair]:
        """The pairs that a host is one end of, in both directions."""
        for peer in self._peers.get(host, ()):
            yield host, peer
            yield peer, host

    def networks_between(self, one: str, other: str) -> Set[str]:
        """The ids of the networks for which two hosts need each other."""
        return self._networks.get(one, _NONE) & self._networks.get(other, _NONE)

    def everything(self, snapshot: Snapshot) -> NeighbourhoodChange:
        """Begin with a whole snapshot."""
        return self._look_at(snapshot, [network.id for network in snapshot.all(Network)])

    def committed(self, snapshot: Snapshot, changes: Iterable[Change]) -> NeighbourhoodChange:
        """The store has a new revision."""
        touched = {
            value.network_id
            for change in changes
            if change.cls is Binding
            for value in (change.before, change.after)
            if value is not None
        }
        for change in changes:
            values = [value for value in (change.before, change.after) if value is not None]
            if change.cls is Segment:
                touched |= {value.network_id for value in values}
            elif change.cls is Host:
                touched |= {
                    segment.network_id
                    for value in values
                    for bridge in value.physical_networks
                    for segment in _segments_on(snapshot, bridge.physical_network)
                }
        return self._look_at(snapshot, touched)

    def _look_at(self, snapshot: Snapshot, networks: Iterable[str]) -> NeighbourhoodChange:
        begun: set[Pair] = set()
        ended: set[Pair] = set()
        for network in networks:
            before = self._hosts.get(network, frozenset())
            after = frozenset(snapshot.outer(Binding, "place", network)) | _bridging(snapshot, network)
            for pair in _pairs_with(before, before - after):
                self._shared[pair] -= 1
                if not self._shared[pair]:
                    del self._shared[pair]
                    self._peers[pair[0]].discard(pair[1])
                    ended.add(pair)
            for pair in _pairs_with(after, after - before):
                if pair not in self._shared:
                    begun.add(pair)
                    self._peers.setdefault(pair[0], set()).add(pair[1])
                self._shared[pair] += 1
            self._note(network, before, after)
        return NeighbourhoodChange(frozenset(begun - ended), frozenset(ended - begun))

    def _note(self, network: str, before: frozenset[str], after: frozenset[str]) -> None:
        self._hosts[network] = after
        if not after:
            del self._hosts[network]
        for host in after - before:
            self._networks[host].add(network)
        for host in before - after:
            self._networks[host].discard(network)
            if not self._networks[host]:
                del self._networks[host]


def _segments_on(snapshot: Snapshot, physical_network: str) -> Iterator[Segment]:
    for tag in snapshot.outer(Segment, "physical", physical_network):
        yield from snapshot.members(Segment, "physical", physical_network, tag)


def _bridging(snapshot: Snapshot, network: str) -> frozenset[str]:
    """The hosts that can bridge a network to its physical one: any of them may have to at once."""
    segments = snapshot.members(Segment, "network", network)
    names = (each.physical_network for each in segments if each.physical_network)
    return frozenset(host for name in names for host in snapshot.outer(Host, "physical_network", name))


def _pairs_with(hosts: frozenset[str], concerned: frozenset[str]) -> Iterator[Pair]:
    """The ordered pairs of hosts of which at least one is concerned."""
    for one in concerned:
        for other in hosts - concerned:
            yield one, other
            yield other, one
    yield from permutations(concerned, 2)
