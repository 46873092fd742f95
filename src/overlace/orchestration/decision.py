"""What a move does next: a pure function of its step and of what can be seen.

A step is entered by one transaction, which takes the network along; what hypervisors do is repeated until it is seen.
So a controller may end between any two of these: the next one looks, and decides the same.

A rescue starts the guest at the destination instead, and its FINISHING lasts until the old host is cleared.

    QUEUED -> PREPARING -> SEEDING -> COPYING -> TRANSFERRING -> SWITCHING -> FINISHING -> CLOSED
                  \\____________\\__________\\___________\\____________\\-> ABORTING -> CLOSED
"""

from dataclasses import dataclass
from enum import Enum, auto

from overlace.model.procedure import Procedure, ProcedureKind, ProcedureState, Step, can_abort
from overlace.orchestration.sight import Disks, Guest, Sight, Transfer


class Deed(Enum):
    """What a migrator is asked to do."""

    RECEIVE = auto()
    START = auto()
    SEED = auto()
    TRANSFER = auto()
    GO_ON = auto()
    CANCEL = auto()
    DISCARD_SOURCE = auto()
    DISCARD_DESTINATION = auto()
    RESUME = auto()


@dataclass(frozen=True, slots=True)
class Do:
    """Have the migrator do it, and look again."""

    deed: Deed


@dataclass(frozen=True, slots=True)
class Enter:
    """Write the next step, and what the network does in it."""

    step: Step
    state: ProcedureState = ProcedureState.RUNNING
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to do before something changes."""

    why: str = ""


Action = Do | Enter | Wait

_UNDER_WAY = (Transfer.ACTIVE, Transfer.READY, Transfer.SWITCHING)


def decide(procedure: Procedure, seen: Sight, overdue: bool = False, merging: bool = False) -> Action:
    """The next action; `overdue` is whether the step has lasted as long as it may (FINISHING: as it has to), `merging`
    whether the machine's replica at the destination is being put together."""
    if procedure.step is Step.ABORTING:
        return _abort(procedure, seen, overdue)
    if procedure.step in (Step.QUEUED, Step.CLOSED):
        return Wait()
    if procedure.step is Step.PREPARING and merging and not procedure.abort_wanted:
        return Wait(f"the last round of the replica at {procedure.to_host} is merged")
    if procedure.kind is ProcedureKind.RESCUE and procedure.step in _RESCUE:
        return _RESCUE[procedure.step](procedure, seen)
    if procedure.abort_wanted and can_abort(procedure):
        return Enter(Step.ABORTING, reason="somebody asked to abort it")
    return _STEPS[procedure.step](procedure, seen, overdue)


def _fail(reason: str) -> Enter:
    return Enter(Step.ABORTING, reason=reason)


def _prepare(procedure: Procedure, seen: Sight, overdue: bool) -> Action:
    if Guest.UNKNOWN in (seen.source, seen.destination):
        return _fail(seen.reason) if overdue else Wait(seen.reason)
    if seen.source is not Guest.RUNNING:
        return _fail(f"{procedure.machine_id} does not run at {procedure.from_host}: start it there first")
    if seen.destination is Guest.ABSENT:
        return Do(Deed.RECEIVE)
    if seen.destination is not Guest.INCOMING:
        return _fail(
            f"there is a guest {procedure.machine_id} at {procedure.to_host} already: remove it there"
        )
    return Enter(Step.SEEDING if procedure.with_disks else Step.COPYING)


def _seed(_: Procedure, seen: Sight, overdue: bool) -> Action:
    match seen:
        case Sight(source=Guest.UNKNOWN) | Sight(destination=Guest.UNKNOWN):
            return _fail(seen.reason) if overdue else Wait(seen.reason)
        case Sight(source=Guest.BROKEN | Guest.ABSENT):
            return _fail(f"the guest ended at the source: {seen.reason}")
        case Sight(destination=Guest.BROKEN | Guest.ABSENT):
            return _fail(f"the waiting guest ended at the destination: {seen.reason}")
        case Sight(disks=Disks.NONE):
            return Do(Deed.SEED)
        case Sight(disks=Disks.FAILED):
            return _fail(f"a disk cannot be copied: {seen.reason}")
        case Sight(disks=Disks.IN_STEP):
            return Enter(Step.COPYING)
    return Wait()


def _begin(_: Procedure, seen: Sight, overdue: bool) -> Action:
    """A transfer that failed or completed before this one began is an old story, told by the same hypervisor."""
    if Guest.UNKNOWN in (seen.source, seen.destination):
        return _fail(seen.reason) if overdue else Wait(seen.reason)
    if seen.transfer in _UNDER_WAY or seen.source is Guest.HANDED_OVER:
        return Enter(Step.TRANSFERRING)
    if seen.source is not Guest.RUNNING or seen.destination is not Guest.INCOMING:
        return _fail(f"a guest ended before the transfer began: {seen.reason}")
    return Do(Deed.TRANSFER)


def _transfer(procedure: Procedure, seen: Sight, overdue: bool) -> Action:
    match seen:
        case Sight(source=Guest.UNKNOWN):
            return _fail(seen.reason) if overdue else Wait(seen.reason)
        case Sight(transfer=Transfer.READY | Transfer.SWITCHING | Transfer.COMPLETED):
            return Enter(Step.SWITCHING)
        case Sight(transfer=Transfer.FAILED):
            return _fail(f"the transfer failed: {seen.reason}")
        case Sight(source=Guest.BROKEN | Guest.ABSENT) | Sight(transfer=Transfer.NONE):
            return _fail(f"the guest ended at the source: {seen.reason}")
        case _ if overdue:
            return _fail(
                f"the memory was not over within {procedure.timeout} s: the guest writes faster than the way carries; "
                "allow more time or bandwidth, or take post-copy"
            )
    return Wait()


def _switch(_: Procedure, seen: Sight, __: bool) -> Action:
    match seen:
        case Sight(destination=Guest.RUNNING, transfer=Transfer.COMPLETED):
            return Enter(Step.FINISHING)
        case Sight(destination=Guest.RUNNING, source=Guest.ABSENT):
            return Enter(Step.FINISHING)
        case Sight(source=Guest.UNKNOWN) | Sight(destination=Guest.UNKNOWN):
            return Wait(seen.reason)
        case Sight(transfer=Transfer.READY):
            return Do(Deed.GO_ON)
        case Sight(transfer=Transfer.FAILED):
            return _fail(f"the switch-over failed: {seen.reason}")
        case Sight(destination=Guest.BROKEN | Guest.ABSENT):
            return _fail(f"the guest ended at the destination: {seen.reason}")
        case Sight(source=Guest.BROKEN | Guest.ABSENT):
            return _fail(f"the guest ended at the source before it was over: {seen.reason}")
    return Wait()


def _finish(_: Procedure, seen: Sight, proven: bool) -> Action:
    """The source is kept until the guest has lived at the destination for a while: it can still go back."""
    if seen.source is Guest.UNKNOWN:
        return Wait(seen.reason)
    if seen.source is Guest.HANDED_OVER:
        if seen.destination in (Guest.BROKEN, Guest.ABSENT):
            return _fail(f"the guest ended at the destination: {seen.reason}")
        if not proven:
            return Wait()
    if seen.source is not Guest.ABSENT:
        return Do(Deed.DISCARD_SOURCE)
    return Enter(Step.CLOSED, ProcedureState.DONE)


def _abort(procedure: Procedure, seen: Sight, overdue: bool) -> Action:
    """The destination ends before the source goes on: at no time do both run, and never neither for good."""
    if seen.source is Guest.UNKNOWN and (not overdue or seen.destination is Guest.RUNNING):
        return Wait(seen.reason)
    if seen.destination is Guest.RUNNING and (
        seen.source is Guest.ABSENT or seen.transfer is Transfer.COMPLETED
    ):
        return Enter(Step.SWITCHING)  # it was over there before the word to give it up
    if seen.transfer in _UNDER_WAY:
        return Do(Deed.CANCEL)
    if seen.destination is Guest.UNKNOWN and not (overdue and seen.source in (Guest.RUNNING, Guest.UNKNOWN)):
        return Wait(seen.reason)
    if seen.destination not in (Guest.ABSENT, Guest.UNKNOWN):
        return Do(Deed.DISCARD_DESTINATION)
    if seen.source in (Guest.STILL, Guest.HANDED_OVER):
        return Do(Deed.RESUME)
    state = ProcedureState.ABORTED if procedure.abort_wanted else ProcedureState.FAILED
    return Enter(Step.CLOSED, state, procedure.reason)


def _start(procedure: Procedure, seen: Sight) -> Action:
    """Whether the old host is dead cannot be seen from here; that the guest runs there can."""
    if seen.source in (Guest.RUNNING, Guest.STILL):
        reason = f"{procedure.machine_id} is alive at {procedure.from_host}: move it, instead"
        return Enter(Step.CLOSED, ProcedureState.FAILED, reason)
    if seen.destination is Guest.RUNNING:
        return Enter(Step.SWITCHING)
    if procedure.abort_wanted:
        return Enter(Step.CLOSED, ProcedureState.ABORTED, "somebody asked to abort it")
    if seen.destination is Guest.UNKNOWN:
        return Wait(seen.reason)
    return Do(Deed.START)


def _clear(procedure: Procedure, seen: Sight) -> Action:
    """The old host returns, and what is left there goes before anybody can take it for the machine."""
    if seen.source is Guest.UNKNOWN:
        return Wait(f"{procedure.from_host} is cleared of it when it returns: {seen.reason}")
    if seen.source is not Guest.ABSENT:
        return Do(Deed.DISCARD_SOURCE)
    return Enter(Step.CLOSED, ProcedureState.DONE)


_RESCUE = {
    Step.PREPARING: _start,
    Step.SWITCHING: lambda _, __: Enter(Step.FINISHING),
    Step.FINISHING: _clear,
}
_STEPS = {
    Step.PREPARING: _prepare,
    Step.SEEDING: _seed,
    Step.COPYING: _begin,
    Step.TRANSFERRING: _transfer,
    Step.SWITCHING: _switch,
    Step.FINISHING: _finish,
}
