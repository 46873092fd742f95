"""Replicas of machines' disks: whether they are as new as was promised."""

from collections.abc import Iterator

from overlace.app.doctor.facts import Facts
from overlace.app.doctor.finding import Finding, error, warning
from overlace.model.replica import Replica, ReplicaState, age, promise_kept

_LOOK = "see: overlace machine show {}"


def check_replicas(facts: Facts) -> Iterator[Finding]:
    """Those that somebody wants; the rest is being removed."""
    for replica in sorted(facts.snapshot.all(Replica), key=lambda each: each.id):
        if not replica.ending and not promise_kept(replica, facts.now):
            yield _late(replica, facts)


def _late(replica: Replica, facts: Facts) -> Finding:
    problem, old = facts.replica_problems.get(replica.id, ""), age(replica, facts.now)
    look = _LOOK.format(replica.id)
    if old is not None:
        return error(
            "replica_old",
            replica.id,
            f"the replica of machine {replica.id} at {replica.host_id} is {old:.0f} s old, and may be "
            f"{replica.every} s",
            problem or f"a round takes too long: the last whole one took {replica.round_ms / 1000:.0f} s",
            f"mend that; or allow more age or bandwidth with overlace machine replicate; {look}",
        )
    cause = problem or {
        ReplicaState.RESTING: "nothing has been copied yet",
        ReplicaState.SEEDING: "all of its disks is being copied for the first time, or anew",
    }.get(replica.state, "the first round is not whole yet")
    return warning(
        "replica_missing",
        replica.id,
        f"machine {replica.id} has no replica at {replica.host_id} that it could be started from",
        "a move there uses it up" if replica.taken else cause,
        f"nothing while it is copied or moved; else mend that; {look}",
    )
