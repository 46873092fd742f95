"""A move of which nobody is told: decided and carried out as all moves are, but no store holds its steps and no network
goes along."""

from collections.abc import Callable
from dataclasses import replace

from overlace.kit.clock import Clock
from overlace.model.procedure import Mode, Procedure, ProcedureKind, ProcedureState, Step
from overlace.orchestration.decision import Do, Enter, Wait, decide
from overlace.orchestration.deeds import carry_out, errand, given_up
from overlace.orchestration.migrator import Migration, MigrationFailed, Migrator, Unreachable
from overlace.orchestration.orchestrator import LOOK, RETRY, patience
from overlace.orchestration.sight import Account, Progress


async def travel(  # noqa: PLR0913 - who, from where, to where, how, and who wants to know
    machine: str,
    from_host: str,
    to_host: str,
    migrator: Migrator,
    clock: Clock,
    *,
    with_disks: bool,
    proof: float,
    tell: Callable[[Progress], None],
) -> Account:
    """Move a machine; what it has cost. Raises MigrationFailed: it is where it was then."""
    move = Procedure(
        id="",
        project_id="",
        kind=ProcedureKind.MOVE,
        machine_id=machine,
        from_host=from_host,
        to_host=to_host,
        mode=Mode.AUTO,
        with_disks=with_disks,
        step=Step.PREPARING,
        started_at=clock.now(),
        entered_at=clock.now(),
    )
    async with migrator.open(errand(move)) as migration:
        while move.step is not Step.CLOSED:
            move = await _next(move, migration, clock, proof)
            tell(migration.progress())
        if move.state is not ProcedureState.DONE:
            raise MigrationFailed(move.reason)
        return migration.account()


async def _next(move: Procedure, migration: Migration, clock: Clock, proof: float) -> Procedure:
    overdue = (clock.now() - move.entered_at).total_seconds() >= patience(move, proof)
    match decide(move, await migration.look(), overdue):
        case Wait():
            await migration.changed(LOOK)
        case Enter() as entered:
            return _entered(move, entered, clock)
        case Do(deed):
            try:
                await carry_out(deed, migration)
            except Unreachable:
                await migration.changed(RETRY)
            except MigrationFailed as reason:
                end = given_up(move, deed, reason)
                if end is not None:
                    return _entered(move, end, clock)
                await migration.changed(RETRY)
    return move


def _entered(move: Procedure, entered: Enter, clock: Clock) -> Procedure:
    return replace(
        move,
        step=entered.step,
        state=entered.state,
        reason=entered.reason or move.reason,
        entered_at=clock.now(),
    )
