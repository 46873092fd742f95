"""Deeds carried out by a migrator, and what a deed that fails means for its move."""

from collections.abc import Awaitable, Callable, Mapping

from overlace.model.procedure import Procedure, Step
from overlace.model.replica import Replica
from overlace.orchestration.decision import Deed, Enter
from overlace.orchestration.migrator import Errand, Migration, MigrationFailed
from overlace.orchestration.sight import End

_FORWARD = (Step.PREPARING, Step.SEEDING, Step.COPYING, Step.TRANSFERRING)


def errand(move: Procedure, replica: Replica | None = None) -> Errand:
    """What a migrator is told of a move, and of the replica that the machine has somewhere."""
    there = replica is not None and replica.taken and replica.host_id == move.to_host
    return Errand(
        move.machine_id,
        move.from_host,
        move.to_host,
        move.mode,
        move.with_disks,
        move.bandwidth_mbit,
        move.verify and move.step in (Step.PREPARING, Step.SEEDING),
        replica if there else None,
    )


async def carry_out(deed: Deed, migration: Migration) -> None:
    """Have it done. Raises MigrationFailed."""
    await _DEEDS[deed](migration)


def given_up(move: Procedure, deed: Deed, reason: MigrationFailed) -> Enter | None:
    """What to enter since a deed fails; None where it is tried again: there is no other way from here."""
    if move.step in _FORWARD or deed is Deed.GO_ON:
        return Enter(Step.ABORTING, reason=str(reason))
    return None


_DEEDS: Mapping[Deed, Callable[[Migration], Awaitable[None]]] = {
    Deed.RECEIVE: lambda migration: migration.receive(),
    Deed.START: lambda migration: migration.start(),
    Deed.SEED: lambda migration: migration.seed(),
    Deed.TRANSFER: lambda migration: migration.transfer(),
    Deed.GO_ON: lambda migration: migration.go_on(),
    Deed.CANCEL: lambda migration: migration.cancel(),
    Deed.DISCARD_SOURCE: lambda migration: migration.discard(End.SOURCE),
    Deed.DISCARD_DESTINATION: lambda migration: migration.discard(End.DESTINATION),
    Deed.RESUME: lambda migration: migration.resume(),
}
