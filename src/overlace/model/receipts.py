"""Keeping the receipts of moves, step by step, inside the transaction that takes the step."""

from dataclasses import replace
from datetime import timedelta

from overlace.model.intents import Intents
from overlace.model.move import Cause, Move, MoveState, Trigger, move_id
from overlace.model.port import Binding, Port
from overlace.model.procedure import Procedure

KEPT = 100
"""Receipts kept for each port, the newest."""


def receipt_of(intents: Intents, binding: Binding) -> Move | None:
    """The receipt of the move that brought, or is to bring, the port here; none for its first binding."""
    return intents.get(Move, move_id(binding.port_id, binding.generation))


def open_receipt(intents: Intents, port: Port, active: Binding, binding: Binding, cause: Cause) -> None:
    """A port that is active somewhere is prepared elsewhere."""
    known = sorted(_receipts(intents, port.id), key=lambda move: move.generation)
    for old in known[: max(0, len(known) + 1 - KEPT)]:
        intents.delete(Move, old.id)
    intents.put(
        Move(
            port_id=port.id,
            project_id=port.project_id,
            network_id=port.network_id,
            from_host=active.host_id,
            to_host=binding.host_id,
            generation=binding.generation,
            state=MoveState.PREPARED,
            prepared_by=cause.trigger,
            actor=cause.actor,
            prepared_at=intents.now,
        )
    )


def note_activation(intents: Intents, binding: Binding, cause: Cause) -> None:
    """The traffic goes to the new host."""
    receipt = receipt_of(intents, binding)
    if receipt is not None:
        changed = replace(receipt, state=MoveState.ACTIVATED, activated_by=cause.trigger)
        intents.put(replace(changed, activated_at=intents.now, actor=cause.actor or receipt.actor))


def note_transfer(intents: Intents, binding: Binding, procedure: Procedure) -> None:
    """The machine has come with the port, at this cost."""
    receipt = receipt_of(intents, binding)
    if receipt is not None:
        changed = replace(receipt, machine_id=procedure.machine_id, mode=procedure.mode_taken)
        changed = replace(changed, event=procedure.trigger, stop_ms=procedure.stop_ms)
        changed = replace(changed, network_ms=procedure.network_ms)
        changed = replace(changed, copied_bytes=procedure.copied_bytes, disk_bytes=procedure.disk_bytes)
        changed = replace(changed, verified=procedure.verified, unverified=procedure.unverified)
        changed = replace(changed, verified_bytes=procedure.verified_bytes)
        intents.put(replace(changed, unverified_bytes=procedure.unverified_bytes))


def give_up(intents: Intents, binding: Binding, state: MoveState, reason: str) -> None:
    """The move that the binding was prepared for comes to nothing."""
    receipt = receipt_of(intents, binding)
    if receipt is not None:
        _close(intents, receipt, state, reason)


def end_release(intents: Intents, port_id: str, host_id: str) -> None:
    """The old host redirects nothing any more: the move is done."""
    for move in _receipts(intents, port_id):
        if move.from_host == host_id and move.state is MoveState.ACTIVATED:
            _close(intents, move, MoveState.DONE, "")


def close_all(intents: Intents, port_id: str, reason: str) -> None:
    """Whatever is under way ends here."""
    for move in _receipts(intents, port_id):
        if move.ended_at is None:
            _close(intents, move, MoveState.ABORTED, reason)


def forget(intents: Intents, port_id: str) -> None:
    """Receipts go with their port; the log of changes keeps them."""
    for move in _receipts(intents, port_id):
        intents.delete(Move, move.id)


def flips(intents: Intents, port_id: str, window: timedelta) -> int:
    """How often a first frame has moved the port within the window that ends now."""
    since = intents.now - window
    return sum(
        move.activated_by is Trigger.FIRST_FRAME
        and move.activated_at is not None
        and move.activated_at > since
        for move in _receipts(intents, port_id)
    )


def _receipts(intents: Intents, port_id: str) -> list[Move]:
    return list(intents.members(Move, "port", port_id))


def _close(intents: Intents, move: Move, state: MoveState, reason: str) -> None:
    intents.put(replace(move, state=state, ended_at=intents.now, reason=reason))
