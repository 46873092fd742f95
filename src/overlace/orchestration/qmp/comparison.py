"""Whether a disk as it was at one moment and its copy at another host are the same, bit by bit.

QEMU's quorum of both reads every block of both, has them vote by their checksums (SHA-256) and fails where they differ.
What is a hole in both is not read. The copy travels back for that.
"""

from overlace.orchestration.migrator import MigrationFailed, Unreachable
from overlace.orchestration.qmp.blocks import end_jobs, finish, name_of, nodes_of
from overlace.orchestration.qmp.moment import COMPARED, NOWHERE, frozen
from overlace.orchestration.qmp.monitor import Monitor
from overlace.orchestration.replication.link import ReplicaDiffers

TIMEOUT = 24 * 3600.0
_JOB = "rcheck"


async def compare(source: Monitor, node: str, copy: str, bandwidth: int) -> None:
    """Compare a frozen disk with a copy. Raises ReplicaDiffers, or Unreachable when the copy cannot be read."""
    check, void, job = name_of(COMPARED, node), name_of(NOWHERE, node), name_of(_JOB, node)
    await end_jobs(source, job)
    found = await nodes_of(source, flat=False)
    for left in (check, void):
        if left in found:
            await source.execute("blockdev-del", node_name=left)
    size = int(found[node]["image"]["virtual-size"])
    await source.execute(
        "blockdev-add", driver="quorum", node_name=check, children=[frozen(node), copy], vote_threshold=2
    )
    await source.execute("blockdev-add", driver="null-co", node_name=void, size=size)
    limits = {"speed": bandwidth} if bandwidth else {}
    await source.execute(
        "blockdev-backup", job_id=job, device=check, target=void, sync="full", auto_dismiss=False, **limits
    )
    try:
        await finish(source, job, TIMEOUT)
    except Unreachable:
        raise
    except MigrationFailed:
        told = await source.execute("human-monitor-command", command_line=f'qemu-io {copy} "read 0 512"')
        if "failed" in told or "rror" in told:
            raise Unreachable(f"the copy of {node} cannot be read: {told.strip()}") from None
        raise ReplicaDiffers(
            f"the copy of disk {node} is not what the disk was: all is copied anew; look for faults of the storage"
        ) from None
    await source.execute("blockdev-del", node_name=check)
    await source.execute("blockdev-del", node_name=void)
