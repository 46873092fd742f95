"""A kernel host: started with its switch, and whether it works."""

import os

from overlace.lab.errors import CommandFailed, LabError
from overlace.lab.execution import run
from overlace.lab.kernel_hosts import agent
from overlace.lab.kernel_hosts.files import files_of
from overlace.lab.kernel_hosts.image import make_image
from overlace.lab.kernel_hosts.machine import command_line
from overlace.lab.machines import boot
from overlace.lab.plan import Node
from overlace.lab.process import ProcessId, read_pidfile
from overlace.terminal.output import silent


def start(node: Node, taps: tuple[int, int]) -> ProcessId:
    """Start the machine of a host; `taps` are descriptors for eth0 and mgmt0, which are closed. Raises `LabError`."""
    files = files_of(node)
    files.directory.mkdir(parents=True, exist_ok=True)
    try:
        line = command_line(node, files, make_image(silent), taps)
        run(line, netns=node.namespace, pass_fds=taps)
    except CommandFailed as error:
        raise LabError(f"QEMU does not start host '{node.name}': {error.output}") from error
    finally:
        for descriptor in taps:
            os.close(descriptor)
    process = read_pidfile(files.pidfile)
    if process is None:
        raise LabError(f"QEMU of host '{node.name}' ended at once; see {files.console_log}")
    return process


def await_boot(node: Node) -> None:
    """Wait until its switch runs. Raises `LabError` with the last words of its console."""
    files = files_of(node)
    boot.await_ready(node.name, "host", files.console_log, files.pidfile)


def works(node: Node) -> bool:
    """Whether the machine and both daemons of its Open vSwitch run."""
    files = files_of(node)
    if read_pidfile(files.pidfile) is None:
        return False
    try:
        return (
            agent.command(files, ["pidof", "ovsdb-server", "ovs-vswitchd"], check=False, timeout=10).status
            == 0
        )
    except LabError:
        return False
