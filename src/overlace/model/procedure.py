"""Procedures: long work on machines, step by step. What a procedure has done is what its step says; a controller that
starts goes on from there."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from overlace.model.declaration import Index, api, resource


class ProcedureKind(Enum):
    """What a procedure is for."""

    MOVE = "move"
    """One machine goes to another host, running."""
    RESCUE = "rescue"
    """A machine whose host is dead starts at another host from the disk that is there."""
    EVACUATION = "evacuation"
    """All machines of a host or a site go elsewhere: a move for each."""


class Mode(Enum):
    """How the memory of a machine is moved."""

    AUTO = "auto"
    """Chosen from how fast the guest writes."""
    PRE_COPY = "pre-copy"
    """All of it, then what has changed, until the rest is small."""
    MULTIFD = "multifd"
    """The same over several connections, compressed."""
    POST_COPY = "post-copy"
    """The guest goes ahead, its memory follows on demand. From then on there is no way back."""


class Step(Enum):
    """How far a move has come, in this order; ABORTING from any before FINISHING."""

    QUEUED = "queued"
    PREPARING = "preparing"
    """The destination's ports are prepared; its hypervisor is."""
    SEEDING = "seeding"
    """Disks are copied while the guest runs."""
    COPYING = "copying"
    """The transfer of memory is about to begin."""
    TRANSFERRING = "transferring"
    SWITCHING = "switching"
    """The guest is still; its ports are active at the destination."""
    FINISHING = "finishing"
    """The guest runs at the destination; what is left at the source goes."""
    ABORTING = "aborting"
    """Everything goes back: the guest runs at the source, and nothing is left at the destination."""
    CLOSED = "closed"


class ProcedureState(Enum):
    """How a procedure stands, or ended."""

    RUNNING = "running"
    DONE = "done"
    ABORTED = "aborted"
    """Somebody asked for that."""
    FAILED = "failed"


_CAN_ABORT = (Step.QUEUED, Step.PREPARING, Step.SEEDING, Step.COPYING, Step.TRANSFERRING)


@resource(
    "procedure",
    "procedures",
    Index("project", lambda p: [(p.project_id, "")]),
    Index("machine", lambda p: [(p.machine_id, "")] if p.machine_id else []),
    Index("parent", lambda p: [(p.parent, "")] if p.parent else []),
    Index("state", lambda p: [(p.state.value, "")]),
)
@dataclass(frozen=True, slots=True, kw_only=True)
class Procedure:
    """One move of a machine, or an evacuation, whose moves name it as their parent. UTC."""

    id: str = api(kind="uuid")
    project_id: str = api(kind="project")
    kind: ProcedureKind
    machine_id: str = api(value="")
    from_host: str = api(value="", admin_view=True)
    to_host: str = api(value="", admin_view=True)
    parent: str = api(value="")
    place: int = api(kind="int", value=0)
    """Its turn among the moves of its parent."""
    mode: Mode
    with_disks: bool = api(kind="bool", value=False)
    verify: bool = api(kind="bool", value=False)
    """The disks are compared with their copies before the guest goes there."""
    bandwidth_mbit: int = api(kind="int", value=0)
    """At most; 0 is as fast as it goes."""
    timeout: int = api(kind="int", value=600)
    """Seconds that the transfer of memory may take."""
    state: ProcedureState = ProcedureState.RUNNING
    step: Step = Step.QUEUED
    abort_wanted: bool = api(kind="bool", value=False)
    actor: str = api(value="", admin_view=True)
    reason: str = api(value="")
    """Why it came to nothing, if so."""
    started_at: datetime = api(kind="timestamp")
    entered_at: datetime = api(kind="timestamp")
    """When its step began."""
    ended_at: datetime | None = api(kind="timestamp", value=None)
    mode_taken: str = api(value="")
    """What AUTO came to."""
    trigger: str = api(value="")
    """The event on which the network went along."""
    copied_bytes: int = api(kind="int", value=0)
    disk_bytes: int = api(kind="int", value=0)
    verified: str = api(value="")
    """How the disks at the destination were compared with the source's before the guest went there; empty: not."""
    verified_bytes: int = api(kind="int", value=0)
    """So much of them, holes too."""
    unverified_bytes: int = api(kind="int", value=0)
    """Sent after that, since the guest wrote on until the switch-over."""
    unverified: str = api(value="")
    """Why the disks were not compared."""
    stop_ms: int = api(kind="int", value=0)
    """From the guest's stop to its going on, by the two hypervisors' own word."""
    network_ms: int = api(kind="int", value=0)
    """From the event to the last switch's acknowledgement of the ports' new place: the network's own share."""
    data_as_of: datetime | None = api(kind="timestamp", value=None)
    """Of a rescue from a replica: the moment that the machine's disks show."""
    recovery_s: int = api(kind="int", value=0)
    """Of a rescue: seconds from when it was asked for until the guest runs, with its ports."""


def can_abort(procedure: Procedure) -> bool:
    """Once the ports are active at the destination, going on is quicker and safer than going back."""
    return procedure.state is ProcedureState.RUNNING and procedure.step in _CAN_ABORT


def waits_for_old_host(procedure: Procedure) -> bool:
    """A rescue whose machine runs, and whose old host is still to be cleared of it."""
    return procedure.kind is ProcedureKind.RESCUE and procedure.step is Step.FINISHING


def having(procedures: Iterable[Procedure]) -> Procedure | None:
    """Of a machine's procedures the one that has it now: it is not to be touched by others."""
    running = (each for each in procedures if each.state is ProcedureState.RUNNING)
    return next((each for each in running if not waits_for_old_host(each)), None)
