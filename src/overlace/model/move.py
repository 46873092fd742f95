"""Moves: the receipt that every change of host leaves."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from overlace.model.declaration import Index, api, resource


class Trigger(Enum):
    """What made a port move a step further."""

    API = "api"
    """Somebody asked."""
    INTERFACE = "interface"
    """An interface with the port's iface-id came or went."""
    PROCEDURE = "procedure"
    """A move of the machine that the port belongs to, step by step with its hypervisor."""
    FIRST_FRAME = "first frame"
    """The workload spoke at its new host."""
    NONE = ""
    """It has not happened."""


@dataclass(frozen=True, slots=True)
class Cause:
    """What triggered a step, and on whose behalf (a user id; empty for the network itself)."""

    trigger: Trigger
    actor: str = ""


class MoveState(Enum):
    """How far a move has come."""

    PREPARED = "prepared"
    ACTIVATED = "activated"
    """The traffic goes to the new host; the old one redirects what is late."""
    DONE = "done"
    ABORTED = "aborted"
    DUPLICATE = "duplicate"
    """Refused: the port changed hosts so often that somebody must be running a copy of the workload."""


@resource(
    "move",
    "moves",
    Index("port", lambda m: [(m.port_id, "")]),
    Index("project", lambda m: [(m.project_id, "")]),
)
@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One move of one port: from where to where, who triggered which step, and when. UTC, as the controller knew it:
    a move that the data path made while no controller ran is activated when the next one hears of it."""

    port_id: str = api(kind="uuid")
    project_id: str = api(kind="project")
    network_id: str = api(kind="uuid")
    from_host: str = api()
    to_host: str = api()
    generation: int = api(kind="int")
    state: MoveState
    prepared_by: Trigger
    activated_by: Trigger = Trigger.NONE
    actor: str = api(value="", admin_view=True)
    """The user who asked last, where one did."""
    reason: str = api(value="")
    """Why the move came to nothing, if so."""
    prepared_at: datetime = api(kind="timestamp")
    activated_at: datetime | None = api(kind="timestamp", value=None)
    ended_at: datetime | None = api(kind="timestamp", value=None)
    machine_id: str = api(value="")
    """The machine that took the port along, where Overlace moved it; the rest is its hypervisors' word."""
    mode: str = api(value="")
    event: str = api(value="")
    """The hypervisor's event on which the port went along."""
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
    """From the guest's stop to its going on."""
    network_ms: int = api(kind="int", value=0)
    """From that event to the acknowledgement of the last connected switch concerned."""

    @property
    def id(self) -> str:
        """Port and generation."""
        return move_id(self.port_id, self.generation)


def move_id(port_id: str, generation: int) -> str:
    """The id of the move that a generation of a port is."""
    return f"{port_id}.{generation}"
