"""Copying a raw disk in stripes, over several connections to an export (NBD) of another QEMU: one connection alone
would wait for every lost packet.

Which stripes go over which is said by a bitmap for each. The first begins while the others are opened, one after the
other, and these begin at once, since QEMU waits for everything under way whenever a job begins. Zeroes are not sent. A
disk over a golden image that both sides have sends its own layer only; it, and any other that is not raw, goes over one
connection.
"""

from dataclasses import dataclass
from typing import Any

from overlace.orchestration.migrator import MigrationFailed, Unreachable
from overlace.orchestration.qmp.blocks import name_of, nodes_of
from overlace.orchestration.qmp.monitor import Monitor

CONNECTIONS = 8
"""Over which a disk is copied; each gets a share of the bandwidth. While one is opened, for some round trips, QEMU does
nothing else."""
LEAST_STRIPE, MOST_STRIPES = 2 << 20, 128
RECONNECT = 1
"""Seconds over which a cut connection is taken up again unnoticed; after that the job waits and is told to go on. The
guest stands still for as long when a connection to nobody is closed, since QEMU flushes it."""
OPEN_TIMEOUT = 5
GRANULARITY = 1 << 16
PART = "ol-part"
"""The bitmap of what a job is to look at."""


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
        step = max(LEAST_STRIPE, -(-self.size // MOST_STRIPES // GRANULARITY) * GRANULARITY)
        offsets = range(connection * step, self.size, self.connections * step)
        return [(offset, min(step, self.size - offset)) for offset in offsets]


async def _add_part(source: Monitor, disk: Disk, number: int) -> None:
    """The file is read beside the guest, once for each connection, with a bitmap of its stripes: what the guest writes
    meanwhile is in the other bitmap, and follows. Bitmaps are made by writing to a node that keeps nothing."""
    mask, name = name_of("mask", disk.node), name_of(f"sw{number}", disk.node)
    await source.execute("blockdev-add", driver="null-co", node_name=mask, size=disk.size)
    await source.execute("block-dirty-bitmap-add", node=mask, name=PART, granularity=GRANULARITY)
    for offset, size in disk.stripes(number):
        told = await source.execute(
            "human-monitor-command", command_line=f'qemu-io {mask} "write -z {offset} {size}"'
        )
        if told:
            raise MigrationFailed(f"QEMU cannot mark stripes: {told.strip()}")
    await read_beside(source, disk, name)
    copy = name_of(f"tn{number}", disk.node)
    await source.execute(
        "block-dirty-bitmap-add", node=copy, name=PART, granularity=GRANULARITY, disabled=True
    )
    for each in (name, copy):  # the connection outlives the reading
        await source.execute(
            "block-dirty-bitmap-merge", node=each, target=PART, bitmaps=[{"node": mask, "name": PART}]
        )
    await source.execute("blockdev-del", node_name=mask)


async def read_beside(source: Monitor, disk: Disk, name: str) -> None:
    """A node that reads the file beside the guest, with a bitmap that says nothing yet."""
    file = {"driver": "file", "filename": disk.path, "read-only": True, "locking": "off"}
    await source.execute("blockdev-add", driver="raw", node_name=name, read_only=True, file=file)
    await source.execute(
        "block-dirty-bitmap-add", node=name, name=PART, granularity=GRANULARITY, disabled=True
    )


async def connect(source: Monitor, name: str, export: str, server: dict[str, str]) -> None:
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


async def disks_of(source: Monitor, nodes: tuple[str, ...]) -> list[Disk]:
    found = await nodes_of(source, flat=False)
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


def job(job_id: str, device: str, target: str, bandwidth: int) -> dict[str, Any]:
    """A backup job that is kept when it has ended, for who comes after this controller; `bandwidth` in bytes a second,
    0 for all there is."""
    given: dict[str, Any] = {
        "job-id": job_id,
        "device": device,
        "target": target,
        "auto-dismiss": False,
        "on-target-error": "stop",
        "x-perf": {"max-workers": 16, "max-chunk": 1 << 20},
    }
    return given | ({"speed": max(bandwidth, 1 << 16)} if bandwidth else {})


async def begin_seeding(
    source: Monitor, disks: list[Disk], bitmap: str, prefix: str, server: dict[str, str], bandwidth: int
) -> None:
    """Have all of the disks copied; what the guest writes from now on is in the bitmap.

    Over the first connection of each it begins at once, while the others are opened. Whoever finds the bitmap knows
    that all has begun, however suddenly this controller ended.
    """
    for disk in disks:
        await _open(source, disk, 0, server)
    more = any(disk.connections > 1 for disk in disks)
    noted = early(bitmap) if more else bitmap
    actions = [_noting(disk, noted) for disk in disks]
    await source.execute(
        "transaction", actions=actions + [_copying(disk, prefix, 0, bandwidth) for disk in disks]
    )
    if not more:
        return
    for disk in disks:
        for number in range(1, disk.connections):
            await _open(source, disk, number, server)
    actions = []
    for disk in disks:
        merging = {"node": disk.node, "target": bitmap, "bitmaps": [{"node": disk.node, "name": noted}]}
        actions += [_noting(disk, bitmap), {"type": "block-dirty-bitmap-merge", "data": merging}]
        actions += [_copying(disk, prefix, number, bandwidth) for number in range(1, disk.connections)]
    await source.execute("transaction", actions=actions)
    for disk in disks:
        await source.execute("block-dirty-bitmap-remove", node=disk.node, name=noted)


def early(bitmap: str) -> str:
    """What a bitmap is called until all connections are open."""
    return f"{bitmap}-early"


def _noting(disk: Disk, bitmap: str) -> dict[str, Any]:
    noting = {"node": disk.node, "name": bitmap, "granularity": GRANULARITY}
    return {"type": "block-dirty-bitmap-add", "data": noting}


def _copying(disk: Disk, prefix: str, number: int, bandwidth: int) -> dict[str, Any]:
    given = job(
        name_of(f"{prefix}{number}", disk.node),
        disk.node,
        name_of(f"tw{number}", disk.node),
        bandwidth // disk.connections,
    )
    if disk.connections == 1:
        return {"type": "blockdev-backup", "data": given | {"sync": "top" if disk.layered else "full"}}
    if number == 0:  # little is under way when the others begin, which wait for that
        given["x-perf"] = {"max-workers": 4, "max-chunk": 1 << 20}
    given |= {"device": name_of(f"sw{number}", disk.node)}
    given |= {"sync": "bitmap", "bitmap": PART, "bitmap-mode": "never"}
    return {"type": "blockdev-backup", "data": given}


async def _open(source: Monitor, disk: Disk, number: int, server: dict[str, str]) -> None:
    """One connection, and what goes over it."""
    await connect(source, name_of(f"tn{number}", disk.node), disk.node, server)
    await add_target(source, disk.node, number)
    if disk.connections > 1:
        await _add_part(source, disk, number)


async def add_target(source: Monitor, node: str, number: int) -> str:
    """What a connection is written through, so that zeroes are not sent."""
    target = name_of(f"tw{number}", node)
    await source.execute(
        "blockdev-add",
        driver="raw",
        node_name=target,
        file=name_of(f"tn{number}", node),
        discard="unmap",
        detect_zeroes="unmap",
    )
    return target
