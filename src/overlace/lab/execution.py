"""Runs programs and turns their failures into errors that name the command and its output."""

import os
import subprocess
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from overlace.lab.errors import CommandFailed, LabError

# Programs the laboratory calls, with the Debian package of each.
PROGRAMS = {
    "ip": "iproute2",
    "tc": "iproute2",
    "ovs-vsctl": "openvswitch-switch",
    "ovs-vswitchd": "openvswitch-switch",
    "ovsdb-server": "openvswitch-switch",
    "ovsdb-tool": "openvswitch-common",
}
# What the laboratory needs beyond Python; busybox brings the DHCP client of workloads.
DEBIAN_PACKAGES = ("iproute2", "openvswitch-switch", "openvswitch-common", "busybox")
# Daemons live outside a plain user's PATH on Debian.
SEARCH_PATH = "/usr/sbin:/sbin:/usr/local/sbin"


class Completed(NamedTuple):
    """How a program ended, and what it wrote."""

    status: int
    stdout: str
    stderr: str


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment with the system directories in PATH, plus `extra`."""
    base = dict(os.environ)
    base["PATH"] = f"{base.get('PATH', '/usr/bin:/bin')}:{SEARCH_PATH}"
    return base | dict(extra or {})


def in_namespace(netns: str | None, argv: Sequence[str]) -> list[str]:
    """The command line that runs `argv` in a network namespace (None: in ours)."""
    return list(argv) if netns is None else ["ip", "netns", "exec", netns, *argv]


def run(
    argv: Sequence[str],
    *,
    netns: str | None = None,
    env: Mapping[str, str] | None = None,
    stdin: str = "",
    check: bool = True,
    timeout: float = 60.0,
    pass_fds: Collection[int] = (),
) -> Completed:
    """Run a program to its end.

    `timeout` is in seconds; the descriptors `pass_fds` stay open in the program. Raises `CommandFailed` when it does
    not end in time or, with `check`, when its status is not 0; `LabError` when it is not installed.
    """
    command = in_namespace(netns, argv)
    try:
        done = subprocess.run(
            command,
            input=stdin,
            capture_output=True,
            text=True,
            env=environment(env),
            timeout=timeout,
            pass_fds=pass_fds,
        )
    except FileNotFoundError as error:
        raise missing(command[0]) from error
    except subprocess.TimeoutExpired as error:
        raise CommandFailed(command, None, f"waited {timeout:g} s") from error
    if check and done.returncode != 0:
        raise CommandFailed(command, done.returncode, done.stderr or done.stdout)
    return Completed(done.returncode, done.stdout, done.stderr)


def missing(program: str) -> LabError:
    """The error for a program that is not installed, with the package that brings it."""
    package = PROGRAMS.get(program)
    cure = f"install the package {package}" if package else "install it"
    return LabError(f"the program '{program}' was not found: {cure}")


def ip_batch(lines: Sequence[str], netns: str | None = None) -> None:
    """Carry out many `ip` commands in one process (ip(8), -batch).

    Raises `CommandFailed` at the first fault.
    """
    if lines:
        where = [] if netns is None else ["-n", netns]
        run(["ip", *where, "-batch", "-"], stdin="\n".join(lines) + "\n")
