"""Disks that go along with their guest, copied by its own QEMU while it runs.

A dirty bitmap notes what the guest writes from now on. Then the disk is copied (stripes.py), and what was written
meanwhile follows in rounds, the last of them while the guest is still. When little is left, all
is compared where wanted (verification.py). A connection that is cut is taken up again where it was.

What was begun is read back from QEMU by the names of jobs and nodes, so that another controller can go on.
"""

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import Any

from overlace.orchestration.migrator import MigrationFailed
from overlace.orchestration.qmp.blocks import (
    MARK,
    bitmap_of,
    disk_of,
    end_jobs,
    jobs_of,
    name_of,
    nodes_of,
    remove_nodes,
    urge,
)
from overlace.orchestration.qmp.exports import serve
from overlace.orchestration.qmp.moment import thaw
from overlace.orchestration.qmp.monitor import Monitor
from overlace.orchestration.qmp.stripes import (
    GRANULARITY,
    PART,
    Disk,
    begin_seeding,
    connect,
    disks_of,
    early,
    job,
    read_beside,
)
from overlace.orchestration.qmp.verification import HOW, Stage, Verification
from overlace.orchestration.sight import Account, Disks, Progress

SMALL = 4 << 20
"""Bytes that may be left when the memory begins to follow."""
LEAST = 1 << 20
"""Bytes for which a round is begun while the memory is on its way: the guest stands still for what is left."""
MOST_ROUNDS = 8
SETTLE_TIMEOUT = 60.0
_BITMAP = "overlace"


class DiskCopy:
    """All disks of one move."""

    def __init__(self, bandwidth_mbit: int, verify: bool = False) -> None:
        self._bandwidth = bandwidth_mbit * 125_000
        self.verification = Verification(_BITMAP, self._bandwidth) if verify else None
        self.state = Disks.NONE
        self.reason = ""
        self.copied = 0
        self._copied_before = 0
        self.progress = Progress()
        self._rounds: dict[str, int] = {}
        self._disks: dict[str, Disk] = {}
        self._seeding: dict[str, bool] = {}

    def account(self, account: Account) -> Account:
        """With what is known of the disks, and what was sent since they were compared."""
        told = replace(account, disk_bytes=self.copied)
        match self.verification:
            case Verification(stage=Stage.DONE) as done:
                since = self.copied - self._copied_before
                return replace(told, verified=HOW, verified_bytes=done.compared, unverified_bytes=since)
            case Verification(reason=reason):
                return replace(told, unverified=reason)
        return told

    async def recall(self, source: Monitor, nodes: tuple[str, ...]) -> None:
        """What another controller has begun goes on."""
        found = await nodes_of(source)
        if nodes and all(bitmap_of(found.get(node, {}), _BITMAP) is not None for node in nodes):
            self.state = Disks.COPYING
            self._disks = {disk.node: disk for disk in await disks_of(source, nodes)}
            jobs = {each["id"] for each in await jobs_of(source)}
            self._seeding = {
                node: any(each.startswith(f"{MARK}seed") and each.endswith(f"-{node}") for each in jobs)
                for node in nodes
            }
            if self.verification is not None:
                await self.verification.drop(source)

    async def begin(
        self, source: Monitor, destination: Monitor, address: str, nodes: tuple[str, ...], known: str = ""
    ) -> None:
        """Begin to copy. What was begun before is thrown away. Where bitmaps of the name `known` say what differs from
        what the destination has, only that is copied."""
        await self.clear(source, nodes)
        port = await serve(destination, address, {node: node for node in nodes})
        self._rounds = dict.fromkeys(nodes, 0)
        found = await nodes_of(source)
        seeded = bool(known) and all(bitmap_of(found.get(node, {}), known) is not None for node in nodes)
        self._seeding = dict.fromkeys(nodes, not seeded)
        self._disks = {disk.node: disk for disk in await disks_of(source, nodes)}
        server = {"type": "inet", "host": address, "port": str(port)}
        if seeded:
            for node in nodes:
                await connect(source, name_of("tn0", node), node, server)
            actions = [action for node in nodes for action in _following(node, known)]
            await source.execute("transaction", actions=actions)
        else:
            disks = list(self._disks.values())
            await begin_seeding(source, disks, _BITMAP, "seed", server, self._bandwidth)
        self.state = Disks.COPYING

    async def advance(self, source: Monitor, nodes: tuple[str, ...]) -> None:
        """See how far it is, and begin what is next."""
        if self.state in (Disks.NONE, Disks.FAILED):
            return
        jobs = await jobs_of(source)
        self._note_progress(jobs)
        await urge(source)
        if self.verification is not None and self.verification.under_way:
            await self._verify(source, self.verification, jobs)
            return
        level = True
        for node in nodes:
            level &= await self._advance_one(source, node, [j for j in jobs if j["id"].endswith(f"-{node}")])
        if self.state is not Disks.COPYING or not level:
            return
        if self.verification is not None and self.verification.stage is Stage.WANTED:
            await self.verification.begin(source, [self._disks[node] for node in nodes])
            return
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
        await end_jobs(source)
        await thaw(source)
        for node in nodes:
            await remove_nodes(source, ("mask", "sw", "tw", "tn"), node)  # what stands on others goes first
        found = await nodes_of(source)
        for node in nodes:
            for bitmap in (_BITMAP, early(_BITMAP)):
                if bitmap_of(found.get(node, {}), bitmap) is not None:
                    await source.execute("block-dirty-bitmap-remove", node=node, name=bitmap)
        self.state = Disks.NONE

    async def _verify(self, source: Monitor, verification: Verification, jobs: list[dict[str, Any]]) -> None:
        await verification.advance(source, jobs)
        if verification.stage is Stage.DIFFERS:
            self.state, self.reason = Disks.FAILED, verification.reason
        elif not verification.under_way:
            self.copied += verification.sent
            self._copied_before = self.copied
            self._rounds = dict.fromkeys(self._rounds, MOST_ROUNDS // 2)  # the guest has written meanwhile

    async def _seed(self, source: Monitor, disk: Disk, jobs: list[dict[str, Any]]) -> bool:
        """Whether every stripe is over there. Jobs are kept until then, for who comes after this controller."""
        if any(each["status"] != "concluded" for each in jobs):
            return False
        await remove_nodes(
            source, ("sw", "tw"), disk.node
        )  # before the jobs, which say that this is not yet over
        for each in jobs:
            self.copied += int(each.get("current-progress", 0))
            await source.execute("job-dismiss", id=each["id"])
        return True

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
        left = await _left(source, node)
        done = self._rounds.setdefault(node, 0)
        in_step = self.state is Disks.IN_STEP
        if left > (LEAST if in_step else SMALL) and (in_step or done < MOST_ROUNDS):
            await self._round(source, node)
            return in_step
        return True

    async def _round(self, source: Monitor, node: str, still: bool = False) -> None:
        """What the guest has written is sent. Unless it is still, a file is read beside it: its writes would wait for
        the far side, and QEMU 7.2 gives it an error where the way is cut."""
        self._rounds[node] = self._rounds.get(node, 0) + 1
        name, target = name_of("round", node), name_of("tn0", node)
        disk = self._disks.get(node)
        if still or disk is None or not disk.path or disk.layered:
            given = job(name, node, target, self._bandwidth)
            await source.execute("blockdev-backup", **given, sync="incremental", bitmap=_BITMAP)
            return
        beside = name_of("swround", node)
        with suppress(MigrationFailed):
            await source.execute("blockdev-del", node_name=beside)
        await read_beside(source, disk, beside)
        merging = {"node": beside, "target": PART, "bitmaps": [{"node": node, "name": _BITMAP}]}
        given = job(name, beside, target, self._bandwidth)
        given |= {"sync": "bitmap", "bitmap": PART, "bitmap-mode": "never"}
        actions: list[dict[str, Any]] = [
            {"type": "block-dirty-bitmap-merge", "data": merging},
            {"type": "block-dirty-bitmap-clear", "data": {"node": node, "name": _BITMAP}},
            {"type": "blockdev-backup", "data": given},
        ]
        await source.execute("transaction", actions=actions)

    async def _settle_one(self, source: Monitor, node: str) -> None:
        while True:
            jobs = [each for each in await jobs_of(source) if each["id"].endswith(f"-{node}")]
            if failed := next((each for each in jobs if each.get("error")), None):
                raise MigrationFailed(f"disk {node} cannot be brought level: {failed['error']}")
            if all(each["status"] == "concluded" for each in jobs):
                for each in jobs:
                    self.copied += int(each.get("current-progress", 0))
                    await source.execute("job-dismiss", id=each["id"])
                if not await _left(source, node):
                    return
                await self._round(source, node, still=True)
            await urge(source)
            await asyncio.sleep(0.005)

    def _note_progress(self, jobs: list[dict[str, Any]]) -> None:
        seeding = sum(self._disks[node].size for node, still in self._seeding.items() if still)
        total = seeding or sum(int(each.get("total-progress", 0)) for each in jobs)
        current = sum(int(each.get("current-progress", 0)) for each in jobs)
        percent = 100.0 * current / total if total else 100.0
        compared = self.verification is not None and self.verification.under_way
        self.progress = Progress(percent, total - current, None, "", "comparison" if compared else "disks")


def _following(node: str, known: str) -> list[dict[str, Any]]:
    noting = {"node": node, "name": _BITMAP, "granularity": GRANULARITY}
    merging = {"node": node, "target": _BITMAP, "bitmaps": [{"node": node, "name": known}]}
    return [
        {"type": "block-dirty-bitmap-add", "data": noting},
        {"type": "block-dirty-bitmap-merge", "data": merging},
    ]


async def _left(source: Monitor, node: str) -> int:
    """Bytes that were written since they were last copied."""
    bitmap = bitmap_of(await disk_of(source, node), _BITMAP)
    if bitmap is None:
        raise MigrationFailed(f"what was written to disk {node} is not known any more: its bitmap is gone")
    return int(bitmap["count"])
