"""A guest travels with memory and disk as its hypervisor alone would send it: nobody else is told.

The disk is copied first (a mirror over NBD, which then follows what the guest writes), memory next, round by round
while the guest works. When little is left QEMU stops the guest and waits: the mirror ends with the last block, and
only then does the guest go on at the destination.
"""

import contextlib
import socket
from collections.abc import Callable

import msgspec

from overlace.lab.errors import LabError
from overlace.lab.guest import Guest
from overlace.lab.guests import console
from overlace.lab.guests.monitor import Monitor, seconds
from overlace.lab.guests.place import BLOCK_NODE, Place
from overlace.lab.namespace import entered
from overlace.terminal.output import Progress

FIRST_PORT = 49152
DOWNTIME_MS = 100
DISK_SECONDS, MEMORY_SECONDS, LAST_SECONDS, ALIVE_SECONDS = 600.0, 300.0, 60.0, 15.0
CONNECT_SECONDS = 3
MIRROR, TARGET = "mirror0", "mirror-target0"


class Migration(msgspec.Struct, frozen=True):
    """What a migration was: bytes of memory sent, seconds in all, and how long the guest stood still."""

    guest: str
    source: str
    destination: str
    memory_bytes: int
    seconds: float
    stop_ms: float
    stopped_at: float
    resumed_at: float
    """By the machine's clock."""


def migrate(
    guest: Guest,
    source: Place,
    destination: Place,
    progress: Progress,
    stopped: Callable[[], None] = lambda: None,
) -> Migration:
    """Send the guest. `stopped` is called when it stands still and before it goes on at the destination: who moves a
    port by the API activates its binding there then. Raises `LabError`; the guest goes on at the source."""
    with Monitor(source.qmp) as here, Monitor(destination.qmp) as there:
        try:
            return _migrate(guest, here, there, source, destination, progress, stopped)
        except BaseException:
            _take_back(here)
            raise


def _migrate(
    guest: Guest,
    here: Monitor,
    there: Monitor,
    source: Place,
    destination: Place,
    progress: Progress,
    tell: Callable[[], None],
) -> Migration:
    port = FIRST_PORT + 2 * guest.index
    for monitor in (here, there):
        wanted = [{"capability": name, "state": True} for name in ("events", "pause-before-switchover")]
        monitor.execute("migrate-set-capabilities", {"capabilities": wanted})
    here.execute("migrate-set-parameters", {"downtime-limit": DOWNTIME_MS})
    if guest.disk is not None:
        progress(f"copying the disk of {guest.name} ({guest.disk.size >> 20} MiB)")
        _mirror(here, there, source.namespace, destination.address, port + 1)
    progress(f"copying the memory of {guest.name}")
    host = f"[{destination.address}]" if ":" in destination.address else destination.address
    uri = f"tcp:{host}:{port}"
    there.execute("migrate-incoming", {"uri": uri})
    here.execute("migrate", {"uri": uri})
    stopped = here.await_event({"STOP": None}, MEMORY_SECONDS)
    here.await_event({"MIGRATION": "pre-switchover"}, LAST_SECONDS)
    tell()
    if guest.disk is not None:
        _end_mirror(here)
    here.execute("migrate-continue", {"state": "pre-switchover"})
    here.await_event({"MIGRATION": "completed"}, LAST_SECONDS)
    resumed = there.await_event({"RESUME": None}, LAST_SECONDS)
    # QEMU's word that all has arrived is not the guest's: it must do something there before it is gone here.
    console.command(destination, ["true"], timeout=ALIVE_SECONDS)
    if guest.disk is not None:
        there.execute("nbd-server-stop")
    sent = here.execute("query-migrate")
    return Migration(
        guest.name,
        source.host,
        destination.host,
        memory_bytes=int(sent.get("ram", {}).get("transferred", 0)),
        seconds=int(sent.get("total-time", 0)) / 1000,
        stop_ms=round((seconds(resumed) - seconds(stopped)) * 1000, 1),
        stopped_at=seconds(stopped),
        resumed_at=seconds(resumed),
    )


def _mirror(here: Monitor, there: Monitor, namespace: str, address: str, port: int) -> None:
    server = {"type": "inet", "host": address, "port": str(port)}
    listen = {"addr": {"type": "inet", "data": {"host": address, "port": str(port)}}}
    there.execute("nbd-server-start", listen)
    export = {"type": "nbd", "id": "export0", "node-name": BLOCK_NODE, "name": BLOCK_NODE, "writable": True}
    there.execute("block-export-add", export)
    _require_path(namespace, address, port)
    remote = {"driver": "nbd", "server": server, "export": BLOCK_NODE, "open-timeout": CONNECT_SECONDS}
    node = {
        "driver": "raw",
        "node-name": TARGET,
        "file": remote,
        "discard": "unmap",
        "detect-zeroes": "unmap",
    }
    here.execute("blockdev-add", node)
    # The guest's writes wait for the far side: over a distance a mirror that only follows is never done.
    mirror = {"job-id": MIRROR, "device": BLOCK_NODE, "target": TARGET, "sync": "full"}
    here.execute("blockdev-mirror", mirror | {"copy-mode": "write-blocking"})
    event = here.await_event({"BLOCK_JOB_READY": None, "BLOCK_JOB_COMPLETED": None}, DISK_SECONDS)
    if event["event"] == "BLOCK_JOB_COMPLETED":
        raise LabError(f"the copy of the disk ended: {event['data'].get('error', 'QEMU does not say why')}")


def _require_path(namespace: str, address: str, port: int) -> None:
    """Raises `LabError` when the destination cannot be reached. QEMU itself would stand still, and the guest with it,
    for as long as it tries to connect."""
    try:
        with entered(namespace):
            socket.create_connection((address, port), CONNECT_SECONDS).close()
    except OSError as error:
        raise LabError(
            f"{address} does not answer at TCP port {port} ({error}): mend the link between the hosts, see "
            "`overlace lab status`"
        ) from error


def _end_mirror(here: Monitor) -> None:
    """What is written already goes over, and the mirror ends; the guest stands still."""
    here.execute("block-job-cancel", {"device": MIRROR})
    event = here.await_event({"BLOCK_JOB_COMPLETED": None, "BLOCK_JOB_CANCELLED": None}, LAST_SECONDS)
    if "error" in event["data"]:
        raise LabError(f"the copy of the disk failed at its end: {event['data']['error']}")


def _take_back(here: Monitor) -> None:
    """Let the guest go on at the source; each step only where there is something to undo."""
    for command, arguments in (
        ("migrate_cancel", None),
        ("block-job-cancel", {"device": MIRROR, "force": True}),
        ("cont", None),
    ):
        with contextlib.suppress(LabError):
            here.execute(command, arguments)
    with contextlib.suppress(LabError):
        here.await_event({"BLOCK_JOB_CANCELLED": None, "BLOCK_JOB_COMPLETED": None}, 2.0)
    with contextlib.suppress(LabError):
        here.execute("blockdev-del", {"node-name": TARGET})
