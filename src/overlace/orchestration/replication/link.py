"""What brings a replica up to date, as rounds see it. Each hypervisor's way of doing it is a Replicating of its own."""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol

from overlace.model.replica import Replica
from overlace.orchestration.migrator import MigrationFailed
from overlace.orchestration.sight import Guest, Progress


class ReplicaDiffers(MigrationFailed):
    """It is not what it should be."""


class Basis(Enum):
    """What is known of the difference between the disks and the replica."""

    NOTHING = auto()
    """All has to be copied, over several connections."""
    NOTHING_SMALL = auto()
    """All has to be copied, but in one go: it is little, or cannot be copied in stripes."""
    SEED = auto()
    """What has changed since all of it was copied, in this round."""
    ROUND = auto()
    """What has changed since the last whole round."""


class Work(Enum):
    """How the copying of a round is."""

    NONE = auto()
    GOING = auto()
    DONE = auto()
    FAILED = auto()


@dataclass(frozen=True, slots=True)
class ReplicaSight:
    """All that can be seen of a round at one moment; `reason` is why something failed."""

    guest: Guest
    keeper: bool
    """Whether who keeps the replica answers."""
    basis: Basis = Basis.NOTHING
    work: Work = Work.NONE
    reason: str = ""


class ReplicaLink(Protocol):
    """One machine's disks between its host and the replica's. Every deed may be repeated. All raise MigrationFailed."""

    async def look(self, replica: Replica) -> ReplicaSight:
        """How it is now."""
        ...

    async def hold(self) -> None:
        """Have the replica's disks kept ready to be written."""
        ...

    async def seed(self, replica: Replica) -> None:
        """Begin to copy all of the disks beside what is there."""
        ...

    async def send(self, replica: Replica) -> None:
        """Begin to copy what differs as of now, beside what is there."""
        ...

    async def seal(self, replica: Replica) -> int:
        """What was copied is on the replica's storage, and the guest is let go of; the bytes looked at. Where somebody
        wants that, all is compared before. Raises ReplicaDiffers when it is not the same."""
        ...

    async def merge(self, replica: Replica) -> None:
        """Put together what is there and what was copied."""
        ...

    async def give_up(self) -> None:
        """Leave nothing of a round at the machine's host but the knowledge of what differs."""
        ...

    async def remove(self) -> None:
        """Leave nothing of the replica at either host."""
        ...

    def progress(self) -> Progress:
        """How far the copying is."""
        ...


class Replicating(Protocol):
    """Opens links, also where another controller has begun."""

    def link(self, replica: Replica, from_host: str) -> AbstractAsyncContextManager[ReplicaLink]:
        """The link as it stands. Entering raises MigrationFailed."""
        ...
