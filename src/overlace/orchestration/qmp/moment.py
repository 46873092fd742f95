"""The disks of a running guest as they are at one moment, to be copied while it writes on.

What the guest is about to overwrite goes to a file beside its disk first. The guest waits for that file only, never for
a far host, and where the file cannot be written it is the copy that ends, not the guest's write.
"""

from contextlib import suppress

from overlace.orchestration.migrator import MigrationFailed
from overlace.orchestration.qmp.blocks import MARK, file_of, make_file, name_of, nodes_of
from overlace.orchestration.qmp.monitor import Monitor
from overlace.orchestration.sight import Guest

SUFFIX = ".overlace-before"
_FROZEN, _FILTER, _FILE = "moment", "cbw", "before"
COMPARED, NOWHERE = "check", "void"
"""What compares a frozen disk with another stands on it (comparison.py)."""


def frozen(node: str) -> str:
    """The node that shows a disk as it was at the moment."""
    return name_of(_FROZEN, node)


async def freeze(source: Monitor, nodes: tuple[str, ...]) -> None:
    """From now on `frozen` shows the disks as they are now, all of the same moment."""
    found = await nodes_of(source, flat=False)
    for node in nodes:
        path, size = file_of(found, node) + SUFFIX, int(found[node]["image"]["virtual-size"])
        await make_file(source, path, size)
        before, cbw = name_of(_FILE, node), name_of(_FILTER, node)
        await source.execute("blockdev-add", driver="file", node_name=before, filename=path)
        await source.execute(
            "blockdev-add",
            driver="copy-before-write",
            node_name=cbw,
            file=node,
            target=before,
            on_cbw_error="break-snapshot",
        )
    devices = await _devices(source)
    if missing := [node for node in nodes if node not in devices]:
        raise MigrationFailed(f"no device of the guest has disk {missing[0]}")
    still = len(nodes) > 1 and source.guest is Guest.RUNNING  # or they would be of several moments
    if still:
        await source.execute("stop")
    try:
        for node in nodes:
            await _plug(source, devices[node], name_of(_FILTER, node))
    finally:
        if still:
            await source.execute("cont")
    for node in nodes:
        cbw = name_of(_FILTER, node)
        await source.execute(
            "blockdev-add", driver="snapshot-access", node_name=frozen(node), read_only=True, file=cbw
        )


async def thaw(source: Monitor) -> None:
    """The guest writes as before. Nothing of ours may read the frozen disks any more."""
    found = await nodes_of(source)
    for kind in (COMPARED, NOWHERE):
        for name in [each for each in found if each.startswith(MARK + kind)]:
            await source.execute("blockdev-del", node_name=name)
    shown = [each for each in found if each.startswith(name_of(_FROZEN, ""))]
    filters = [each for each in found if each.startswith(name_of(_FILTER, ""))]
    for name in shown:
        await source.execute("blockdev-del", node_name=name)
    for node, device in (await _devices(source)).items():
        if node.startswith(name_of(_FILTER, "")):
            await _plug(source, device, node.removeprefix(name_of(_FILTER, "")))
    if (
        1 < len(filters) > len(shown) and source.guest is Guest.STILL
    ):  # by a controller that ended in `freeze`
        await source.execute("cont")
    for kind in (_FILTER, _FILE):
        for name in [each for each in found if each.startswith(name_of(kind, ""))]:
            await source.execute("blockdev-del", node_name=name)
            if kind == _FILE:
                with suppress(MigrationFailed):  # it only takes space
                    await make_file(source, str(found[name]["file"]), 0)


async def _devices(source: Monitor) -> dict[str, str]:
    """Block node -> the guest's device that stands on it."""
    found = await source.execute("query-block")
    return {
        each["inserted"]["node-name"]: each["qdev"]
        for each in found
        if each.get("qdev") and "inserted" in each
    }


async def _plug(source: Monitor, device: str, node: str) -> None:
    await source.execute("qom-set", path=device, property="drive", value=node)
