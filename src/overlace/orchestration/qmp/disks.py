"""Disks that go along with their guest, copied by its own QEMU while it runs.

A dirty bitmap notes what the guest writes from now on. Then a raw disk is copied in slices, each over a connection of
its own to an export (NBD) of the waiting QEMU: one connection would wait for every lost packet alone. What was written
meanwhile follows in rounds, the last of them while the guest is still. Zeroes are not sent. A disk over a golden image
that both sides have sends its own layer only. A connection that is cut is taken up again where it was.

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
"""Over which a disk is copied; each gets a share of the bandwidth."""
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
_BITMAP = "overlace"
_MARK = "ol-"
_SLICE_UNIT = 1 << 20


@dataclass(frozen=True, slots=True)
class Disk:
    """A block node of the guest. `path` is its file where it can be read beside the guest; `layered` is whether it
    stands on a backing image."""

    node: str
    size: int
    path: str
    layered: bool


class DiskCopy:
    """All disks of one move."""

    def __init__(self, bandwidth_mbit: int) -> None:
        self._bandwidth = bandwidth_mbit * 125_000
        self.state = Disks.NONE
        self.reason = ""
        self.copied = 0
        self.progress = Progress()
        self._rounds: dict[str, int] = {}

    async def recall(self, source: Monitor, nodes: tuple[str, ...]) -> None:
        """What another controller has begun goes on."""
        found = await _nodes(source)
        if any(_bitmap(found.get(node, {})) is not None for node in nodes):
            self.state = Disks.COPYING

    async def begin(
        self, source: Monitor, destination: Monitor, address: str, nodes: tuple[str, ...]
    ) -> None:
        """Begin to copy. What was begun before is thrown away."""
        await self.clear(source, nodes)
        port = await _serve(destination, address, nodes)
        self._rounds = dict.fromkeys(nodes, 0)
        for disk in await _disks(source, nodes):
            await source.execute("block-dirty-bitmap-add", node=disk.node, name=_BITMAP)
            server = {"type": "inet", "host": address, "port": str(port)}
            if disk.path and not disk.layered:
                await self._begin_slices(source, disk, server)
            else:
                await self._begin_whole(source, disk, server)
            await _add_target(source, _name("to", disk.node), disk.node, server)
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
        found = await _nodes(source)
        for kind in ("sw", "tw", "tn", "to"):  # what stands on others goes first
            for name in [each for each in found if each.startswith(f"{_MARK}{kind}")]:
                await source.execute("blockdev-del", node_name=name)
        for node in nodes:
            if _bitmap(found.get(node, {})) is not None:
                await source.execute("block-dirty-bitmap-remove", node=node, name=_BITMAP)
        self.state = Disks.NONE

    async def _begin_slices(self, source: Monitor, disk: Disk, server: dict[str, str]) -> None:
        """The file is read beside the guest: what it writes meanwhile is in the bitmap, and follows."""
        step = -(-disk.size // CONNECTIONS // _SLICE_UNIT) * _SLICE_UNIT or _SLICE_UNIT
        for number, offset in enumerate(range(0, disk.size, step)):
            size = min(step, disk.size - offset)
            file = {"driver": "file", "filename": disk.path, "read-only": True, "locking": "off"}
            reading = {"driver": "raw", "read-only": True, "offset": offset, "size": size}
            await source.execute(
                "blockdev-add",
                node_name=_name(f"sw{number}", disk.node),
                file=file | {"node-name": _name(f"sf{number}", disk.node)},
                **reading,
            )
            target = _name(f"tn{number}", disk.node)
            await _add_target(source, target, disk.node, server)
            writing = {"driver": "raw", "offset": offset, "size": size, "discard": "unmap"}
            await source.execute(
                "blockdev-add",
                node_name=_name(f"tw{number}", disk.node),
                file=target,
                detect_zeroes="unmap",
                **writing,
            )
            await self._copy(
                source,
                f"seed{number}",
                disk.node,
                _name(f"sw{number}", disk.node),
                _name(f"tw{number}", disk.node),
                sync="full",
                share=CONNECTIONS,
            )

    async def _begin_whole(self, source: Monitor, disk: Disk, server: dict[str, str]) -> None:
        target = _name("tn0", disk.node)
        await _add_target(source, target, disk.node, server)
        writing = {"driver": "raw", "discard": "unmap", "detect-zeroes": "unmap"}
        await source.execute("blockdev-add", node_name=_name("tw0", disk.node), file=target, **writing)
        sync = "top" if disk.layered else "full"
        await self._copy(source, "seed0", disk.node, disk.node, _name("tw0", disk.node), sync=sync)

    async def _copy(
        self, source: Monitor, job: str, node: str, device: str, target: str, *, sync: str, share: int = 1
    ) -> None:
        given: dict[str, Any] = {"x_perf": {"max-workers": 16, "max-chunk": 1 << 20}}
        if sync == "incremental":
            given |= {"bitmap": _BITMAP}
        if self._bandwidth:
            given |= {"speed": max(self._bandwidth // share, 1 << 16)}
        await source.execute(
            "blockdev-backup",
            job_id=_name(job, node),
            device=device,
            target=target,
            sync=sync,
            auto_dismiss=False,
            on_target_error="stop",
            **given,
        )

    async def _advance_one(self, source: Monitor, node: str, jobs: list[dict[str, Any]]) -> bool:
        """Whether little enough is left for the end."""
        if failed := next((each for each in jobs if each.get("error")), None):
            self.state, self.reason = Disks.FAILED, f"{node}: {failed['error']}"
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
        await self._copy(source, "round", node, node, _name("to", node), sync="incremental")

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
        total = sum(int(each.get("total-progress", 0)) for each in jobs)
        current = sum(int(each.get("current-progress", 0)) for each in jobs)
        percent = 100.0 * current / total if total else 100.0
        self.progress = Progress(percent, total - current, None, "", "disks")


def _name(kind: str, node: str) -> str:
    return f"{_MARK}{kind}-{node}"


async def _add_target(source: Monitor, name: str, export: str, server: dict[str, str]) -> None:
    """A connection of its own to the destination's disk."""
    await source.execute(
        "blockdev-add",
        driver="nbd",
        node_name=name,
        server=server,
        export=export,
        reconnect_delay=RECONNECT,
        open_timeout=OPEN_TIMEOUT,
    )


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


async def stop_serving(destination: Monitor) -> None:
    """The disks are the destination's own from now on."""
    with suppress(MigrationFailed):
        await destination.execute("nbd-server-stop")


async def _nodes(source: Monitor) -> dict[str, dict[str, Any]]:
    found = await source.execute("query-named-block-nodes", flat=True)
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
    found = await _nodes(source)
    disks = []
    for node in nodes:
        if node not in found:
            raise MigrationFailed(f"there is no disk {node} at the source")
        image = found[node]["image"]
        raw = found[node]["drv"] == "raw" and str(found[node].get("file", "")).startswith("/")
        path = str(found[node].get("file", "")) if raw else ""
        disks.append(Disk(node, int(image["virtual-size"]), path, "backing-image" in image))
    return disks


def _bitmap(node: dict[str, Any]) -> dict[str, Any] | None:
    bitmaps = node.get("dirty-bitmaps", ())
    return next((each for each in bitmaps if each.get("name") == _BITMAP), None)


def _left(nodes: dict[str, dict[str, Any]], node: str) -> int:
    """Bytes that were written since they were last copied."""
    bitmap = _bitmap(nodes.get(node, {}))
    return 0 if bitmap is None else int(bitmap["count"])
