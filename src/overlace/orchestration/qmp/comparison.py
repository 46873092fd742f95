"""Whether a disk as it was at one moment and its copy at another host are the same, bit by bit.

QEMU's quorum of both reads every block of both, has them vote by their checksums (SHA-256) and fails where they differ.
What is a hole in both is not read. The copy travels back for that.
"""

from dataclasses import dataclass

from overlace.orchestration.migrator import MigrationFailed, Unreachable
from overlace.orchestration.qmp.blocks import end_jobs, finish, name_of, nodes_of
from overlace.orchestration.qmp.moment import COMPARED, NOWHERE, frozen
from overlace.orchestration.qmp.monitor import Monitor
from overlace.orchestration.qmp.stripes import GRANULARITY, PART, job
from overlace.orchestration.replication.link import ReplicaDiffers

TIMEOUT = 24 * 3600.0
JOB = "compare"
SECTOR = 512
_PROBE = "probe"


@dataclass(frozen=True, slots=True)
class Pair:
    """A frozen disk and its copy, as it is seen over a connection of this number; `part` is the bitmap of what is to be
    compared of them, None for all."""

    node: str
    size: int
    copy: str
    number: int = 0
    part: dict[str, str] | None = None

    @property
    def job(self) -> str:
        return name_of(f"{JOB}{self.number}", self.node)

    @property
    def check(self) -> str:
        """The node that reads both."""
        return name_of(f"{COMPARED}{self.number}", self.node)

    @property
    def void(self) -> str:
        return name_of(f"{NOWHERE}{self.number}", self.node)


async def compare(source: Monitor, node: str, copy: str, bandwidth: int) -> None:
    """Compare a frozen disk with a copy. Raises ReplicaDiffers, or Unreachable when the copy cannot be read."""
    size = int((await nodes_of(source, flat=False))[node]["image"]["virtual-size"])
    pair = Pair(node, size, copy)
    for _ in range(2):  # the way may have been cut for a moment only
        await end(source, pair)
        await begin(source, [pair], bandwidth)
        try:
            await finish(source, pair.job, TIMEOUT)
        except Unreachable:
            raise
        except MigrationFailed:
            if not await readable(source, copy, size, where_failed(source, pair)):
                raise Unreachable(f"the copy of {node} cannot be read") from None
        else:
            await end(source, pair)
            return
    raise ReplicaDiffers(
        f"the copy of disk {node} is not what the disk was: all is copied anew; look for faults of the storage"
    )


async def begin(source: Monitor, pairs: list[Pair], bandwidth: int) -> None:
    """Have pairs compared, all at once; jobs are kept when they have ended."""
    actions = []
    for pair in pairs:
        children = [frozen(pair.node), pair.copy]
        await source.execute(
            "blockdev-add", driver="quorum", node_name=pair.check, children=children, vote_threshold=2
        )
        await source.execute("blockdev-add", driver="null-co", node_name=pair.void, size=pair.size)
        given = job(pair.job, pair.check, pair.void, bandwidth // len(pairs)) | {"sync": "full"}
        if pair.part is not None:
            wanted = {"node": pair.check, "name": PART, "granularity": GRANULARITY, "disabled": True}
            await source.execute("block-dirty-bitmap-add", **wanted)
            await source.execute(
                "block-dirty-bitmap-merge", node=pair.check, target=PART, bitmaps=[pair.part]
            )
            given |= {"sync": "bitmap", "bitmap": PART, "bitmap-mode": "never"}
        actions.append({"type": "blockdev-backup", "data": given})
    await source.execute("transaction", actions=actions)


async def end(source: Monitor, pair: Pair) -> None:
    """Nothing of a comparison is left."""
    await end_jobs(source, pair.job)
    found = await nodes_of(source)
    for name in (pair.check, pair.void):
        if name in found:
            await source.execute("blockdev-del", node_name=name)


def where_failed(source: Monitor, pair: Pair) -> tuple[int, int] | None:
    """Offset and size of what a comparison ended at, where QEMU has told; it tells once a second."""
    told = source.differing.pop(pair.check, None)
    return None if told is None else (told[0] * SECTOR, told[1] * SECTOR)


async def readable(source: Monitor, node: str, size: int, where: tuple[int, int] | None) -> bool:
    """Whether a node can be read there now; at its beginning where nobody knows where. `qemu-io` would not tell."""
    job_id, mask = name_of(_PROBE, node), name_of(NOWHERE, node)
    offset, length = where or (0, SECTOR)
    await source.execute("blockdev-add", driver="null-co", node_name=mask, size=size)
    noted = {"name": _PROBE, "granularity": GRANULARITY}
    await source.execute("block-dirty-bitmap-add", node=mask, **noted)
    command = f'qemu-io {mask} "write -z {offset} {length}"'
    await source.execute("human-monitor-command", command_line=command)
    await source.execute("block-dirty-bitmap-add", node=node, disabled=True, **noted)
    merged = [{"node": mask, "name": _PROBE}]
    await source.execute("block-dirty-bitmap-merge", node=node, target=_PROBE, bitmaps=merged)
    given = job(job_id, node, mask, 0) | {"sync": "bitmap", "bitmap": _PROBE, "bitmap-mode": "never"}
    await source.execute("blockdev-backup", **given)
    try:
        await finish(source, job_id)
    except Unreachable:
        raise
    except MigrationFailed:
        return False
    finally:
        await source.execute("block-dirty-bitmap-remove", node=node, name=_PROBE)
        await source.execute("blockdev-del", node_name=mask)
    return True
