"""Who starts and ends guests on hosts: a command of the operator's, since Overlace has no agent there.

It is run as ``COMMAND VERB MACHINE HOST`` and prints a JSON object; what it prints on standard error is the reason
where it fails. Every verb may be repeated.
"""

import shlex
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from overlace.orchestration import command
from overlace.orchestration.migrator import MigrationFailed, Unreachable

TIMEOUT = 120.0
"""Seconds that a command may take."""
_TEMPORARY = 75
"""sysexits.h: try again later."""


@dataclass(frozen=True, slots=True)
class Place:
    """A guest's QEMU on a host: its monitor (a path, or address:port), where the host listens for other hosts, and the
    block nodes of the disks that are the host's own."""

    monitor: str
    address: str
    disks: tuple[str, ...] = ()


class Launcher(Protocol):
    """All raise MigrationFailed, or Unreachable when trying again may help."""

    async def find(self, machine: str, host: str) -> Place | None:
        """Where its QEMU is, None where there is none."""
        ...

    async def receive(self, machine: str, host: str) -> Place:
        """Start a QEMU that waits to be moved to (``-incoming defer``), with its interfaces, and disks of its size:
        those that are held there, if any."""
        ...

    async def start(self, machine: str, host: str) -> Place:
        """Start it from the disks that are there, also from those that are held."""
        ...

    async def remove(self, machine: str, host: str) -> None:
        """End its QEMU and who holds its disks, and remove what was made for it there."""
        ...


class DiskLauncher(Launcher, Protocol):
    """One that also has disks where no guest is."""

    async def hold(self, machine: str, host: str) -> Place:
        """Start a QEMU without a guest (``-machine none``) that has disks like the machine's, by the same names."""
        ...


class CommandLauncher:
    """See DiskLauncher."""

    def __init__(self, words: str) -> None:
        self._words = shlex.split(words)

    async def find(self, machine: str, host: str) -> Place | None:
        """See Launcher."""
        answer = await self._ask("find", machine, host)
        return _place(answer) if answer else None

    async def receive(self, machine: str, host: str) -> Place:
        """See Launcher."""
        return _place(await self._ask("receive", machine, host))

    async def start(self, machine: str, host: str) -> Place:
        """See Launcher."""
        return _place(await self._ask("start", machine, host))

    async def hold(self, machine: str, host: str) -> Place:
        """See DiskLauncher."""
        return _place(await self._ask("hold", machine, host))

    async def remove(self, machine: str, host: str) -> None:
        """See Launcher."""
        await self._ask("remove", machine, host)

    async def _ask(self, verb: str, machine: str, host: str) -> dict[str, Any]:
        what = f"the launcher's `{verb} {machine} {host}`"
        try:
            process = await command.start(*self._words, verb, machine, host)
        except OSError as reason:
            raise MigrationFailed(
                f"the launcher {self._words[0]} cannot be run ({reason.strerror}): see --launcher"
            ) from None
        try:
            out, err = await command.answer(process, TIMEOUT)
        except TimeoutError:
            raise Unreachable(f"{what} takes more than {TIMEOUT:.0f} s") from None
        if process.returncode:
            words = err.strip().splitlines()[-1:] or [f"exit {process.returncode}"]
            failed = Unreachable if process.returncode == _TEMPORARY else MigrationFailed
            raise failed(f"{what} failed: {words[0][:300]}")
        try:
            return msgspec.json.decode(out or b"{}", type=dict[str, Any])
        except msgspec.DecodeError as reason:
            raise MigrationFailed(f"{what} printed no JSON object: {reason}") from None


def _place(answer: dict[str, Any]) -> Place:
    try:
        return msgspec.convert(answer, Place)
    except msgspec.ValidationError as reason:
        raise MigrationFailed(f"the launcher's answer does not say where the guest is: {reason}") from None
