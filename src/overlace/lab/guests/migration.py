"""A guest travels with memory and disk by the controller's own migrator, but nobody is told: the network finds out from
the interface that appears, and from the first frame there."""

import asyncio
import time
from collections.abc import Callable

import msgspec

from overlace.app.clock import SystemClock
from overlace.lab.errors import LabError
from overlace.lab.guest import LIBVIRT, Guest
from overlace.lab.guests.guests import Guests
from overlace.lab.guests.launcher import whereabouts
from overlace.lab.guests.libvirt import daemon
from overlace.orchestration.alone import travel
from overlace.orchestration.launcher import Place
from overlace.orchestration.libvirt.migrator import LibvirtMigrator
from overlace.orchestration.migrator import MigrationFailed, Migrator
from overlace.orchestration.qmp.migrator import QmpMigrator
from overlace.orchestration.sight import Account
from overlace.terminal.output import Progress, silent

PROOF = 1.5
"""Seconds that the guest has to live at its new host before what is left at the old one goes."""


class Migration(msgspec.Struct, frozen=True):
    """What a migration was: bytes of memory sent, bytes of the disk looked at, seconds in all, and how long the guest
    stood still."""

    guest: str
    source: str
    destination: str
    mode: str
    memory_bytes: int
    disk_bytes: int
    seconds: float
    stop_ms: int


def move(guests: Guests, name: str, host: str, *, progress: Progress = silent) -> Migration:
    """Move a guest to another host while it works, with memory and disk. Raises `LabError`: it stays then."""
    guest = guests.get(name)
    guests.check_destination(name, host)
    began = time.monotonic()
    cost = asyncio.run(_travel(guests, name, host, progress))
    if guest.hypervisor == LIBVIRT:
        guests.found_at(name, host)
    return Migration(
        guest=name,
        source=guest.host,
        destination=host,
        mode=cost.mode,
        memory_bytes=cost.copied_bytes,
        disk_bytes=cost.disk_bytes,
        seconds=round(time.monotonic() - began, 1),
        stop_ms=cost.stop_ms,
    )


async def _travel(guests: Guests, name: str, host: str, progress: Progress) -> Account:
    guest = guests.get(name)
    async with asyncio.TaskGroup() as tasks:
        try:
            return await travel(
                name,
                guest.host,
                host,
                _migrator(guests, guest, tasks),
                SystemClock(),
                with_disks=guest.disk is not None,
                proof=PROOF,
                tell=lambda done: progress(f"{done.what or 'memory'}: {done.percent:.0f} %"),
            )
        except MigrationFailed as failure:  # a task group would wrap what leaves it
            reason = str(failure)
    raise LabError(f"guest '{name}' stays at {guest.host}: {reason}")


def _migrator(guests: Guests, guest: Guest, tasks: asyncio.TaskGroup) -> Migrator:
    if guest.hypervisor == LIBVIRT:
        uri, peer_uri = daemon.uris(guests.directory)
        return LibvirtMigrator(uri, peer_uri, guests.address_of, tasks)
    return QmpMigrator(_Launcher(guests), tasks)


class _Launcher:
    """See `orchestration.launcher.Launcher`."""

    def __init__(self, guests: Guests) -> None:
        self._guests = guests

    async def find(self, machine: str, host: str) -> Place | None:
        there = await asyncio.to_thread(self._guests.run_state, machine, host) != "stopped"
        return whereabouts(self._guests, machine, host) if there else None

    async def receive(self, machine: str, host: str) -> Place:
        return await self._begin(self._guests.receive, machine, host)

    async def start(self, machine: str, host: str) -> Place:
        return await self._begin(self._guests.start, machine, host)

    async def remove(self, machine: str, host: str) -> None:
        await asyncio.to_thread(self._guests.withdraw, machine, host)

    async def _begin(self, way: Callable[[str, str], object], machine: str, host: str) -> Place:
        try:
            await asyncio.to_thread(way, machine, host)
        except LabError as reason:
            raise MigrationFailed(str(reason)) from None
        return whereabouts(self._guests, machine, host)
