"""Two sites with guests that behave like real ones, and a switch that sees their interfaces; whoever moves them can be
killed before or after any deed, and the world goes on."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from overlace.model import binder
from overlace.model.intents import Intents
from overlace.orchestration.migrator import Errand, MigrationFailed, Unreachable
from overlace.orchestration.sight import Account, Disks, End, Guest, Progress, Sight, Transfer

Transact = Callable[[Callable[[Intents], bool], str], Awaitable[object]]
PASSES = 3
"""Looks that a transfer takes."""


class Killed(BaseException):
    """The controller ends here, and nothing can be done about it."""


@dataclass
class Clockwork:
    """Counts the moments at which the controller can be killed."""

    kill_at: int = 0
    moments: int = 0

    def moment(self) -> None:
        self.moments += 1
        if self.moments == self.kill_at:
            raise Killed


@dataclass
class World:
    """`guests` by machine and host; `ports` by machine."""

    transact: Transact
    ports: dict[str, str]
    clockwork: Clockwork = field(default_factory=Clockwork)
    guests: dict[tuple[str, str], Guest] = field(default_factory=dict)
    transfers: dict[str, Transfer] = field(default_factory=dict)
    disks: dict[str, Disks] = field(default_factory=dict)
    passes: dict[str, int] = field(default_factory=dict)
    silent: set[str] = field(default_factory=set)
    """Hosts that do not answer."""
    fails: set[str] = field(default_factory=set)
    """Deeds that fail."""
    dies_over_there: bool = False
    """The guest crashes as soon as it runs at the destination."""
    rots: bool = False
    """What is copied is not what the disk has."""
    endless: bool = False
    """The guest writes faster than the way carries."""

    @asynccontextmanager
    async def open(self, errand: Errand) -> AsyncIterator["Moving"]:
        yield Moving(self, errand)

    def guest(self, machine: str, host: str) -> Guest:
        return Guest.UNKNOWN if host in self.silent else self.guests.get((machine, host), Guest.ABSENT)

    def running(self, machine: str) -> list[str]:
        """The hosts where it runs."""
        return [
            host for (name, host), guest in self.guests.items() if (name, guest) == (machine, Guest.RUNNING)
        ]

    def hosts_of(self, machine: str) -> list[str]:
        """The hosts where anything of it is."""
        return sorted(host for name, host in self.guests if name == machine)

    async def plug(self, machine: str, host: str) -> None:
        await self.transact(lambda tx: binder.plugged(tx, self.ports[machine], host), "plugged")

    async def unplug(self, machine: str, host: str) -> None:
        await self.transact(lambda tx: binder.unplugged(tx, self.ports[machine], host), "gone")

    async def speak(self, machine: str, host: str) -> None:
        await self.transact(lambda tx: binder.activated(tx, self.ports[machine], host), "first frame")

    def time_passes(self, machine: str) -> None:
        """What hypervisors do without anybody."""
        if self.disks.get(machine) is Disks.COPYING:
            self.disks[machine] = Disks.FAILED if self.rots else Disks.IN_STEP
        if self.transfers.get(machine) is Transfer.ACTIVE and not self.endless:
            self.passes[machine] = self.passes.get(machine, 0) + 1
            if self.passes[machine] >= PASSES:
                self.transfers[machine] = Transfer.READY
                source = self.running(machine)[0]
                self.guests[machine, source] = Guest.STILL


@dataclass
class Moving:
    """See `orchestration.migrator.Migration`."""

    world: World
    errand: Errand

    @property
    def name(self) -> str:
        return self.errand.machine

    async def look(self) -> Sight:
        world, errand = self.world, self.errand
        return Sight(
            world.guest(self.name, errand.from_host),
            world.guest(self.name, errand.to_host),
            world.transfers.get(self.name, Transfer.NONE),
            world.disks.get(self.name, Disks.NONE),
            "as the world has it",
        )

    async def changed(self, seconds: float) -> None:  # noqa: ARG002 - this world's time is its own
        self.world.time_passes(self.name)
        await asyncio.sleep(0.001)

    async def receive(self) -> None:
        async with self.deed("receive", self.errand.to_host):
            self.world.guests[self.name, self.errand.to_host] = Guest.INCOMING
            await self.world.plug(self.name, self.errand.to_host)

    async def start(self) -> None:
        async with self.deed("start", self.errand.to_host):
            self.world.guests[self.name, self.errand.to_host] = Guest.RUNNING
            await self.world.plug(self.name, self.errand.to_host)

    async def seed(self) -> None:
        async with self.deed("seed", self.errand.to_host):
            self.world.disks[self.name] = Disks.COPYING

    async def transfer(self) -> None:
        async with self.deed("transfer", self.errand.from_host):
            assert self.world.guests[self.name, self.errand.to_host] is Guest.INCOMING
            self.world.passes[self.name] = 0
            self.world.transfers[self.name] = Transfer.ACTIVE

    async def go_on(self) -> None:
        async with self.deed("go_on", self.errand.from_host):
            world, errand = self.world, self.errand
            assert world.transfers[self.name] is Transfer.READY
            world.guests[self.name, errand.from_host] = Guest.HANDED_OVER
            world.guests[self.name, errand.to_host] = Guest.BROKEN if world.dies_over_there else Guest.RUNNING
            world.transfers[self.name] = Transfer.COMPLETED
            await world.speak(self.name, errand.to_host)

    async def cancel(self) -> None:
        async with self.deed("cancel", self.errand.from_host):
            self.world.transfers[self.name] = Transfer.FAILED
            self.world.guests[self.name, self.errand.from_host] = Guest.RUNNING

    async def discard(self, end: End) -> None:
        host = self.errand.from_host if end is End.SOURCE else self.errand.to_host
        async with self.deed("discard", host):
            others = [
                guest for (name, at), guest in self.world.guests.items() if name == self.name and at != host
            ]
            assert any(guest is not Guest.INCOMING for guest in others), "the last one"
            del self.world.guests[self.name, host]
            self.world.disks.pop(self.name, None)
            await self.world.unplug(self.name, host)

    async def resume(self) -> None:
        async with self.deed("resume", self.errand.from_host):
            assert not self.world.running(self.name), "it would run twice"
            self.world.guests[self.name, self.errand.from_host] = Guest.RUNNING

    def progress(self) -> Progress:
        return Progress(percent=50.0)

    def account(self) -> Account:
        cost = Account(mode="pre-copy", trigger="pre-switchover", copied_bytes=1000, stop_ms=80)
        compared = self.errand.verify and self.world.disks.get(self.name) is Disks.IN_STEP
        return replace(cost, verified="SHA-256", verified_bytes=4096) if compared else cost

    @asynccontextmanager
    async def deed(self, name: str, host: str) -> AsyncIterator[None]:
        self.world.clockwork.moment()
        if host in self.world.silent:
            raise Unreachable(f"{host} does not answer")
        if name in self.world.fails:
            raise MigrationFailed(f"{name} does not work here")
        yield
        self.world.clockwork.moment()
