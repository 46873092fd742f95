"""The DHCP client of workloads: busybox udhcpc, a real client that renews its lease.

Its script sets addresses, MTU and routes (classless static routes of RFC 3442 before the router option) and
leaves the lease as KEY=VALUE lines where tests and people can read it.
"""

import time
from importlib.resources import files
from pathlib import Path

from overlace.lab.errors import CommandFailed, LabError
from overlace.lab.execution import run
from overlace.lab.process import ProcessId, read_pidfile

LEASE_WAIT = 10.0
_PIDFILE_TRIES, _PIDFILE_PAUSE = 100, 0.05


def start_client(netns: str, directory: Path, name: str) -> ProcessId:
    """Ask for a lease on eth0 and keep it renewed.  Raises `LabError` when none is offered within 10 s."""
    script = files("overlace.lab") / "udhcpc.sh"
    pidfile = directory / f"dhcp-{name}.pid"
    command = ["busybox", "udhcpc", "-i", "eth0", "-p", str(pidfile), "-s", str(script)]
    # -n: leave when no lease comes, after 5 times 2 s; -S: log to syslog, not to a terminal.
    command += [
        *["-n", "-t", "5", "-T", "2", "-A", "1", "-O", "mtu", "-O", "staticroutes"],
        "-x",
        f"hostname:{name}",
    ]
    try:
        run(
            command,
            netns=netns,
            env={"OVERLACE_LEASE": str(lease_path(directory, name))},
            timeout=LEASE_WAIT + 5,
        )
    except CommandFailed as error:
        raise LabError(
            f"workload '{name}' got no DHCP lease "
            f"({error.output.splitlines()[-1]}): check that its network has DHCP enabled "
            "and that its port is bound to this host (install the package busybox if the client is missing)"
        ) from error
    return _in_background(pidfile, name)


def _in_background(pidfile: Path, name: str) -> ProcessId:
    """With its lease the client goes on as a child, which writes its own number only after the parent has left."""
    for _ in range(_PIDFILE_TRIES):
        if (process := read_pidfile(pidfile)) is not None:
            return process
        time.sleep(_PIDFILE_PAUSE)
    raise LabError(f"the DHCP client of workload '{name}' ended after its lease; see the system log")


def lease_path(directory: Path, name: str) -> Path:
    """Where the client's script writes the lease."""
    return directory / f"dhcp-{name}.lease"


def read_lease(directory: Path, name: str) -> dict[str, str]:
    """The last lease of a workload, by udhcpc's names (ip, mask, router, mtu, dns, lease, serverid ...)."""
    path = lease_path(directory, name)
    if not path.exists():
        return {}
    pairs = (line.partition("=") for line in path.read_text().splitlines())
    return {key: value for key, equals, value in pairs if equals}
