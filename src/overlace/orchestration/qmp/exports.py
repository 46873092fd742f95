"""Disks that a QEMU gives to another one to be written (NBD)."""

from collections.abc import Mapping
from contextlib import suppress

from overlace.orchestration.migrator import MigrationFailed, Unreachable
from overlace.orchestration.qmp.blocks import name_of
from overlace.orchestration.qmp.monitor import Monitor

FIRST_PORT, LAST_PORT = 49216, 49279
"""Where destinations listen for disks."""


async def serve(destination: Monitor, address: str, exports: Mapping[str, str]) -> int:
    """Export nodes by the names of the disks that they stand for; the port."""
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
        for export, node in exports.items():
            await destination.execute(
                "block-export-add",
                type="nbd",
                id=name_of("export", export),
                node_name=node,
                name=export,
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
