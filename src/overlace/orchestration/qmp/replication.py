"""A replica between two QEMUs: the guest's, and the keeper's at the replica's host.

`overlace-r7` is a bitmap of what the guest has written since before the moment of the sixth round, so that the seventh
copies it; it goes when the seventh is whole, and not before. The next one begins before the moment of the round: what
is in both is copied twice, and nothing is in neither. A bitmap for the time of a seed bears its round's number, too.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from overlace.model.replica import Replica, ReplicaState
from overlace.orchestration.launcher import DiskLauncher, Place
from overlace.orchestration.migrator import MigrationFailed, Unreachable
from overlace.orchestration.qmp.blocks import end_jobs, jobs_of, name_of, nodes_of, remove_nodes, urge
from overlace.orchestration.qmp.comparison import compare
from overlace.orchestration.qmp.keeper import (
    begin_layers,
    give_layers,
    has_layers,
    merge_layers,
    secure,
)
from overlace.orchestration.qmp.moment import freeze, frozen, thaw
from overlace.orchestration.qmp.monitor import Monitor
from overlace.orchestration.qmp.stripes import (
    GRANULARITY,
    PART,
    Disk,
    add_target,
    begin_seeding,
    connect,
    disks_of,
    job,
)
from overlace.orchestration.replication.link import Basis, ReplicaSight, Work
from overlace.orchestration.sight import Guest, Progress

BITMAPS = "overlace-r"
_SEED_BITMAPS = "overlace-seed"
_SEED, _SEND = "rseed", "rsend"


def basis_bitmap(replica: Replica) -> str:
    """What differs between the guest's disks and the replica is in it."""
    return f"{BITMAPS}{replica.whole + 1}"


class QmpReplicating:
    """See `orchestration.replication.link.Replicating`; `tasks` holds the listeners of monitors."""

    def __init__(self, launcher: DiskLauncher, tasks: asyncio.TaskGroup) -> None:
        self._launcher = launcher
        self._tasks = tasks

    @asynccontextmanager
    async def link(self, replica: Replica, from_host: str) -> AsyncIterator["QmpReplicaLink"]:
        """See there."""
        link = QmpReplicaLink(replica, from_host, self._launcher, self._tasks)
        try:
            yield link
        finally:
            await link.close()


class QmpReplicaLink:
    """See `orchestration.replication.link.ReplicaLink`."""

    def __init__(
        self, replica: Replica, from_host: str, launcher: DiskLauncher, tasks: asyncio.TaskGroup
    ) -> None:
        self._machine, self._from_host, self._to_host = replica.id, from_host, replica.host_id
        self._bandwidth = replica.bandwidth_mbit * 125_000
        self._launcher = launcher
        self._tasks = tasks
        self._source: Monitor | None = None
        self._keeper: Monitor | None = None
        self._nodes: tuple[str, ...] = ()
        self._kept: Place | None = None
        self._progress = Progress()

    async def close(self) -> None:
        """Let go of both QEMUs."""
        for monitor in (self._source, self._keeper):
            if monitor is not None:
                await monitor.close()

    async def look(self, replica: Replica) -> ReplicaSight:
        """See ReplicaLink."""
        if self._keeper is not None and self._keeper.closed:
            self._keeper = None
        try:
            source = await self._find_source()
            if source is None:
                reason = f"there is no machine {self._machine} at {self._from_host}"
                return ReplicaSight(Guest.ABSENT, self._keeper is not None, reason=reason)
            work, reason = await self._work(replica, source)
            basis = await self._basis(replica, source)
            return ReplicaSight(source.guest, self._keeper is not None, basis, work, reason)
        except MigrationFailed as failure:
            return ReplicaSight(Guest.UNKNOWN, self._keeper is not None, reason=str(failure))

    async def hold(self) -> None:
        """See ReplicaLink."""
        self._kept = await self._launcher.hold(self._machine, self._to_host)
        self._keeper = await Monitor.connect(self._kept.monitor, lambda: None, self._tasks)

    async def seed(self, replica: Replica) -> None:
        """See ReplicaLink."""
        source, keeper = self._both()
        await self._clear(source)
        bitmap = f"{_SEED_BITMAPS}{replica.round}"
        await self._keep_bitmaps(source, ())
        disks = await disks_of(source, self._nodes)
        await begin_layers(keeper, {disk.node: disk.size for disk in disks})
        server = await self._server(keeper)
        await begin_seeding(source, _striped(disks), bitmap, _SEED, server, self._bandwidth)

    async def send(self, replica: Replica) -> None:
        """See ReplicaLink."""
        source, keeper = self._both()
        basis = await self._basis(replica, source)
        await self._clear(source)
        bitmap = f"{_SEED_BITMAPS}{replica.round}" if basis is Basis.SEED else basis_bitmap(replica)
        await self._keep_bitmaps(source, (bitmap,))
        disks = await disks_of(source, self._nodes)
        if basis is not Basis.SEED:
            await begin_layers(keeper, {disk.node: disk.size for disk in disks})
        server = await self._server(keeper)
        for node in self._nodes:
            await connect(source, name_of("tn0", node), node, server)
            await add_target(source, node, 0)
            following = {"node": node, "name": f"{BITMAPS}{replica.round + 1}", "granularity": GRANULARITY}
            await source.execute("block-dirty-bitmap-add", **following)
        await freeze(source, self._nodes)
        actions = [await self._sending(source, disk, bitmap) for disk in disks]
        await source.execute("transaction", actions=actions)

    async def seal(self, replica: Replica) -> int:
        """See ReplicaLink."""
        source, keeper = self._both()
        await secure(keeper, self._nodes)
        for node in self._nodes if replica.verify else ():
            await compare(source, node, name_of("tn0", node), self._bandwidth)
        jobs = await jobs_of(source)
        await self._let_go(source)
        return sum(int(each.get("current-progress", 0)) for each in jobs if _SEND in each["id"])

    async def merge(self, replica: Replica) -> None:
        """See ReplicaLink."""
        keeper, kept = self._keeper, self._kept
        if keeper is None or kept is None:
            raise Unreachable(f"who keeps the replica at {self._to_host} does not answer")
        await merge_layers(keeper, kept.disks)
        with suppress(MigrationFailed):  # its host may be dead; what is left there goes with the next round
            source = await self._find_source()
            if source is not None:
                await self._clear(source)
                await self._keep_bitmaps(source, (basis_bitmap(replica),))

    async def give_up(self) -> None:
        """See ReplicaLink."""
        source = await self._find_source()
        if source is not None:
            await self._clear(source)

    async def remove(self) -> None:
        """See ReplicaLink."""
        await self.give_up()
        if self._source is not None:
            await self._keep_bitmaps(self._source, ())
        if self._keeper is not None:
            await self._keeper.close()
            self._keeper = None
        await self._launcher.remove(self._machine, self._to_host)

    def progress(self) -> Progress:
        """See ReplicaLink."""
        return self._progress

    async def _find_source(self) -> Monitor | None:
        if self._source is None or self._source.closed:
            place = await self._launcher.find(self._machine, self._from_host)
            if place is None:
                self._source = None
                return None
            if not place.disks:
                raise MigrationFailed(f"the launcher names no disks of {self._machine} at {self._from_host}")
            self._nodes = place.disks
            self._source = await Monitor.connect(place.monitor, lambda: None, self._tasks)
        return self._source

    def _both(self) -> tuple[Monitor, Monitor]:
        if self._source is None or self._keeper is None:
            raise Unreachable(f"{self._machine} or its replica does not answer")
        return self._source, self._keeper

    async def _server(self, keeper: Monitor) -> dict[str, str]:
        address = self._kept.address if self._kept is not None else ""
        port = await give_layers(keeper, address, self._nodes)
        return {"type": "inet", "host": address, "port": str(port)}

    async def _sending(self, source: Monitor, disk: Disk, bitmap: str) -> dict[str, Any]:
        """The job that copies what a bitmap says, or all where there is none, of the frozen disk."""
        shown = frozen(disk.node)
        target = name_of("tw0", disk.node)
        given = job(name_of(_SEND, disk.node), shown, target, self._bandwidth)
        if bitmap in _bitmaps((await nodes_of(source)).get(disk.node, {})):
            wanted = {"node": shown, "name": PART, "granularity": GRANULARITY, "disabled": True}
            await source.execute("block-dirty-bitmap-add", **wanted)
            merged = [{"node": disk.node, "name": bitmap}]
            await source.execute("block-dirty-bitmap-merge", node=shown, target=PART, bitmaps=merged)
            given |= {"sync": "bitmap", "bitmap": PART, "bitmap-mode": "never"}
        else:
            given["sync"] = "full"
        return {"type": "blockdev-backup", "data": given}

    async def _work(self, replica: Replica, source: Monitor) -> tuple[Work, str]:
        prefix = {ReplicaState.SEEDING: _SEED, ReplicaState.SENDING: _SEND}.get(replica.state)
        jobs = [
            each
            for each in await jobs_of(source)
            if prefix and each["id"].startswith(name_of(prefix, "")[:-1])
        ]
        seeding = replica.state is ReplicaState.SEEDING
        if not jobs or (seeding and not await self._noted(source, f"{_SEED_BITMAPS}{replica.round}")):
            return Work.NONE, ""  # or a controller ended before all had begun
        self._note_progress(jobs)
        if failed := next((each["error"] for each in jobs if each.get("error")), ""):
            return Work.FAILED, f"the disks of {self._machine} cannot be copied: {failed}"
        if self._keeper is not None and not await has_layers(self._keeper, self._nodes):
            return Work.FAILED, f"who keeps the replica at {self._to_host} has begun anew"
        if all(each["status"] == "concluded" for each in jobs):
            return Work.DONE, ""
        return Work.GOING, f"{self._to_host} cannot be written to now" if await urge(source) else ""

    async def _noted(self, source: Monitor, bitmap: str) -> bool:
        """Whether the disks that are copied in stripes have it."""
        found = await nodes_of(source)
        striped = _striped(await disks_of(source, self._nodes))
        return all(bitmap in _bitmaps(found.get(each.node, {})) for each in striped)

    async def _basis(self, replica: Replica, source: Monitor) -> Basis:
        found = await nodes_of(source)
        noted = [basis_bitmap(replica) in _bitmaps(found.get(node, {})) for node in self._nodes]
        if replica.whole and all(noted):
            return Basis.ROUND
        if not _striped(await disks_of(source, self._nodes)):
            return Basis.NOTHING_SMALL
        sending = replica.state is ReplicaState.SENDING
        seeded = sending and await self._noted(source, f"{_SEED_BITMAPS}{replica.round}")
        if seeded and self._keeper is not None and await has_layers(self._keeper, self._nodes):
            return Basis.SEED
        return Basis.NOTHING

    def _note_progress(self, jobs: list[dict[str, Any]]) -> None:
        total = sum(int(each.get("total-progress", 0)) for each in jobs)
        current = sum(int(each.get("current-progress", 0)) for each in jobs)
        percent = 100.0 * current / total if total else 100.0
        self._progress = Progress(percent, total - current, None, "", "disks")

    async def _let_go(self, source: Monitor) -> None:
        """The guest's disks are its own again; jobs that have ended stay told."""
        await thaw(source)
        for node in self._nodes:
            await remove_nodes(source, ("mask", "sw", "tw", "tn"), node)

    async def _clear(self, source: Monitor) -> None:
        """Nothing of a round is left at the machine, but for the bitmaps."""
        await end_jobs(source)
        await self._let_go(source)

    async def _keep_bitmaps(self, source: Monitor, kept: tuple[str, ...]) -> None:
        """Of ours only these."""
        found = await nodes_of(source)
        for node in self._nodes:
            for bitmap in _bitmaps(found.get(node, {})):
                if bitmap.startswith((BITMAPS, _SEED_BITMAPS)) and bitmap not in kept:
                    await source.execute("block-dirty-bitmap-remove", node=node, name=bitmap)


def _striped(disks: list[Disk]) -> list[Disk]:
    return [disk for disk in disks if disk.connections > 1]


def _bitmaps(node: dict[str, Any]) -> list[str]:
    return [each["name"] for each in node.get("dirty-bitmaps", ()) if "name" in each]
