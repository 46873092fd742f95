"""Who keeps a replica: a QEMU without a guest at the replica's host, which has its disks.

A round is written to layers of its own above the disks; these stay the last whole round until all of the new one is
there. Then it is merged, which can be begun anew at any time: disk and layer together are the round until it is done.
"""

from contextlib import suppress

from overlace.orchestration.migrator import MigrationFailed
from overlace.orchestration.qmp.blocks import (
    MARK,
    end_jobs,
    file_of,
    finish,
    make_file,
    name_of,
    nodes_of,
    remove_nodes,
)
from overlace.orchestration.qmp.exports import flush, serve, stop_serving
from overlace.orchestration.qmp.monitor import Monitor

SUFFIX = ".overlace-round"
MERGE_TIMEOUT = 3600.0
_LAYER, _FILE = "layer", "file"


async def begin_layers(keeper: Monitor, sizes: dict[str, int]) -> None:
    """Empty layers above the disks, of this size each by disk. What a round before has left goes."""
    await drop_layers(keeper, tuple(sizes))
    found = await nodes_of(keeper, flat=False)
    for node, size in sizes.items():
        path = file_of(found, node) + SUFFIX
        there = int(found[node]["image"]["virtual-size"])
        if there != size:
            raise MigrationFailed(
                f"disk {node} has {size} bytes and {there} at the replica's host: have the launcher make them alike"
            )
        await make_file(keeper, path, 0)
        await keeper.execute("blockdev-add", driver="file", node_name=name_of(_FILE, node), filename=path)
        options = {"driver": "qcow2", "file": name_of(_FILE, node), "size": size}
        await keeper.execute("blockdev-create", job_id=f"{MARK}format", options=options)
        await finish(keeper, f"{MARK}format")
        await _open_layer(keeper, node)


async def has_layers(keeper: Monitor, nodes: tuple[str, ...]) -> bool:
    """Whether a round can go on here: it cannot when the keeper was started anew."""
    found = await nodes_of(keeper)
    return all(name_of(_LAYER, node) in found for node in nodes)


async def give_layers(keeper: Monitor, address: str, nodes: tuple[str, ...]) -> int:
    """Let them be written over NBD; the port."""
    return await serve(keeper, address, {node: name_of(_LAYER, node) for node in nodes})


async def secure(keeper: Monitor, nodes: tuple[str, ...]) -> None:
    """What was written to the layers is on the storage."""
    await flush(keeper, tuple(name_of(_LAYER, node) for node in nodes))


async def merge_layers(keeper: Monitor, nodes: tuple[str, ...]) -> None:
    """The disks are the round that the layers are. May be repeated until something else is written to the disks."""
    await drop_layers(keeper, nodes)
    found = await nodes_of(keeper)
    for node in nodes:
        path = file_of(found, node) + SUFFIX
        await keeper.execute("blockdev-add", driver="file", node_name=name_of(_FILE, node), filename=path)
        await _open_layer(keeper, node)
    for node in nodes:
        job = name_of("merge", node)
        await keeper.execute(
            "block-commit", job_id=job, device=name_of(_LAYER, node), base_node=node, auto_dismiss=False
        )
        await finish(keeper, job, MERGE_TIMEOUT)
    await flush(keeper, nodes)
    await drop_layers(keeper, nodes)


async def drop_layers(keeper: Monitor, nodes: tuple[str, ...]) -> None:
    """The disks are by themselves again. The layers' files stay until the next round."""
    await stop_serving(keeper)
    await end_jobs(keeper)
    for node in nodes:
        with suppress(MigrationFailed):
            await keeper.execute("block-export-del", id=name_of("export", node), mode="hard")
        await remove_nodes(keeper, (_LAYER, _FILE), node)


async def _open_layer(keeper: Monitor, node: str) -> None:
    await keeper.execute(
        "blockdev-add",
        driver="qcow2",
        node_name=name_of(_LAYER, node),
        file=name_of(_FILE, node),
        backing=node,
        discard="unmap",
    )
