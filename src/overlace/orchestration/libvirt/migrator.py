"""A machine between two libvirts, each of which moves it to its peer by itself (`virsh migrate --p2p`): a controller
that ends does not end the move.

libvirt makes the guest at the destination when it moves it, so that nothing has to be received before, and it copies
the disks in the same go. It does not wait for anybody at the switch-over either: the earliest word of it is that the
guest is suspended at the source.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

from overlace.model.procedure import Mode
from overlace.orchestration import news
from overlace.orchestration.libvirt.virsh import Virsh, amount, failure, job
from overlace.orchestration.migrator import Errand, MigrationFailed, Unreachable
from overlace.orchestration.qmp.terms import CHANNELS, Terms, choose
from overlace.orchestration.sight import Account, Disks, End, Guest, Progress, Sight, Transfer

TRIGGER = "suspended"
_MEASURED = 1
_MIB = 1 << 20
_HEARD = {"Suspended": Guest.STILL, "Resumed": Guest.RUNNING, "Started": Guest.INCOMING}


class LibvirtMigrator:
    """See `orchestration.migrator.Migrator`. `uri` and `peer_uri` are templates in which {host} and {address} stand for
    a host's name and underlay address: how the controller reaches its libvirt, and how other hosts do."""

    def __init__(
        self,
        uri: str,
        peer_uri: str,
        address_of: Callable[[str], str],
        tasks: asyncio.TaskGroup,
        speak: Callable[[str], Virsh] = Virsh,
    ) -> None:
        self._speak = speak
        self._uri = uri
        self._peer_uri = peer_uri
        self._address_of = address_of
        self._tasks = tasks

    @asynccontextmanager
    async def open(self, errand: Errand) -> AsyncIterator["LibvirtMigration"]:
        """See there."""
        ends = {End.SOURCE: errand.from_host, End.DESTINATION: errand.to_host}
        sides = {end: _Side(self._speak(self._filled(self._uri, host))) for end, host in ends.items()}
        address = self._address_of(errand.to_host)
        peer = self._filled(self._peer_uri, errand.to_host)
        migration = LibvirtMigration(errand, sides, peer, address, self._tasks)
        try:
            yield migration
        finally:
            migration.close()

    def _filled(self, template: str, host: str) -> str:
        return template.replace("{host}", host).replace("{address}", _bracketed(self._address_of(host)))


class _Side:
    """One end; `guest` is None while it has to be asked for."""

    def __init__(self, virsh: Virsh) -> None:
        self.virsh = virsh
        self.guest: Guest | None = None
        self.told = 0
        """Events so far: an answer is older than what was heard while it was waited for."""
        self.times: dict[str, float] = {}
        self.listening: asyncio.Task[None] | None = None


class LibvirtMigration:
    """See `orchestration.migrator.Migration`."""

    def __init__(
        self,
        errand: Errand,
        sides: dict[End, _Side],
        peer: str,
        address: str,
        tasks: asyncio.TaskGroup,
    ) -> None:
        self._errand = errand
        self._sides = sides
        self._peer = peer
        self._address = address
        self._tasks = tasks
        self._news = asyncio.Event()
        self._terms = choose(errand.mode, 0.0, errand.bandwidth_mbit)
        self._moving: asyncio.Task[None] | None = None
        self._asking: asyncio.Task[None] | None = None
        self._job: dict[str, str] = {}
        self._reason = ""
        self._disks: tuple[str, ...] = ()
        self._emptied: set[End] = set()
        self._following = False
        self._account = Account()
        self._progress = Progress()

    def close(self) -> None:
        """Let go of both ends; what libvirt does goes on."""
        for side in self._sides.values():
            if side.listening is not None:
                side.listening.cancel()
        for task in (self._moving, self._asking):
            if task is not None:
                task.cancel()

    async def look(self) -> Sight:
        """See Migration."""
        source, destination = [await self._seen(end) for end in (End.SOURCE, End.DESTINATION)]
        if source in (Guest.RUNNING, Guest.STILL) and not self._under_way():
            await self._note_job()  # another controller may have begun it
        transfer = self._transfer(source, destination)
        if source is Guest.ABSENT and self._errand.with_disks and End.SOURCE not in self._emptied:
            source = Guest.HANDED_OVER  # its disks are still there
        if destination is Guest.ABSENT and End.DESTINATION not in self._emptied:
            destination = Guest.INCOMING  # libvirt makes it when it moves it
        disks = Disks.IN_STEP if self._errand.with_disks else Disks.NONE
        return Sight(source, destination, transfer, disks, self._reason)

    async def changed(self, seconds: float) -> None:
        """See Migration. What is asked meanwhile is asked beside it: an event waits for no answer, or the port would be
        where the guest is no more for as long as that takes."""
        told = await news.comes(self._news, seconds)
        if not told and (self._asking is None or self._asking.done()):
            self._asking = self._tasks.create_task(self._ask_all(), name=f"ask of {self._errand.machine}")

    async def receive(self) -> None:
        """See Migration: libvirt does that itself."""
        self._emptied.discard(End.DESTINATION)

    async def start(self) -> None:
        """See Migration."""
        await self._ask(End.DESTINATION, "start", self._errand.machine)

    async def seed(self) -> None:
        """See Migration: libvirt does that with the transfer."""

    async def transfer(self) -> None:
        """See Migration."""
        await self._note_disks()
        self._terms = choose(self._errand.mode, await self._dirty_rate(), self._errand.bandwidth_mbit)
        words = await self._words()
        self._account = Account(mode=self._terms.mode.value, trigger=TRIGGER)
        process = await self._sides[End.SOURCE].virsh.begin("migrate", *words)
        self._reason = ""
        self._moving = self._tasks.create_task(self._await_end(process), name=f"move {self._errand.machine}")
        await self._steer()

    async def go_on(self) -> None:
        """See Migration: libvirt waits for nobody."""

    async def cancel(self) -> None:
        """See Migration."""
        with suppress(MigrationFailed):
            await self._ask(End.SOURCE, "domjobabort", self._errand.machine)
        await self.changed(1.0)

    async def discard(self, end: End) -> None:
        """See Migration."""
        name = self._errand.machine
        await self._note_cost()
        await self._note_disks()
        for words in (("destroy", name), ("undefine", name)):
            with suppress(MigrationFailed):
                await self._ask(end, *words)
        if await self._seen(end) not in (Guest.ABSENT, Guest.HANDED_OVER):
            raise MigrationFailed(f"{name} does not end at {self._host(end)}: look at it with virsh there")
        for path in self._disks if self._errand.with_disks else ():
            with suppress(MigrationFailed):
                await self._ask(end, "vol-delete", path)
        self._emptied.add(end)

    async def resume(self) -> None:
        """See Migration."""
        await self._ask(End.SOURCE, "resume", self._errand.machine)

    def progress(self) -> Progress:
        """See Migration."""
        return self._progress

    def account(self) -> Account:
        """See Migration."""
        source, destination = (self._sides[end].times for end in (End.SOURCE, End.DESTINATION))
        stopped, resumed = source.get("Suspended", 0.0), destination.get("Resumed", 0.0)
        stop = round((resumed - stopped) * 1000) if resumed >= stopped > 0 else 0
        return replace(self._account, stop_ms=stop)

    def _host(self, end: End) -> str:
        return self._errand.from_host if end is End.SOURCE else self._errand.to_host

    async def _ask(self, end: End, *words: str) -> str:
        side = self._sides[end]
        side.guest = None
        return await side.virsh.ask(*words)

    async def _seen(self, end: End) -> Guest:
        side = self._sides[end]
        if side.listening is None or side.listening.done():
            side.guest = None
            side.listening = self._tasks.create_task(self._listen(end), name=f"events of {self._host(end)}")
        try:
            guest = side.guest or await self._asked(side)
        except MigrationFailed as reason:
            self._reason = str(reason)
            return Guest.UNKNOWN
        return Guest.INCOMING if (end, guest) == (End.DESTINATION, Guest.STILL) else guest

    async def _asked(self, side: _Side) -> Guest:
        told = side.told
        guest = await side.virsh.state(self._errand.machine)
        if side.told == told:
            side.guest = guest
        return side.guest or guest

    async def _ask_all(self) -> None:
        """For what no event has told, and how far it is."""
        for side in self._sides.values():
            known = side.guest
            try:
                if await self._asked(side) is not known:
                    self._news.set()
            except MigrationFailed:
                side.guest = None  # who looks asks again, and is told why
        with suppress(MigrationFailed):
            await self._steer()

    async def _listen(self, end: End) -> None:
        side = self._sides[end]

        def heard(what: str, at: float) -> None:
            side.told += 1
            side.times[what] = at
            side.guest = _HEARD.get(what)  # what is not known is asked for
            self._news.set()

        with suppress(MigrationFailed, OSError):
            await side.virsh.listen(self._errand.machine, heard)
        await asyncio.sleep(1)  # who looks begins anew

    def _transfer(self, source: Guest, destination: Guest) -> Transfer:
        if destination is Guest.RUNNING and source in (Guest.ABSENT, Guest.HANDED_OVER):
            return Transfer.COMPLETED
        if self._under_way():
            return Transfer.SWITCHING if source is Guest.STILL else Transfer.ACTIVE
        self._reason = self._reason or f"libvirt at {self._errand.from_host} moves it no more"
        return Transfer.FAILED

    def _under_way(self) -> bool:
        return bool(self._job) or (self._moving is not None and not self._moving.done())

    async def _words(self) -> list[str]:
        address = _bracketed(self._address)
        words = ["--live", "--p2p", "--migrateuri", f"tcp://{address}", "--listen-address", self._address]
        if self._errand.with_disks:
            # The guest's writes wait for the far side: over a distance a copy that only follows is never done.
            words += ["--copy-storage-all", "--copy-storage-synchronous-writes"]
        if "yes" in _field(await self._ask(End.SOURCE, "dominfo", self._errand.machine), "Persistent"):
            words += ["--persistent", "--undefinesource"]
        if self._terms.mode is Mode.MULTIFD:
            words += ["--parallel", "--parallel-connections", str(CHANNELS)]
        elif self._terms.mode is Mode.POST_COPY or self._terms.may_follow:
            words += ["--postcopy"]
        if self._terms.bandwidth:
            words += ["--bandwidth", str(max(1, self._terms.bandwidth // _MIB))]
        return [*words, self._errand.machine, self._peer]

    async def _await_end(self, process: asyncio.subprocess.Process) -> None:
        _, err = await process.communicate()
        if process.returncode:
            self._reason = str(
                failure(self._sides[End.SOURCE].virsh.uri, "migrate", err.decode(errors="replace"))
            )
        for side in self._sides.values():
            side.guest = None
        self._job = {}
        self._news.set()

    async def _steer(self) -> None:
        """See how far it is, and let post-copy take over where pre-copy does not end."""
        name = self._errand.machine
        await self._note_job()
        if not self._job:
            return
        total, left = amount(self._job.get("Data total", "")), amount(self._job.get("Data remaining", ""))
        percent = 100.0 * (1 - left / total) if total else 0.0
        self._progress = Progress(percent, left, None, self._terms.mode.value, "memory and disks")
        done = amount(self._job.get("File processed", ""))
        self._account = replace(self._account, disk_bytes=max(done, self._account.disk_bytes))
        if not self._following and must_follow(self._terms, self._job):
            with suppress(MigrationFailed):
                await self._sides[End.SOURCE].virsh.ask("migrate-postcopy", name)
                self._following = True
                self._account = replace(self._account, mode=Mode.POST_COPY.value)

    async def _note_job(self) -> None:
        """What the source says that it does."""
        try:
            told = job(await self._sides[End.SOURCE].virsh.ask("domjobinfo", self._errand.machine))
        except MigrationFailed:
            told = {}
        self._job = told if "migration" in told.get("Operation", "") else {}

    async def _dirty_rate(self) -> float:
        """Bytes a second that the guest writes to."""
        if self._errand.mode is not Mode.AUTO:
            return 0.0
        name = self._errand.machine
        try:
            await self._ask(End.SOURCE, "domdirtyrate-calc", name, "--seconds", str(_MEASURED))
            await asyncio.sleep(_MEASURED + 0.2)
            told = await self._ask(End.SOURCE, "domstats", "--dirtyrate", name)
        except Unreachable:
            raise
        except MigrationFailed:
            return 0.0  # a libvirt that cannot tell
        found = re.search(r"dirtyrate\.megabytes_per_second=(\d+)", told)
        return 0.0 if found is None else float(found[1]) * _MIB

    async def _note_disks(self) -> None:
        """The files of the machine's disks, wherever it is: they have the same name at both ends."""
        for end in (End.SOURCE, End.DESTINATION):
            if self._disks or not self._errand.with_disks:
                return
            with suppress(MigrationFailed):
                told = await self._sides[end].virsh.ask("domblklist", "--details", self._errand.machine)
                rows = (line.split(maxsplit=3) for line in told.splitlines())
                self._disks = tuple(row[3] for row in rows if row[:2] == ["file", "disk"])

    async def _note_cost(self) -> None:
        with suppress(MigrationFailed):
            told = job(
                await self._sides[End.DESTINATION].virsh.ask(
                    "domjobinfo", "--completed", self._errand.machine
                )
            )
            copied = amount(told.get("Memory processed", ""))
            self._account = replace(self._account, trigger=TRIGGER, copied_bytes=copied)


def must_follow(terms: Terms, told: dict[str, str]) -> bool:
    """Whether post-copy has to take over, as `domjobinfo` tells after the first passes."""
    passes = int(told.get("Iteration", "0") or 0)
    if terms.mode is Mode.POST_COPY:
        return passes >= 2
    if not terms.may_follow or passes < 4:
        return False
    pages = re.match(r"\d+", told.get("Dirty rate", ""))
    dirty = int(pages[0]) * amount(told.get("Page size", "4096 bytes")) if pages else 0
    carried = amount(told.get("Memory bandwidth", ""))
    return carried > 0 and dirty > 0.8 * carried


def _field(told: str, name: str) -> str:
    return next((line for line in told.splitlines() if line.startswith(name)), "")


def _bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address
