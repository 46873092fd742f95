"""What can be seen of a move at one moment, as values; deciding from these needs nothing else."""

from dataclasses import dataclass
from enum import Enum, auto


class End(Enum):
    """The two ends of a move."""

    SOURCE = "source"
    DESTINATION = "destination"


class Guest(Enum):
    """How a machine is on one host."""

    UNKNOWN = auto()
    """The host or its hypervisor does not answer."""
    ABSENT = auto()
    INCOMING = auto()
    """It waits to be moved here."""
    RUNNING = auto()
    STILL = auto()
    """Stopped for the switch-over, or by somebody."""
    HANDED_OVER = auto()
    """It has been moved away; its memory is still here."""
    BROKEN = auto()
    """It has crashed or was shut down."""


class Transfer(Enum):
    """How the transfer of memory is."""

    NONE = auto()
    ACTIVE = auto()
    READY = auto()
    """The guest is still, and all but its last memory is over there: the switch-over waits for a word."""
    SWITCHING = auto()
    COMPLETED = auto()
    FAILED = auto()
    """It has failed or was cancelled."""


class Disks(Enum):
    """How the disks that go along are."""

    NONE = auto()
    COPYING = auto()
    IN_STEP = auto()
    """All was copied once; what the guest has written since is known, and follows."""
    FAILED = auto()


@dataclass(frozen=True, slots=True)
class Sight:
    """All of it; `reason` is why something failed, in the hypervisor's words."""

    source: Guest
    destination: Guest
    transfer: Transfer = Transfer.NONE
    disks: Disks = Disks.NONE
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """How much of a transfer is done. `seconds_left` None is when nobody can tell."""

    percent: float = 0.0
    remaining_bytes: int = 0
    seconds_left: float | None = None
    mode: str = ""
    what: str = ""


@dataclass(frozen=True, slots=True)
class Account:
    """What a transfer has cost, for the receipt; times in milliseconds."""

    mode: str = ""
    trigger: str = ""
    copied_bytes: int = 0
    disk_bytes: int = 0
    verified: str = ""
    """How the disks were compared with what was copied; empty where they were not."""
    verified_bytes: int = 0
    unverified_bytes: int = 0
    """Sent after that, since the guest wrote on."""
    unverified: str = ""
    """Why they could not be compared."""
    stop_ms: int = 0
    network_ms: int = 0
