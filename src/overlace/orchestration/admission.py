"""Which moves may begin: so many at a time on a host, and so many between two sites."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from overlace.model.procedure import (
    Procedure,
    ProcedureKind,
    ProcedureState,
    Step,
    waits_for_old_host,
)
from overlace.model.site import Host
from overlace.model.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Limits:
    """Moves at a time: that a host takes part in, and over the way between two sites."""

    per_host: int = 2
    per_link: int = 4


def running(snapshot: Snapshot) -> list[Procedure]:
    """Every procedure that has not ended, in its turn."""
    found = snapshot.members(Procedure, "state", ProcedureState.RUNNING.value)
    return sorted(found, key=lambda each: (each.started_at, each.parent, each.place, each.id))


def moves(procedures: Iterable[Procedure]) -> list[Procedure]:
    """Those that are moves, from living hosts or dead ones."""
    return [each for each in procedures if each.kind is not ProcedureKind.EVACUATION]


def admitted(snapshot: Snapshot, limits: Limits) -> list[Procedure]:
    """The queued moves that may begin now. One that has to wait does not hold up those behind it elsewhere."""
    queue = moves(running(snapshot))
    taken: Counter[object] = Counter()
    for move in queue:
        if move.step is not Step.QUEUED and not waits_for_old_host(move):
            taken.update(_places(snapshot, move))
    chosen = []
    for move in queue:
        places = _places(snapshot, move)
        if move.step is Step.QUEUED and all(taken[each] < _limit(each, limits) for each in places):
            taken.update(places)
            chosen.append(move)
    return chosen


def _limit(place: object, limits: Limits) -> int:
    return limits.per_host if isinstance(place, str) else limits.per_link


def _places(snapshot: Snapshot, move: Procedure) -> list[object]:
    """Hosts by name, the way between two sites as a set."""
    hosts = [snapshot.get(Host, name) for name in (move.from_host, move.to_host)]
    sites = frozenset(host.site_id for host in hosts if host is not None)
    return [move.from_host, move.to_host, *([sites] if len(sites) == 2 else [])]
