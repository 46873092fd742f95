"""Evacuations end when all their moves have."""

from collections import Counter
from dataclasses import replace

from overlace.model.intents import Intents
from overlace.model.procedure import Procedure, ProcedureKind, ProcedureState, Step


def close_evacuations(intents: Intents) -> bool:
    """End those of whose moves none runs any more. Returns False when there was none."""
    found = intents.members(Procedure, "state", ProcedureState.RUNNING.value)
    over = [
        each
        for each in list(found)
        if each.kind is ProcedureKind.EVACUATION and not _runs(_moves(intents, each))
    ]
    for each in over:
        intents.put(_closed(intents, each))
    return bool(over)


def _moves(intents: Intents, evacuation: Procedure) -> list[Procedure]:
    return list(intents.members(Procedure, "parent", evacuation.id))


def _runs(moves: list[Procedure]) -> bool:
    return any(move.state is ProcedureState.RUNNING for move in moves)


def _closed(intents: Intents, evacuation: Procedure) -> Procedure:
    moves = _moves(intents, evacuation)
    ended = Counter(move.state for move in moves)
    state, reason = ProcedureState.DONE, ""
    if ended[ProcedureState.FAILED]:
        failed = sorted(move.machine_id for move in moves if move.state is ProcedureState.FAILED)
        state = ProcedureState.FAILED
        reason = f"{len(failed)} of {len(moves)} machines are where they were: {', '.join(failed[:5])}"
    elif ended[ProcedureState.ABORTED]:
        state = ProcedureState.ABORTED
        reason = f"{ended[ProcedureState.ABORTED]} of {len(moves)} machines are where they were"
    now = intents.now
    return replace(evacuation, state=state, step=Step.CLOSED, reason=reason, entered_at=now, ended_at=now)
