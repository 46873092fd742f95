"""What moves machines, as procedures see it. Each hypervisor's way of doing it is a Migrator of its own."""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from overlace.model.procedure import Mode
from overlace.model.replica import Replica
from overlace.orchestration.sight import Account, End, Progress, Sight


class MigrationFailed(Exception):
    """The hypervisor refuses or fails; the text says what it said, and what can be done."""


class Unreachable(MigrationFailed):
    """A host or a hypervisor does not answer: whether what was asked has happened is not known."""


@dataclass(frozen=True, slots=True)
class Errand:
    """What is to be moved and how."""

    machine: str
    from_host: str
    to_host: str
    mode: Mode = Mode.AUTO
    with_disks: bool = False
    bandwidth_mbit: int = 0
    verify: bool = False
    """The disks are still to be compared with their copies."""
    replica: Replica | None = None
    """What the destination has of the disks already."""


class Migration(Protocol):
    """One machine between two hosts. Every deed may be repeated; what is done already stays done.

    All raise MigrationFailed.
    """

    async def look(self) -> Sight:
        """How both ends are now."""
        ...

    async def changed(self, seconds: float) -> None:
        """Wait until something happens that `look` would tell, at most so long."""
        ...

    async def receive(self) -> None:
        """Have an empty guest wait at the destination."""
        ...

    async def start(self) -> None:
        """Start the guest at the destination from the disks that are there."""
        ...

    async def seed(self) -> None:
        """Begin to copy the disks."""
        ...

    async def transfer(self) -> None:
        """Begin to copy the memory."""
        ...

    async def go_on(self) -> None:
        """Let the switch-over happen that waits: disks are brought level before."""
        ...

    async def cancel(self) -> None:
        """Give up the transfer; the source runs on."""
        ...

    async def discard(self, end: End) -> None:
        """Remove the guest, and what was made for it, at one end."""
        ...

    async def resume(self) -> None:
        """Let the guest run on at the source."""
        ...

    def progress(self) -> Progress:
        """How far the transfer is."""
        ...

    def account(self) -> Account:
        """What it has cost so far."""
        ...


class Migrator(Protocol):
    """Opens migrations, new ones and those that another controller has begun."""

    def open(self, errand: Errand) -> AbstractAsyncContextManager[Migration]:
        """The migration as it stands. Entering raises MigrationFailed."""
        ...
