"""Network namespaces: making, removing, entering, and the processes inside.

`entered` moves only the calling thread, with setns(2), and is meant for short work that needs no process of
its own: writing a sysctl, an ethtool request, opening a socket (which stays in its namespace for life).
"""

import ctypes
import fcntl
import os
import socket
import struct
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from overlace.lab.errors import LabError
from overlace.lab.execution import ip_batch, run

RUN_NETNS = Path("/run/netns")
CLONE_NEWNET = 0x40000000
SIOCETHTOOL = 0x8946
# linux/ethtool.h: requests that set one feature to the word that follows.
ETHTOOL_STXCSUM = 0x17
ETHTOOL_SGRO = 0x2C

_libc = ctypes.CDLL(None, use_errno=True)


def existing(prefix: str) -> tuple[str, ...]:
    """Names of the namespaces that begin with `prefix`."""
    if not RUN_NETNS.is_dir():
        return ()
    return tuple(sorted(path.name for path in RUN_NETNS.iterdir() if path.name.startswith(prefix)))


def create(names: Iterable[str]) -> None:
    """Make the namespaces.  Raises `CommandFailed` when one exists already or without root's rights."""
    ip_batch([f"netns add {name}" for name in names])


def remove(names: Iterable[str]) -> None:
    """Remove those of the namespaces that exist."""
    present = [name for name in names if (RUN_NETNS / name).exists()]
    if present:
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda name: run(["ip", "netns", "del", name], check=False), present))


def _setns(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if _libc.setns(descriptor, CLONE_NEWNET) != 0:
            number = ctypes.get_errno()
            raise LabError(
                f"cannot enter the network namespace at {path}: {os.strerror(number)}; run as root"
            )
    finally:
        os.close(descriptor)


@contextmanager
def entered(name: str) -> Iterator[None]:
    """The calling thread is inside the namespace during the block.

    Raises `LabError` when it does not exist.
    """
    target = RUN_NETNS / name
    if not target.exists():
        raise LabError(f"network namespace '{name}' does not exist; is the laboratory up?")
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        _setns(target)
        try:
            yield
        finally:
            _libc.setns(home, CLONE_NEWNET)
    finally:
        os.close(home)


def write_sysctls(settings: Mapping[str, str]) -> None:
    """Write settings below /proc/sys/net of the namespace the calling thread is in.  Keys are paths there."""
    for key, value in settings.items():
        (Path("/proc/sys/net") / key).write_text(value)


def _ethtool(interface: str, request: int, value: int) -> None:
    data = bytearray(struct.pack("II", request, value))
    address = ctypes.addressof(ctypes.c_char.from_buffer(data))
    ifreq = struct.pack("16sP16x", interface.encode(), address)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, SIOCETHTOOL, ifreq)


def disable_offload(interface: str) -> None:
    """Switch transmit checksum offload, with it TSO, and receive aggregation off, in the entered namespace.

    Without it the frames of a veth carry checksums that nobody fills in once they leave the kernel for Open
    vSwitch's userspace datapath or the relay: ping works and TCP never connects.
    """
    _ethtool(interface, ETHTOOL_STXCSUM, 0)
    _ethtool(interface, ETHTOOL_SGRO, 0)


def processes_in(names: Iterable[str]) -> tuple[int, ...]:
    """Process ids whose network namespace is one of the named ones."""
    inodes = {(RUN_NETNS / name).stat().st_ino for name in names if (RUN_NETNS / name).exists()}
    found: list[int] = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if (entry / "ns/net").stat().st_ino in inodes:
                    found.append(int(entry.name))
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue  # it ended while we looked, or is a kernel thread
    return tuple(found)
