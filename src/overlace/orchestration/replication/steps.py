"""What is written of a replica, each step in one transaction.

Nothing is written while the machine is moved or rescued, but that a whole round is merged, which these wait for. So
what a move or a rescue sees of the replica when it begins is what holds.
"""

from dataclasses import replace
from datetime import datetime

from overlace.model.intents import Intents
from overlace.model.procedure import Procedure, ProcedureKind, having
from overlace.model.replica import Replica, ReplicaState


def write(intents: Intents, was: Replica, now: Replica) -> bool:
    """Take the step from one to the other. Returns False when the replica is not what it was, or may not change."""
    found = intents.get(Replica, was.id)
    if found is None or (found.state, found.round, found.taken) != (was.state, was.round, was.taken):
        return False
    if was.state is not ReplicaState.MERGING and _is_moved(intents, was.id):
        return False
    wanted = {name: getattr(found, name) for name in ("every", "bandwidth_mbit", "ending")}
    verify = found.verify if was.verify == now.verify else now.verify
    intents.put(replace(now, **wanted, verify=verify))
    return True


def remove(intents: Intents, key: str) -> bool:
    """It is nowhere any more."""
    found = intents.get(Replica, key)
    if found is None or not found.ending or _is_moved(intents, key):
        return False
    intents.delete(Replica, key)
    return True


def take(intents: Intents, procedure: Procedure) -> None:
    """A move to the replica's host brings it up to date in place."""
    found = intents.get(Replica, procedure.machine_id)
    if found is not None and found.host_id == procedure.to_host:
        intents.put(replace(found, taken=True))


def recovery_point(intents: Intents, procedure: Procedure) -> datetime | None:
    """What the replica at the procedure's destination shows; None where there is none."""
    found = intents.get(Replica, procedure.machine_id)
    there = found is not None and found.host_id == procedure.to_host and not found.taken
    return found.as_of if found is not None and there else None


def use_up(intents: Intents, procedure: Procedure) -> None:
    """The machine runs on what was its replica."""
    found = intents.get(Replica, procedure.machine_id)
    if found is not None and found.host_id == procedure.to_host:
        intents.delete(Replica, found.id)


def lose(intents: Intents, procedure: Procedure) -> None:
    """A move was given up, and what it had brought to the replica's host is removed there; or a rescue was, whose guest
    may have written to the replica: it is still the best there is, but the next round copies all."""
    found = intents.get(Replica, procedure.machine_id)
    rescued = procedure.kind is ProcedureKind.RESCUE
    if found is not None and found.host_id == procedure.to_host and (found.taken or rescued):
        kept = None if found.taken else found.as_of
        state = ReplicaState.RESTING
        intents.put(replace(found, taken=False, whole=0, as_of=kept, moment=None, state=state))


def _is_moved(intents: Intents, machine: str) -> bool:
    return having(intents.members(Procedure, "machine", machine)) is not None
