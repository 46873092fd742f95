"""A machine between two QEMUs.

The switch-over waits for us (``pause-before-switchover``): at that event the guest is still and all but its last memory
is over there, the earliest moment at which its traffic is better off at the destination, whose interface keeps frames
until the guest goes on.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from overlace.model.procedure import Mode
from overlace.orchestration import news
from overlace.orchestration.launcher import Launcher, Place
from overlace.orchestration.migrator import Errand, MigrationFailed, Unreachable
from overlace.orchestration.qmp.disks import DiskCopy
from overlace.orchestration.qmp.exports import flush, stop_serving
from overlace.orchestration.qmp.monitor import Monitor
from overlace.orchestration.qmp.replication import basis_bitmap
from overlace.orchestration.qmp.terms import Terms, capabilities, choose, must_follow, parameters
from overlace.orchestration.sight import Account, Disks, End, Guest, Progress, Sight, Transfer

TRIGGER = "pre-switchover"
FIRST_PORT, LAST_PORT = 49152, 49215
"""Where destinations listen for memory."""
_OFTEN = 0.1
"""Seconds between looks at disks that are copied or kept in step."""
_MEASURED = 1.0
"""Seconds over which a guest's writes are counted."""


class QmpMigrator:
    """See `orchestration.migrator.Migrator`; `tasks` holds the listeners of monitors."""

    def __init__(self, launcher: Launcher, tasks: asyncio.TaskGroup) -> None:
        self._launcher = launcher
        self._tasks = tasks

    @asynccontextmanager
    async def open(self, errand: Errand) -> AsyncIterator["QmpMigration"]:
        """See there."""
        migration = QmpMigration(errand, self._launcher, self._tasks)
        try:
            yield migration
        finally:
            await migration.close()


class _Side:
    """What is known of one end; `known` is whether it was looked for."""

    def __init__(self, host: str) -> None:
        self.host = host
        self.known = False
        self.place: Place | None = None
        self.monitor: Monitor | None = None


class QmpMigration:
    """See `orchestration.migrator.Migration`."""

    def __init__(self, errand: Errand, launcher: Launcher, tasks: asyncio.TaskGroup) -> None:
        self._errand = errand
        self._launcher = launcher
        self._tasks = tasks
        self._news = asyncio.Event()
        self._sides = {End.SOURCE: _Side(errand.from_host), End.DESTINATION: _Side(errand.to_host)}
        self._terms = choose(errand.mode, 0.0, errand.bandwidth_mbit)
        self._progress = Progress()
        self._account = Account()
        self._reason = ""
        self._flushed = False
        self._copy = DiskCopy(errand.bandwidth_mbit, errand.verify)

    async def close(self) -> None:
        """Let go of both ends."""
        for side in self._sides.values():
            if side.monitor is not None:
                await side.monitor.close()

    async def look(self) -> Sight:
        """See Migration."""
        source, destination = [await self._seen(end) for end in (End.SOURCE, End.DESTINATION)]
        monitor = self._sides[End.SOURCE].monitor
        transfer = Transfer.NONE if monitor is None else monitor.transfer
        if transfer is Transfer.COMPLETED and source is Guest.STILL:
            source = Guest.HANDED_OVER
        return Sight(source, destination, transfer, self._copy.state, self._copy.reason or self._reason)

    async def changed(self, seconds: float) -> None:
        """See Migration. Meanwhile the transfer is steered."""
        with_disks = self._copy.state in (Disks.COPYING, Disks.IN_STEP)
        told = await news.comes(self._news, _OFTEN if with_disks else seconds)
        if with_disks or not told:
            await self._steer()

    async def receive(self) -> None:
        """See Migration."""
        side = self._sides[End.DESTINATION]
        side.place = await self._launcher.receive(self._errand.machine, side.host)
        side.known = False

    async def start(self) -> None:
        """See Migration."""
        side = self._sides[End.DESTINATION]
        if side.monitor is not None:
            await side.monitor.close()
        side.place = await self._launcher.start(self._errand.machine, side.host)
        side.known, side.monitor = False, None

    async def seed(self) -> None:
        """See Migration."""
        source, destination = self._monitor(End.SOURCE), self._monitor(End.DESTINATION)
        place = self._sides[End.DESTINATION].place
        address = place.address if place is not None else ""
        known = basis_bitmap(self._errand.replica) if self._errand.replica is not None else ""
        await self._copy.begin(source, destination, address, self._disks(), known)

    async def transfer(self) -> None:
        """See Migration."""
        source, destination = self._monitor(End.SOURCE), self._monitor(End.DESTINATION)
        self._terms = choose(self._errand.mode, await self._dirty_rate(source), self._errand.bandwidth_mbit)
        for monitor in (source, destination):
            if monitor.transfer is not Transfer.ACTIVE:
                await monitor.execute("migrate-set-capabilities", capabilities=capabilities(self._terms))
                await monitor.execute("migrate-set-parameters", **parameters(self._terms))
        uri = await self._listening(destination)
        self._account = Account(mode=self._terms.mode.value, trigger=TRIGGER)
        await source.execute("migrate", uri=uri)

    async def go_on(self) -> None:
        """See Migration."""
        source = self._monitor(End.SOURCE)
        await self._note_account()
        if self._errand.with_disks:
            await self._copy.settle(source, self._disks())
            await flush(self._monitor(End.DESTINATION), self._disks())
        await source.execute("migrate-continue", state="pre-switchover")
        await self._until(lambda: source.transfer is not Transfer.READY)

    async def cancel(self) -> None:
        """See Migration."""
        source = self._monitor(End.SOURCE)
        if self._errand.with_disks:  # before the waiting guest ends with the transfer
            await self._copy.clear(source, self._disks())
        await source.execute("migrate_cancel")
        await self._until(lambda: source.transfer is Transfer.FAILED)
        await source.refresh()

    async def discard(self, end: End) -> None:
        """See Migration."""
        side = self._sides[end]
        if end is End.SOURCE:
            await self._note_account()
        if self._errand.with_disks:
            await self._let_go_of_disks(end)
        if side.monitor is not None:
            await side.monitor.close()
        await self._launcher.remove(self._errand.machine, side.host)
        side.known, side.place, side.monitor = True, None, None

    async def resume(self) -> None:
        """See Migration."""
        source = self._monitor(End.SOURCE)
        await source.execute("cont")
        await source.refresh()

    def progress(self) -> Progress:
        """See Migration."""
        return self._progress

    def account(self) -> Account:
        """See Migration."""
        return self._copy.account(replace(self._account, stop_ms=self._stop_ms()))

    async def _seen(self, end: End) -> Guest:
        side = self._sides[end]
        if side.monitor is not None and side.monitor.closed:
            side.known, side.monitor = False, None
        if not side.known:
            try:
                await self._find(side)
            except MigrationFailed as reason:
                self._reason = str(reason)
                return Guest.UNKNOWN
            self._reason = ""
        return Guest.ABSENT if side.monitor is None else side.monitor.guest

    async def _find(self, side: _Side) -> None:
        side.place = await self._launcher.find(self._errand.machine, side.host)
        if side.place is not None:
            side.monitor = await Monitor.connect(side.place.monitor, self._news.set, self._tasks)
            if self._errand.with_disks and side is self._sides[End.SOURCE]:
                await self._copy.recall(side.monitor, self._disks())
        side.known = True

    def _monitor(self, end: End) -> Monitor:
        monitor = self._sides[end].monitor
        if monitor is None:
            raise Unreachable(f"the guest at {self._sides[end].host} does not answer")
        return monitor

    async def _listening(self, destination: Monitor) -> str:
        """Where the destination waits; it is told to, unless another controller has done that."""
        place = self._sides[End.DESTINATION].place
        address = place.address if place is not None else ""
        host = f"[{address}]" if ":" in address else address
        if destination.transfer is not Transfer.ACTIVE:
            await destination.execute("migrate-incoming", uri=f"tcp:{host}:{FIRST_PORT},to={LAST_PORT}")
        answer = await destination.execute("query-migrate")
        ports = [each["port"] for each in answer.get("socket-address", ()) if "port" in each]
        if not ports:
            raise MigrationFailed(
                f"QEMU at {self._errand.to_host} does not say where it listens; is a port of {FIRST_PORT} to "
                f"{LAST_PORT} free there?"
            )
        return f"tcp:{host}:{ports[0]}"

    async def _dirty_rate(self, source: Monitor) -> float:
        """Bytes a second that the guest writes to."""
        if self._errand.mode is not Mode.AUTO:
            return 0.0
        await source.execute("calc-dirty-rate", calc_time=int(_MEASURED))
        for _ in range(20):
            await asyncio.sleep(_MEASURED / 10)
            answer = await source.execute("query-dirty-rate")
            if answer["status"] == "measured":
                return float(answer["dirty-rate"]) * (1 << 20)
        return 0.0

    async def _steer(self) -> None:
        """Tell how far it is, and let post-copy take over where pre-copy does not end."""
        monitor = self._sides[End.SOURCE].monitor
        if monitor is None or monitor.closed:
            return
        if self._errand.with_disks and monitor.guest is Guest.RUNNING:
            await self._copy.advance(monitor, self._disks())
            if self._copy.state is Disks.IN_STEP and not self._flushed:
                await flush(
                    self._monitor(End.DESTINATION), self._disks()
                )  # so that little is left for the end
                self._flushed = True
            self._progress = self._copy.progress
        if monitor.transfer not in (Transfer.ACTIVE, Transfer.SWITCHING):
            return
        answer = await monitor.execute("query-migrate")
        self._progress = _progress(answer, self._account.mode)
        if answer.get("status") == "active" and must_follow(self._terms, answer):
            await monitor.execute("migrate-start-postcopy")
            self._terms = Terms(Mode.POST_COPY, False, self._terms.bandwidth)
            self._account = replace(self._account, mode=Mode.POST_COPY.value)

    def _disks(self) -> tuple[str, ...]:
        place = self._sides[End.SOURCE].place
        return () if place is None else place.disks

    async def _let_go_of_disks(self, end: End) -> None:
        """Before one of the two ends: the other keeps nothing of the copying."""
        source, destination = (self._sides[each].monitor for each in (End.SOURCE, End.DESTINATION))
        if end is End.DESTINATION and source is not None and not source.closed:
            await self._copy.clear(source, self._disks())
        if end is End.SOURCE and destination is not None and not destination.closed:
            await stop_serving(destination)

    async def _note_account(self) -> None:
        monitor = self._sides[End.SOURCE].monitor
        if monitor is None or monitor.closed:
            return
        ram = (await monitor.execute("query-migrate")).get("ram", {})
        self._account = replace(
            self._account,
            mode=self._account.mode or self._terms.mode.value,
            trigger=TRIGGER,
            copied_bytes=int(ram.get("transferred", 0)),
            stop_ms=self._stop_ms(),
        )

    def _stop_ms(self) -> int:
        source, destination = (self._sides[end].monitor for end in (End.SOURCE, End.DESTINATION))
        if source is None or destination is None:
            return self._account.stop_ms
        stopped, resumed = source.times.get("STOP"), destination.times.get("RESUME")
        if stopped is None or resumed is None or resumed < stopped:
            return self._account.stop_ms
        return round((resumed - stopped) * 1000)

    async def _until(self, true: Callable[[], bool], seconds: float = 10.0) -> None:
        """Wait for events to make it true; whether they did is seen later."""
        try:
            async with asyncio.timeout(seconds):
                while not true():
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            pass


def _progress(answer: dict[str, Any], mode: str) -> Progress:
    ram = answer.get("ram")
    if ram is None:
        return Progress(mode=mode)
    remaining, total = int(ram["remaining"]), int(ram["total"]) or 1
    carried = float(ram.get("mbps", 0)) * 125_000
    dirty = float(ram.get("dirty-pages-rate", 0)) * int(ram.get("page-size", 4096))
    left = remaining / (carried - dirty) if carried > dirty else None
    return Progress(100.0 * (1 - remaining / total), remaining, left, mode, "memory")
