"""Replicas: a machine's disks kept at another host, at most so old. What a round has done is what its state says; a
controller that starts goes on from there."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from overlace.model.declaration import Index, api, resource


class ReplicaState(Enum):
    """How far the round under way is."""

    RESTING = "resting"
    """The replica is the last whole round."""
    SEEDING = "seeding"
    """All of the disks is copied, beside what is there, while the guest writes on."""
    SENDING = "sending"
    """What the guest had written at one moment is copied, beside what is there."""
    MERGING = "merging"
    """The round is whole: what is there and what was copied are the replica, and are put together."""


@resource(
    "replica",
    "replicas",
    Index("host", lambda r: [(r.host_id, "")]),
    Index("project", lambda r: [(r.project_id, "")]),
)
@dataclass(frozen=True, slots=True, kw_only=True)
class Replica:
    """`id` is the machine's. UTC."""

    id: str = api(post=True, kind="name", required=True)
    project_id: str = api(kind="project")
    host_id: str = api(post=True, kind="name", required=True, admin_view=True)
    every: int = api(post=True, put=True, kind="replica_age", default=60)
    """Seconds: it may be at most so old."""
    bandwidth_mbit: int = api(post=True, put=True, kind="bandwidth", default=0, value=0)
    """At most; 0 is as fast as it goes."""
    state: ReplicaState = ReplicaState.RESTING
    round: int = api(kind="int", value=0)
    """The last one begun."""
    whole: int = api(kind="int", value=0)
    """The last whole one, from which the next goes on; 0 when it has to begin with all of the disks."""
    moment: datetime | None = api(kind="timestamp", value=None)
    """What the round under way will show."""
    as_of: datetime | None = api(kind="timestamp", value=None)
    """The moment that the replica shows; None while there is none."""
    sent_bytes: int = api(kind="int", value=0)
    """Of the last whole round."""
    round_ms: int = api(kind="int", value=0)
    """How long the last whole round took."""
    verify: bool = api(put=True, kind="bool", default=False, value=False)
    """Somebody wants the next round compared with the disks."""
    verified: datetime | None = api(kind="timestamp", value=None)
    """The moment of the last round that was compared, and was the same bit by bit."""
    taken: bool = api(kind="bool", value=False, admin_view=True)
    """A move of the machine to this host brings it up to date in place: until it ends there is no recovery point."""
    ending: bool = api(kind="bool", value=False)
    """Nobody wants it any more; it goes once it is removed at both hosts."""


def age(replica: Replica, now: datetime) -> float | None:
    """Seconds since the moment that it shows, None when there is nothing."""
    if replica.as_of is None or replica.taken:
        return None
    return max(0.0, (now - replica.as_of).total_seconds())


def promise_kept(replica: Replica, now: datetime) -> bool:
    """Whether it is as new as it has to be."""
    old = age(replica, now)
    return old is not None and old <= replica.every
