"""Entering a step: the procedure, the machine and the bindings of its ports change in one transaction.

Nothing happens when the procedure has left the step from which this was decided: deciding twice does no harm.
"""

from dataclasses import replace
from datetime import datetime

from overlace.model import binder, receipts
from overlace.model.intents import Intents
from overlace.model.machine import Machine
from overlace.model.move import Cause, Trigger
from overlace.model.port import Port
from overlace.model.procedure import Procedure, ProcedureKind, ProcedureState, Step
from overlace.orchestration.decision import Enter
from overlace.orchestration.replication import steps as replicas
from overlace.orchestration.sight import Account


def enter(intents: Intents, key: str, was: Step, action: Enter, account: Account) -> bool:
    """Take the step; the network goes along. Returns False when it was taken before.

    Raises binder.BindingRefused when a port may not go there.
    """
    procedure = intents.get(Procedure, key)
    if procedure is None or procedure.step is not was:
        return False
    recovery_point = replicas.recovery_point(intents, procedure)
    match action.step:
        case Step.PREPARING:
            _prepare(intents, procedure)
            if procedure.kind is ProcedureKind.MOVE:
                replicas.take(intents, procedure)
        case Step.SWITCHING:
            _activate(intents, procedure, procedure.to_host)
            if procedure.kind is ProcedureKind.RESCUE:
                _settle(intents, procedure)
                replicas.use_up(intents, procedure)
        case Step.ABORTING if was in (Step.SWITCHING, Step.FINISHING):
            _activate(intents, procedure, procedure.from_host)
        case Step.CLOSED if procedure.kind is ProcedureKind.RESCUE and was is Step.FINISHING:
            pass  # the machine may be elsewhere by now
        case Step.CLOSED if action.state is ProcedureState.DONE:
            _settle(intents, procedure)
            replicas.use_up(intents, procedure)
        case Step.CLOSED:
            _withdraw(intents, procedure, action.reason)
            replicas.lose(intents, procedure)
    entered = _entered(procedure, action, account, intents.now)
    if entered.kind is ProcedureKind.RESCUE:
        entered = _with_recovery(entered, recovery_point)
    intents.put(entered)
    if entered.state is ProcedureState.DONE and entered.kind is ProcedureKind.MOVE:
        _note_receipts(intents, entered)
    return True


def _with_recovery(procedure: Procedure, recovery_point: datetime | None) -> Procedure:
    if procedure.step is not Step.SWITCHING:
        return procedure
    took = round((procedure.entered_at - procedure.started_at).total_seconds())
    return replace(procedure, data_as_of=recovery_point or procedure.data_as_of, recovery_s=took)


def ports_of(intents: Intents, machine: str) -> list[Port]:
    """The ports of a machine, in a fixed order."""
    return sorted(intents.members(Port, "device", machine), key=lambda port: port.id)


def _entered(procedure: Procedure, action: Enter, account: Account, now: datetime) -> Procedure:
    return replace(
        procedure,
        step=action.step,
        state=action.state,
        reason=action.reason or procedure.reason,
        entered_at=now,
        ended_at=now if action.step is Step.CLOSED else None,
        mode_taken=account.mode or procedure.mode_taken,
        trigger=account.trigger or procedure.trigger,
        copied_bytes=account.copied_bytes or procedure.copied_bytes,
        disk_bytes=account.disk_bytes or procedure.disk_bytes,
        verified=account.verified or procedure.verified,
        verified_bytes=account.verified_bytes or procedure.verified_bytes,
        unverified_bytes=account.unverified_bytes or procedure.unverified_bytes,
        unverified=account.unverified or procedure.unverified,
        stop_ms=account.stop_ms or procedure.stop_ms,
        network_ms=account.network_ms or procedure.network_ms,
    )


def _cause(procedure: Procedure) -> Cause:
    return Cause(Trigger.PROCEDURE, procedure.actor)


def _prepare(intents: Intents, procedure: Procedure) -> None:
    for port in ports_of(intents, procedure.machine_id):
        if binder.active_binding(intents, port.id) is not None:
            binder.prepare(intents, port.id, procedure.to_host, _cause(procedure))


def _activate(intents: Intents, procedure: Procedure, host: str) -> None:
    """What spoke there first is active already."""
    for port in ports_of(intents, procedure.machine_id):
        active = binder.active_binding(intents, port.id)
        if active is not None and active.host_id != host:
            binding = binder.prepare(intents, port.id, host, _cause(procedure))
            binder.activate(intents, binding, _cause(procedure))
        present = intents.get(Port, port.id)
        if present is not None and present.host_id:
            intents.put(replace(present, host_id=host))


def _settle(intents: Intents, procedure: Procedure) -> None:
    machine = intents.get(Machine, procedure.machine_id)
    if machine is not None:
        intents.put(replace(machine, host_id=procedure.to_host))


def _note_receipts(intents: Intents, procedure: Procedure) -> None:
    for port in ports_of(intents, procedure.machine_id):
        there = binder.active_binding(intents, port.id)
        if there is not None and there.host_id == procedure.to_host:
            receipts.note_transfer(intents, there, procedure)


def _withdraw(intents: Intents, procedure: Procedure, reason: str) -> None:
    """No trace is left at the destination; a port that was never to go there stays as it is."""
    for port in ports_of(intents, procedure.machine_id):
        active = binder.active_binding(intents, port.id)
        there = binder.binding_at(intents, port.id, procedure.to_host)
        if there is None or active is None or procedure.to_host == procedure.from_host:
            continue
        if active.host_id == procedure.to_host:
            _activate(intents, procedure, procedure.from_host)
        _remove(intents, port.id, procedure.to_host, reason)


def _remove(intents: Intents, port_id: str, host: str, reason: str) -> None:
    left = binder.binding_at(intents, port_id, host)
    if left is not None:
        binder.abort(intents, left, reason)
    fenced = binder.binding_at(intents, port_id, host)
    if fenced is not None:
        binder.remove(intents, fenced)
