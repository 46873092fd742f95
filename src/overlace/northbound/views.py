"""What the API shows of things that the store does not hold; `app` binds the neighbours that know."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from overlace.model.replica import Replica
from overlace.store.history import LoggedRevision, LogQuestion


class StatusView(Protocol):
    """The truth about "done"."""

    def port_status(self, port_id: str) -> str:
        """ACTIVE, BUILD, DOWN or ERROR."""
        ...


class HostView(Protocol):
    """Which hosts have a live channel."""

    def host_alive(self, host_id: str) -> bool:
        """Whether the controller hears the host now."""
        ...

    def host_heartbeat(self, host_id: str) -> datetime | None:
        """When the controller last heard it, None for never."""
        ...


class UnknownError(LookupError):
    """Nothing of this id or name exists for the one who asks."""

    def __init__(self, kind: str, word: str) -> None:
        super().__init__(f"there is no {kind} {word}")
        self.kind = kind
        self.word = word


class RealisationView(Protocol):
    """How far intents have come, and why not further."""

    def status(self) -> Mapping[str, object]:
        """The controller in a few JSON values: revision compiled, revision acknowledged, hosts ..."""
        ...

    def port_realisation(self, port_id: str, *, with_hosts: bool) -> Mapping[str, object]:
        """Why a port is what it is; `with_hosts` is False for those who must not know the hosts."""
        ...

    def network_realisation(self, network_id: str, *, with_hosts: bool) -> Mapping[str, object]:
        """What keeps the ports of a network from being ACTIVE."""
        ...

    def host_realisation(self, host_id: str) -> Mapping[str, object]:
        """What is the matter with a host."""
        ...


class Tracer(Protocol):
    """Follows packets through the installed flows, and finds flows by what they are there for."""

    async def trace(self, request: Mapping[str, object], project_id: str | None) -> Mapping[str, object]:
        """The hops of the described packet, as a project may see them (None: an administrator).

        Raises ValueError when the description is unusable, UnknownError for what the project does not have.
        """
        ...

    async def flows_of(self, word: str) -> Mapping[str, object]:
        """The installed flows of the object with this id or name, on every switch. Raises as `trace`."""
        ...


class NotPossible(Exception):
    """A switch cannot do now what it was asked to; the message says why."""


class SwitchControl(Protocol):
    """The switches, and what an operator may ask of one. The operations return JSON values.

    They raise NotPossible when the switch is not connected or not ready.
    """

    def switches(self) -> Mapping[str, Mapping[str, object]]:
        """Every switch by name: phase, reason of a hold, flows, counters ..."""
        ...

    async def difference(self, name: str) -> Mapping[str, object]:
        """What would be written to the switch now, and what it serves that is not known here. Writes nothing."""
        ...

    async def resynchronise(self, name: str) -> Mapping[str, object]:
        """Compare the switch with its plan anew, from the beginning."""
        ...

    async def audit(self, name: str) -> Mapping[str, object]:
        """Check every flow now, and put right what differs: the report."""
        ...

    async def adopt(self, name: str) -> Mapping[str, object]:
        """Write to a switch that a newer or another controller's store wrote last."""
        ...

    async def allow_removal(self, name: str) -> Mapping[str, object]:
        """Let the plan remove however many flows it wants to, once."""
        ...


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something that is wrong: its kind, the hosts that have part in it, and what to do about it."""

    kind: str
    hosts: tuple[str, ...]
    text: str


class UnderlayView(Protocol):
    """How the hosts reach each other; JSON values."""

    def liveness(self) -> Sequence[Mapping[str, object]]:
        """Each end's word on each BFD session, with ``host`` and ``remote_host``."""
        ...

    def paths(self) -> Sequence[Mapping[str, object]]:
        """What path-MTU probes have found, with ``source`` and ``target``."""
        ...

    def alarms(self) -> Sequence[Alarm]:
        """What an operator should do something about."""
        ...


class ChangeLog(Protocol):
    """Who changed what."""

    async def log(self, question: LogQuestion, /) -> Sequence[LoggedRevision]:
        """What matches. Raises StoreUnavailable when it cannot be read."""
        ...


class ProcedureView(Protocol):
    """How procedures go, beyond what the store says of them."""

    def procedure_progress(self, key: str, /) -> Mapping[str, object] | None:
        """How far the transfer of a move is; None while none is under way."""
        ...

    def procedure_problem(self, key: str, /) -> str:
        """What it waits for that should not be so; empty for nothing."""
        ...


class ReplicaView(Protocol):
    """How replicas do, beyond what the store says of them."""

    def replica_status(self, replica: Replica, /) -> Mapping[str, object]:
        """Its ``age`` in seconds (None while there is nothing), ``promise_kept``, ``progress`` and ``problem``."""
        ...


class DoctorView(Protocol):
    """Looks for what is wrong."""

    async def examine(self, *, probe: bool) -> Sequence[Mapping[str, object]]:
        """Findings with ``kind``, ``severity``, ``about``, ``seen``, ``cause`` and ``cure``, the worst first."""
        ...


@dataclass(frozen=True, slots=True)
class Views:
    """All of them."""

    status: StatusView
    hosts: HostView
    realisation: RealisationView
    tracer: Tracer
    switches: SwitchControl
    underlay: UnderlayView
    changes: ChangeLog
    doctor: DoctorView
    procedures: ProcedureView
    replicas: ReplicaView
