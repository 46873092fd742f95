"""Whether the disks of a move are at the destination what they are at the source, found out while the guest runs.

When nearly all is over there, the disks are frozen: what the destination lacks of that moment is sent, and then both
sides' blocks are compared (comparison.py), over all connections that the disk came by. The guest writes on, what it
writes is in the move's own bitmap, and follows as ever. A disk over a golden image is compared as far as its own layer
goes. Where it cannot be done the move goes on, and its receipt says so; a copy that differs ends it.
"""

from enum import Enum, auto
from typing import Any

from overlace.orchestration.migrator import MigrationFailed, Unreachable
from overlace.orchestration.qmp import comparison
from overlace.orchestration.qmp.blocks import bitmap_of, end_jobs, name_of, nodes_of
from overlace.orchestration.qmp.comparison import Pair
from overlace.orchestration.qmp.moment import NOWHERE, freeze, frozen, thaw
from overlace.orchestration.qmp.monitor import Monitor
from overlace.orchestration.qmp.stripes import GRANULARITY, PART, Disk, job

HOW = "SHA-256"
_SEND, _LAYER = "vsend", "vlayer"


class Stage(Enum):
    """How far it is."""

    WANTED = auto()
    SENDING = auto()
    COMPARING = auto()
    DONE = auto()
    DIFFERS = auto()
    IMPOSSIBLE = auto()


class Verification:
    """Of all disks of one move; `bitmap` says what the destination lacks, `bandwidth` is in bytes a second."""

    def __init__(self, bitmap: str, bandwidth: int) -> None:
        self._bitmap = bitmap
        self._bandwidth = bandwidth
        self.stage = Stage.WANTED
        self.reason = ""
        self.compared = 0
        """Bytes that are known to be the same, holes too."""
        self.sent = 0
        self._disks: list[Disk] = []
        self._pairs: list[Pair] = []
        self._suspected: dict[str, tuple[int, int]] = {}

    @property
    def under_way(self) -> bool:
        return self.stage in (Stage.SENDING, Stage.COMPARING)

    async def begin(self, source: Monitor, disks: list[Disk]) -> None:
        """Freeze the disks. Each may show another moment: they are compared one by one."""
        self._disks = disks
        try:
            for disk in disks:
                await freeze(source, (disk.node,))
                await self._send(source, disk)
                if disk.layered:
                    await _find_layer(source, disk)
        except Unreachable:
            raise
        except MigrationFailed as reason:
            await self._give_up(source, str(reason))
            return
        self.stage = Stage.SENDING

    async def advance(self, source: Monitor, jobs: list[dict[str, Any]]) -> None:
        """See how far it is, and begin what is next."""
        sending = self.stage is Stage.SENDING
        kinds = (_SEND, _LAYER) if sending else (comparison.JOB,)
        ours = [
            each for each in jobs if each["id"].startswith(tuple(name_of(kind, "")[:-1] for kind in kinds))
        ]
        if failed := next((each for each in ours if each.get("error")), None):
            await (self._give_up(source, failed["error"]) if sending else self._judge(source, failed))
        elif all(each["status"] == "concluded" for each in ours):
            await (self._compare(source, ours) if sending else self._close(source))

    async def drop(self, source: Monitor) -> None:
        """What another controller has begun ends."""
        for kind in (comparison.JOB, _SEND, _LAYER):
            await end_jobs(source, name_of(kind, "")[:-1])
        await thaw(source)
        self.stage = Stage.WANTED

    async def _send(self, source: Monitor, disk: Disk) -> None:
        """What it lacks of the moment; the bitmap stays as it is, since the guest has written more."""
        shown = frozen(disk.node)
        wanted = {"node": shown, "name": PART, "granularity": GRANULARITY, "disabled": True}
        await source.execute("block-dirty-bitmap-add", **wanted)
        merged = [{"node": disk.node, "name": self._bitmap}]
        await source.execute("block-dirty-bitmap-merge", node=shown, target=PART, bitmaps=merged)
        given = job(name_of(_SEND, disk.node), shown, name_of("tn0", disk.node), self._bandwidth)
        await source.execute("blockdev-backup", **given, sync="bitmap", bitmap=PART, bitmap_mode="never")

    async def _compare(self, source: Monitor, ended: list[dict[str, Any]]) -> None:
        for each in ended:
            self.sent += int(each.get("current-progress", 0)) if _SEND in each["id"] else 0
            await source.execute("job-dismiss", id=each["id"])
        found = await nodes_of(source)
        self._pairs = [pair for disk in self._disks for pair in _pairs(found, disk)]
        self.compared = sum(_extent(found, disk) for disk in self._disks)
        await comparison.begin(source, self._pairs, self._bandwidth)
        self.stage = Stage.COMPARING

    async def _close(self, source: Monitor) -> None:
        await self.drop(source)
        self.stage = Stage.DONE

    async def _judge(self, source: Monitor, failed: dict[str, Any]) -> None:
        """A comparison ends where a side cannot be read, too: what ends it twice at one place differs."""
        pair = next(each for each in self._pairs if each.job == failed["id"])
        where = comparison.where_failed(source, pair)
        if not await comparison.readable(source, frozen(pair.node), pair.size, where):
            await self._give_up(
                source, f"there is no room beside disk {pair.node} for what the guest overwrites"
            )
        elif not await comparison.readable(source, pair.copy, pair.size, where):
            return  # judged again when it can be
        elif where is not None and self._suspected.get(pair.job) == where:
            self.stage, self.compared = Stage.DIFFERS, 0
            self.reason = (
                f"the copy of disk {pair.node} differs from it in the {where[1]} bytes at byte {where[0]}: look for "
                "faults of the storage and memory of both hosts, and move it again"
            )
        else:
            if where is not None:
                self._suspected[pair.job] = where
            await comparison.end(source, pair)
            await comparison.begin(source, [pair], self._bandwidth // len(self._pairs))

    async def _give_up(self, source: Monitor, reason: str) -> None:
        await self.drop(source)
        self.stage, self.reason, self.compared = Stage.IMPOSSIBLE, reason, 0


def _pairs(found: dict[str, dict[str, Any]], disk: Disk) -> list[Pair]:
    """What came over each connection; all over the first where there are no others."""
    copies = [name_of(f"tn{number}", disk.node) for number in range(disk.connections)]
    if disk.layered:
        return [Pair(disk.node, disk.size, copies[0], part={"node": _layer(disk.node), "name": PART})]
    if any(bitmap_of(found.get(copy, {}), PART) is None for copy in copies):
        return [Pair(disk.node, disk.size, copies[0])]
    return [
        Pair(disk.node, disk.size, copy, number, {"node": copy, "name": PART})
        for number, copy in enumerate(copies)
    ]


def _extent(found: dict[str, dict[str, Any]], disk: Disk) -> int:
    """How many bytes of it are compared."""
    layer = bitmap_of(found.get(_layer(disk.node), {}), PART)
    return disk.size if layer is None else int(layer["count"])


def _layer(node: str) -> str:
    return name_of(f"{NOWHERE}-layer", node)


async def _find_layer(source: Monitor, disk: Disk) -> None:
    """Note what a disk has of its own above its golden image: by copying that to nowhere."""
    layer = _layer(disk.node)
    await source.execute("blockdev-add", driver="null-co", node_name=layer, size=disk.size)
    await source.execute("block-dirty-bitmap-add", node=layer, name=PART, granularity=GRANULARITY)
    given = job(name_of(_LAYER, disk.node), disk.node, layer, 0)
    await source.execute("blockdev-backup", **given, sync="top")
