"""Disks that go along with their guest, copied by its own QEMU while it runs.

A dirty bitmap notes what the guest writes from now on. Then a raw disk is copied in stripes, over several connections
to an export (NBD) of the waiting QEMU: one connection alone would wait for every lost packet. Which stripes go over
which is said by a bitmap for each, and all begin at once, since QEMU waits for everything under way whenever a job
begins. What was written meanwhile follows in rounds, the last of them while the guest is still. Zeroes are not sent. A
disk over a golden image that both sides have sends its own layer only. A connection that is cut is taken up again where
it was.

What was begun is read back from QEMU by the names of jobs and nodes, so that another controller can go on.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from overlace.orchestration.migrator import MigrationFailed, Unreachable
from overlace.orchestration.qmp.monitor import Monitor
from overlace.orchestration.sight import Disks, Progress

CONNECTIONS = 8
"""Over which a disk is copied; each gets a share of the bandwidth. While one is opened, for some round trips, QEMU does
nothing else."""
LEAST_STRIPE, MOST_STRIPES = 2 << 20, 128
FIRST_PORT, LAST_PORT = 49216, 49279
"""Where destinations listen for disks."""
SMALL = 4 << 20
"""Bytes that may be left for the time when the guest is still."""
MOST_ROUNDS = 8
RECONNECT = 1
"""Seconds over which a cut connection is taken up again unnoticed; after that the job waits and is told to go on. The
guest stands still for as long when a connection to nobody is closed, since QEMU flushes it."""
CLEAR_TIMEOUT = 30.0
OPEN_TIMEOUT = 5
SETTLE_TIMEOUT = 60.0
_BITMAP, _PART = "overlace", "ol-part"
_GRANULARITY = 1 << 16
_MARK = "ol-"


@dataclass(frozen=True, slots=True)
class Disk:
    """A block node of the guest. `path` is its file where it can be read beside the guest; `layered` is whether it
    stands on a backing image."""

    node: str
    size: int
    path: str
    layered: bool

    @property
    def connections(self) -> int:
        """How many it is copied over."""
        return (
            CONNECTIONS if self.path and not self.layered and self.size >= LEAST_STRIPE * CONNECTIONS else 1
        )

    def stripes(self, connection: int) -> list[tuple[int, int]]:
        """Offset and size of those that go over a connection."""
        step = max(LEAST_STRIPE, -(-self.size // MOST_STRIPES // _GRANULARITY) * _GRANULARITY)
        offsets = range(connection * step, self.size, self.connections * step)
        return [(offset, min(step, self.size - offset)) for offset in offsets]


class DiskCopy:
    """All disks of one move."""

    def __init__(self, bandwidth_mbit: int) -> None:
        self._bandwidth = bandwidth_mbit * 125_000
        self.state = Disks.NONE
        self.reason = ""
        self.copied = 0
        self.progress = Progress()
        self._rounds: dict[str, int] = {}
        self._disks: dict[str, Disk] = {}
        self._seeding: dict[str, bool] = {}

    async def recall(self, source: Monitor, nodes: tuple[str, ...]) -> None:
        """What another controller has begun goes on."""
        found = await _nodes(source)
        if nodes and all(_bitmap(found.get(node, {})) is not None for node in nodes):
            self.state = Disks.COPYING
            self._disks = {disk.node: disk for disk in await _disks(source, nodes)}
            jobs = {each["id"] for each in await _jobs(source)}
            self._seeding = {
                node: any(each.startswith(f"{_MARK}seed") and each.endswith(f"-{node}") for each in jobs)
                for node in nodes
            }

    async def begin(
        self, source: Monitor, destination: Monitor, address: str, nodes: tuple[str, ...]
    ) -> None:
        """Begin to copy. What was begun before is thrown away."""
        await self.clear(source, nodes)
        port = await _serve(destination, address, nodes)
        self._rounds = dict.fromkeys(nodes, 0)
        self._seeding = dict.fromkeys(nodes, True)
        self._disks = {disk.node: disk for disk in await _disks(source, nodes)}
        server = {"type": "inet", "host": address, "port": str(port)}
        actions: list[dict[str, Any]] = []
        for disk in self._disks.values():
            for number in range(disk.connections):
                await _add_target(source, _name(f"tn{number}", disk.node), disk.node, server)
            actions += await self._seeding_of(source, disk)
        await source.execute("transaction", actions=actions)
        self.state = Disks.COPYING

    async def advance(self, source: Monitor, nodes: tuple[str, ...]) -> None:
        """See how far it is, and begin what is next."""
        if self.state in (Disks.NONE, Disks.FAILED):
            return
        jobs = await _jobs(source)
        self._note_progress(jobs)
        await _urge(source)
        level = True
        for node in nodes:
            level &= await self._advance_one(source, node, [j for j in jobs if j["id"].endswith(f"-{node}")])
        if self.state is Disks.COPYING and level:
            self.state = Disks.IN_STEP

    async def settle(self, source: Monitor, nodes: tuple[str, ...]) -> None:
        """The guest is still: bring the destination level. Raises MigrationFailed."""
        async with asyncio.timeout(SETTLE_TIMEOUT) as limit:
            try:
                for node in nodes:
                    await self._settle_one(source, node)
                return
            except TimeoutError:
                if not limit.expired():
                    raise
        raise MigrationFailed(
            f"the disks were not level within {SETTLE_TIMEOUT:.0f} s: the way is too slow or cut"
        )

    async def clear(self, source: Monitor, nodes: tuple[str, ...]) -> None:
        """Remove everything that this has made at the source."""
        for job in await _jobs(source):
            with suppress(MigrationFailed):
                if job["status"] != "concluded":
                    await source.execute("block-job-cancel", device=job["id"], force=True)
        async with asyncio.timeout(CLEAR_TIMEOUT):
            while jobs := await _jobs(source):
                for job in jobs:
                    if job["status"] == "concluded":
                        await source.execute("job-dismiss", id=job["id"])
                await asyncio.sleep(0.05)
        for node in nodes:
            await _remove_nodes(source, ("mask", "sw", "tw", "tn"), node)  # what stands on others goes first
        found = await _nodes(source)
        for node in nodes:
            if _bitmap(found.get(node, {})) is not None:
                await source.execute("block-dirty-bitmap-remove", node=node, name=_BITMAP)
        self.state = Disks.NONE

    async def _seeding_of(self, source: Monitor, disk: Disk) -> list[dict[str, Any]]:
        """Bitmap and jobs of a disk. Those of all disks begin in one transaction: whoever finds a bitmap knows that the
        copying has begun, however suddenly this controller ended."""
        noting = {"node": disk.node, "name": _BITMAP}
        jobs = []
        for number in range(disk.connections):
            target = _name(f"tw{number}", disk.node)
            await source.execute(
                "blockdev-add",
                driver="raw",
                node_name=target,
                file=_name(f"tn{number}", disk.node),
                discard="unmap",
                detect_zeroes="unmap",
            )
            jobs.append(self._job(f"seed{number}", disk.node, disk.node, target, share=disk.connections))
            jobs[-1]["sync"] = "top" if disk.layered else "full"
        if disk.connections > 1:
            await _add_parts(source, disk)
            for number, job in enumerate(jobs):
                job |= {"device": _name(f"sw{number}", disk.node)}
                job |= {"sync": "bitmap", "bitmap": _PART, "bitmap-mode": "never"}
        copying = [{"type": "blockdev-backup", "data": job} for job in jobs]
        return [{"type": "block-dirty-bitmap-add", "data": noting}, *copying]

    async def _seed(self, source: Monitor, disk: Disk, jobs: list[dict[str, Any]]) -> bool:
        """Whether every stripe is over there. Jobs are kept until then, for who comes after this controller."""
        if any(each["status"] != "concluded" for each in jobs):
            return False
        await _remove_nodes(
            source, ("sw", "tw"), disk.node
        )  # before the jobs, which say that this is not yet over
        for each in jobs:
            self.copied += int(each.get("current-progress", 0))
            await source.execute("job-dismiss", id=each["id"])
        return True

    def _job(self, job: str, node: str, device: str, target: str, share: int = 1) -> dict[str, Any]:
        given: dict[str, Any] = {
            "job-id": _name(job, node),
            "device": device,
            "target": target,
            "auto-dismiss": False,
            "on-target-error": "stop",
            "x-perf": {"max-workers": 16, "max-chunk": 1 << 20},
        }
        if self._bandwidth:
            given["speed"] = max(self._bandwidth // share, 1 << 16)
        return given

    async def _advance_one(self, source: Monitor, node: str, jobs: list[dict[str, Any]]) -> bool:
        """Whether little enough is left for the end."""
        if failed := next((each for each in jobs if each.get("error")), None):
            self.state, self.reason = Disks.FAILED, f"{node}: {failed['error']}"
            return False
        if self._seeding.get(node):
            self._seeding[node] = not await self._seed(source, self._disks[node], jobs)
            return False
        if any(each["status"] != "concluded" for each in jobs):
            return self.state is Disks.IN_STEP
        for each in jobs:
            self.copied += int(each.get("current-progress", 0))
            await source.execute("job-dismiss", id=each["id"])
        left = _left(await _nodes(source), node)
        done = self._rounds.setdefault(node, 0)
        if left > SMALL and (done < MOST_ROUNDS or self.state is Disks.IN_STEP):
            await self._round(source, node)
            return self.state is Disks.IN_STEP
        return True

    async def _round(self, source: Monitor, node: str) -> None:
        self._rounds[node] = self._rounds.get(node, 0) + 1
        job = self._job("round", node, node, _name("tn0", node))
        await source.execute("blockdev-backup", **job, sync="incremental", bitmap=_BITMAP)

    async def _settle_one(self, source: Monitor, node: str) -> None:
        while True:
            jobs = [each for each in await _jobs(source) if each["id"].endswith(f"-{node}")]
            if failed := next((each for each in jobs if each.get("error")), None):
                raise MigrationFailed(f"disk {node} cannot be brought level: {failed['error']}")
            if all(each["status"] == "concluded" for each in jobs):
                for each in jobs:
                    self.copied += int(each.get("current-progress", 0))
                    await source.execute("job-dismiss", id=each["id"])
                if not _left(await _nodes(source), node):
                    return
                await self._round(source, node)
            await _urge(source)
            await asyncio.sleep(0.005)

    def _note_progress(self, jobs: list[dict[str, Any]]) -> None:
        seeding = sum(self._disks[node].size for node, still in self._seeding.items() if still)
        total = seeding or sum(int(each.get("total-progress", 0)) for each in jobs)
        current = sum(int(each.get("current-progress", 0)) for each in jobs)
        percent = 100.0 * current / total if total else 100.0
        self.progress = Progress(percent, total - current, None, "", "disks")


def _name(kind: str, node: str) -> str:
    return f"{_MARK}{kind}-{node}"


async def _add_parts(source: Monitor, disk: Disk) -> None:
    """The file is read beside the guest, once for each connection, with a bitmap of its stripes: what the guest writes
    meanwhile is in the other bitmap, and follows. Bitmaps are made by writing to a node that keeps nothing."""
    mask = _name("mask", disk.node)
    await source.execute("blockdev-add", driver="null-co", node_name=mask, size=disk.size)
    for number in range(disk.connections):
        part = f"{_PART}{number}"
        await source.execute("block-dirty-bitmap-add", node=mask, name=part, granularity=_GRANULARITY)
        for offset, size in disk.stripes(number):
            command = f'qemu-io {mask} "write -z {offset} {size}"'
            told = await source.execute("human-monitor-command", command_line=command)
            if told:
                raise MigrationFailed(f"QEMU cannot mark stripes: {told.strip()}")
        await source.execute("block-dirty-bitmap-disable", node=mask, name=part)
        name = _name(f"sw{number}", disk.node)
        file = {"driver": "file", "filename": disk.path, "read-only": True, "locking": "off"}
        await source.execute("blockdev-add", driver="raw", node_name=name, read_only=True, file=file)
        await source.execute(
            "block-dirty-bitmap-add", node=name, name=_PART, granularity=_GRANULARITY, disabled=True
        )
        await source.execute(
            "block-dirty-bitmap-merge", node=name, target=_PART, bitmaps=[{"node": mask, "name": part}]
        )
    await source.execute("blockdev-del", node_name=mask)


async def _remove_nodes(source: Monitor, kinds: tuple[str, ...], node: str) -> None:
    found = await _nodes(source)
    for kind in kinds:
        for name in [each for each in found if each.startswith(_MARK + kind) and each.endswith(f"-{node}")]:
            await source.execute("blockdev-del", node_name=name)


async def _add_target(source: Monitor, name: str, export: str, server: dict[str, str]) -> None:
    """A connection of its own to the destination's disk."""
    try:
        await source.execute(
            "blockdev-add",
            driver="nbd",
            node_name=name,
            server=server,
            export=export,
            reconnect_delay=RECONNECT,
            open_timeout=OPEN_TIMEOUT,
        )
    except Unreachable:
        raise
    except MigrationFailed as reason:
        raise MigrationFailed(
            f"{server['host']} does not answer at TCP port {server['port']}, where disks are received ({reason}): "
            "mend the way between the hosts, or the firewall on it"
        ) from None


async def _serve(destination: Monitor, address: str, nodes: tuple[str, ...]) -> int:
    """Export the disks of the waiting guest; the port."""
    with suppress(MigrationFailed):
        await destination.execute("nbd-server-stop")
    reason = MigrationFailed("no port was tried")
    for port in range(FIRST_PORT, LAST_PORT + 1):
        where = {"type": "inet", "data": {"host": address, "port": str(port)}}
        try:
            await destination.execute("nbd-server-start", addr=where, max_connections=0)
        except Unreachable:
            raise
        except MigrationFailed as failure:
            reason = failure
            continue
        for node in nodes:
            await destination.execute(
                "block-export-add",
                type="nbd",
                id=_name("export", node),
                node_name=node,
                name=node,
                writable=True,
            )
        return port
    raise MigrationFailed(f"no port of {FIRST_PORT} to {LAST_PORT} can be listened on at {address}: {reason}")


async def flush(destination: Monitor, nodes: tuple[str, ...]) -> None:
    """What the guest was promised to be on its disk at the source has to be on the one at the destination."""
    for node in nodes:
        told = await destination.execute("human-monitor-command", command_line=f'qemu-io {node} "flush"')
        if told:
            raise MigrationFailed(f"disk {node} cannot be written at the destination: {told.strip()}")


async def stop_serving(destination: Monitor) -> None:
    """The disks are the destination's own from now on."""
    with suppress(MigrationFailed):
        await destination.execute("nbd-server-stop")


async def _nodes(source: Monitor, flat: bool = True) -> dict[str, dict[str, Any]]:
    """By name; `flat` ones do not say what they stand on."""
    found = await source.execute("query-named-block-nodes", flat=flat)
    return {each["node-name"]: each for each in found}


async def _jobs(source: Monitor) -> list[dict[str, Any]]:
    return [each for each in await source.execute("query-jobs") if each["id"].startswith(_MARK)]


async def _urge(source: Monitor) -> None:
    """Jobs that wait since their connection was cut go on where they were."""
    for each in await source.execute("query-block-jobs"):
        if each["device"].startswith(_MARK) and each.get("io-status", "ok") != "ok":
            with suppress(MigrationFailed):
                await source.execute("block-job-resume", device=each["device"])


async def _disks(source: Monitor, nodes: tuple[str, ...]) -> list[Disk]:
    found = await _nodes(source, flat=False)
    disks = []
    for node in nodes:
        if node not in found:
            raise MigrationFailed(f"there is no disk {node} at the source")
        image = found[node]["image"]
        raw = found[node]["drv"] == "raw" and str(found[node].get("file", "")).startswith("/")
        path = str(found[node].get("file", "")) if raw else ""
        disks.append(
            Disk(node, int(image["virtual-size"]), path, found[node].get("backing_file_depth", 0) > 0)
        )
    return disks


def _bitmap(node: dict[str, Any]) -> dict[str, Any] | None:
    bitmaps = node.get("dirty-bitmaps", ())
    return next((each for each in bitmaps if each.get("name") == _BITMAP), None)


def _left(nodes: dict[str, dict[str, Any]], node: str) -> int:
    """Bytes that were written since they were last copied."""
    bitmap = _bitmap(nodes.get(node, {}))
    if bitmap is None:
        raise MigrationFailed(f"what was written to disk {node} is not known any more: its bitmap is gone")
    return int(bitmap["count"])
