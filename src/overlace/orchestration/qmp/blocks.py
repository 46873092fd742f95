"""The block nodes and jobs that Overlace makes in a QEMU: known by the beginning of their names, so that another
controller finds them."""

import asyncio
from contextlib import suppress
from typing import Any

from overlace.orchestration.migrator import MigrationFailed
from overlace.orchestration.qmp.monitor import Monitor

MARK = "ol-"
JOB_TIMEOUT = 30.0
"""Seconds in which jobs end that were told to, or have nothing to wait for."""
_PAUSE = 0.02


def name_of(kind: str, node: str) -> str:
    return f"{MARK}{kind}-{node}"


async def nodes_of(source: Monitor, flat: bool = True) -> dict[str, dict[str, Any]]:
    """By name; `flat` ones do not say what they stand on."""
    found = await source.execute("query-named-block-nodes", flat=flat)
    return {each["node-name"]: each for each in found}


async def disk_of(source: Monitor, node: str) -> dict[str, Any]:
    """One node, asked of what the guest sees where it sees that: `query-named-block-nodes` looks at the filter of a
    job that is just over, and QEMU 7.2 falls over it when it has no file any more."""
    seen = [each.get("inserted", {}) for each in await source.execute("query-block")]
    found = next((each for each in seen if each.get("node-name") == node), None)
    return (await nodes_of(source)).get(node, {}) if found is None else found


async def jobs_of(source: Monitor) -> list[dict[str, Any]]:
    return [each for each in await source.execute("query-jobs") if each["id"].startswith(MARK)]


async def urge(source: Monitor) -> bool:
    """Jobs that wait since their connection was cut go on where they were. Returns whether there were any."""
    waiting = [
        each["device"]
        for each in await source.execute("query-block-jobs")
        if each["device"].startswith(MARK) and each.get("io-status", "ok") != "ok"
    ]
    for job in waiting:
        with suppress(MigrationFailed):
            await source.execute("block-job-resume", device=job)
    return bool(waiting)


async def remove_nodes(source: Monitor, kinds: tuple[str, ...], node: str) -> None:
    """Those that jobs have left behind.

    A job that was told as over takes its filter apart a moment later, and QEMU 7.2 falls over the question for all
    nodes when the filter has no file any more: so it is asked after that moment.
    """
    await asyncio.sleep(_PAUSE)
    found = await nodes_of(source)
    for kind in kinds:
        for name in [each for each in found if each.startswith(MARK + kind) and each.endswith(f"-{node}")]:
            await source.execute("blockdev-del", node_name=name)


async def end_jobs(monitor: Monitor, prefix: str = MARK) -> None:
    """No job of ours is left, be it under way or kept."""

    async def left() -> list[dict[str, Any]]:
        return [each for each in await jobs_of(monitor) if each["id"].startswith(prefix)]

    for each in await left():
        with suppress(MigrationFailed):
            if each["status"] != "concluded":
                await monitor.execute("job-cancel", id=each["id"])
    async with asyncio.timeout(JOB_TIMEOUT):
        while jobs := await left():
            for each in jobs:
                if each["status"] == "concluded":
                    await monitor.execute("job-dismiss", id=each["id"])
            await asyncio.sleep(_PAUSE)


async def finish(monitor: Monitor, job: str, seconds: float = JOB_TIMEOUT) -> None:
    """Wait for a job's end, and take it away. Raises MigrationFailed with what it failed of."""
    try:
        async with asyncio.timeout(seconds):
            while (found := await _job(monitor, job))["status"] != "concluded":
                if found["status"] == "ready":
                    await monitor.execute("job-complete", id=job)
                await asyncio.sleep(_PAUSE)
    except TimeoutError:
        raise MigrationFailed(f"QEMU has not ended {job} within {seconds:.0f} s") from None
    await monitor.execute("job-dismiss", id=job)
    if found.get("error"):
        raise MigrationFailed(f"QEMU fails: {found['error']}")


async def _job(monitor: Monitor, job: str) -> dict[str, Any]:
    for each in await jobs_of(monitor):
        if each["id"] == job:
            return each
    raise MigrationFailed(f"QEMU knows nothing of {job} any more")


async def make_file(monitor: Monitor, path: str, size: int) -> None:
    """An empty file on QEMU's host; what was in it is gone."""
    job = f"{MARK}file"
    options = {"driver": "file", "filename": path, "size": size}
    await monitor.execute("blockdev-create", job_id=job, options=options)
    await finish(monitor, job)


def bitmap_of(node: dict[str, Any], name: str) -> dict[str, Any] | None:
    """A bitmap of a block node."""
    return next((each for each in node.get("dirty-bitmaps", ()) if each.get("name") == name), None)


def file_of(nodes: dict[str, dict[str, Any]], node: str) -> str:
    """The file of a disk, beside which others can be made. Raises MigrationFailed."""
    path = str(nodes.get(node, {}).get("file", ""))
    if not path.startswith("/") or path.startswith("/dev/"):
        raise MigrationFailed(
            f"disk {node} is {path or 'not there'}: replicas are kept of disks that are files in a directory"
        )
    return path
