"""Which hosts watch each other: everyone everyone while they are few, a sparse graph when they are many.

A BFD session costs a port and a few packets a second at both ends, so the number of sessions of a host must
not grow with the number of hosts (docs/adr/0007-who-watches-whom.md has the arithmetic). Up to FULL_MESH hosts
every pair is watched. Above, each host is watched by the hosts at fixed strides around the ring of all hosts,
sorted by site and name; and between any two sites, a few pairs of hosts watch the way between the sites.
"""

from collections.abc import Iterator, Sequence
from itertools import combinations

FULL_MESH = 16
STRIDES = (1, 5, 29)
"""Twice as many sessions a host; a host that comes or goes alters at most sum(STRIDES) + 2 * len(STRIDES) pairs."""
PAIRS_BETWEEN_SITES = 2

Member = tuple[str, str]
"""Site and name of a host: the order of the ring."""
Pair = tuple[Member, Member]
"""The smaller one first."""


def watching_pairs(hosts: Sequence[Member]) -> frozenset[Pair]:
    """The pairs that watch each other, whatever the order of `hosts`."""
    ring = sorted(hosts)
    if len(ring) <= FULL_MESH:
        return frozenset(combinations(ring, 2))
    pairs = {_pair(here, there) for here, there in _around(ring)}
    return frozenset(pairs | set(_between_sites(ring)))


def _around(ring: Sequence[Member]) -> Iterator[Pair]:
    for position, here in enumerate(ring):
        for stride in STRIDES:
            yield here, ring[(position + stride) % len(ring)]


def _between_sites(ring: Sequence[Member]) -> Iterator[Pair]:
    """Each site gives the next hosts in turn to each other site, so that no host bears them all."""
    sites: dict[str, list[Member]] = {}
    for member in ring:
        sites.setdefault(member[0], []).append(member)
    for (near, near_hosts), (far, far_hosts) in combinations(enumerate(sites.values()), 2):
        for turn in range(PAIRS_BETWEEN_SITES):
            yield _pair(_in_turn(near_hosts, far, turn), _in_turn(far_hosts, near, turn))


def _in_turn(hosts: Sequence[Member], other_site: int, turn: int) -> Member:
    return hosts[(other_site * PAIRS_BETWEEN_SITES + turn) % len(hosts)]


def _pair(one: Member, other: Member) -> Pair:
    return (one, other) if one < other else (other, one)
