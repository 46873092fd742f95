"""What a replica's round does next: a pure function of what is written of it and of what can be seen.

    RESTING -> (SEEDING ->) SENDING -> MERGING -> RESTING

A round that fails leaves the replica as it was before, and is begun anew. What the store says is what holds: a round is
whole when MERGING is written, and not before, so nobody has to guess what a controller had done that is gone.
"""

from dataclasses import dataclass
from enum import Enum, auto

from overlace.model.replica import Replica, ReplicaState
from overlace.orchestration.replication.link import Basis, ReplicaSight, Work
from overlace.orchestration.sight import Guest


class Task(Enum):
    """What a link is asked to do."""

    HOLD = auto()
    SEED = auto()
    SEND = auto()
    SEAL = auto()
    """And write MERGING."""
    MERGE = auto()
    """And write RESTING."""
    REMOVE = auto()
    """And forget the replica."""


@dataclass(frozen=True, slots=True)
class Begin:
    """Write that the round copies from now on."""

    state: ReplicaState


@dataclass(frozen=True, slots=True)
class Drop:
    """The round is given up: write RESTING."""

    reason: str


@dataclass(frozen=True, slots=True)
class Pause:
    """Nothing to do before something changes; `why` is empty where all is well."""

    why: str = ""


Choice = Task | Begin | Drop | Pause
_ALIVE = (Guest.RUNNING, Guest.STILL)


def choose(replica: Replica, seen: ReplicaSight, due: bool) -> Choice:
    """The next thing; `due` is whether a new round is to begin."""
    if replica.state is ReplicaState.MERGING:  # needs the replica's host only
        return Task.MERGE if seen.keeper else Task.HOLD
    if replica.ending:
        return Pause(seen.reason) if seen.guest is Guest.UNKNOWN else Task.REMOVE
    if replica.state is ReplicaState.RESTING and not due:
        return Pause()
    if seen.guest not in _ALIVE:
        why = seen.reason or f"machine {replica.id} does not run where it should"
        resting = replica.state is ReplicaState.RESTING
        return Pause(why) if resting or seen.guest is Guest.UNKNOWN else Drop(why)
    if not seen.keeper:
        return Task.HOLD
    return _CHOICES[replica.state](replica, seen)


def _first(_: Replica, seen: ReplicaSight) -> Choice:
    return Begin(ReplicaState.SEEDING if seen.basis is Basis.NOTHING else ReplicaState.SENDING)


def _seeding(_: Replica, seen: ReplicaSight) -> Choice:
    match seen.work:
        case Work.NONE:
            return Task.SEED
        case Work.FAILED:
            return Drop(seen.reason)
        case Work.DONE:
            return Begin(ReplicaState.SENDING)
    return Pause(seen.reason)


def _sending(_: Replica, seen: ReplicaSight) -> Choice:
    match seen.work:
        case Work.NONE if seen.basis is Basis.NOTHING:
            return Drop("what was copied of the disks is gone")
        case Work.NONE:
            return Task.SEND
        case Work.FAILED:
            return Drop(seen.reason)
        case Work.DONE:
            return Task.SEAL
    return Pause(seen.reason)


_CHOICES = {
    ReplicaState.RESTING: _first,
    ReplicaState.SEEDING: _seeding,
    ReplicaState.SENDING: _sending,
}
