"""The files of a guest at a host: sockets, disk, console log. Known whether the guest is there or not."""

import shutil
from pathlib import Path

import msgspec

from overlace.lab.errors import LabError
from overlace.lab.guest import LIBVIRT, Guest
from overlace.lab.plan import Node

LONGEST_SOCKET = 107
"""unix(7)"""
BLOCK_NODE = "disk0"
"""QEMU's name for the guest's disk."""


class Place(msgspec.Struct, frozen=True):
    """A guest at a host.

    `qmp` is for whoever moves the guest (QMP serves one client at a time); `lab` is the laboratory's own.
    """

    host: str
    namespace: str
    directory: Path
    disk: Path
    address: str
    """The host's first underlay address: where a migration comes in."""
    pidfile: Path
    prefix: str = ""
    """What the names of its files begin with in a directory that it shares."""

    @property
    def keeper(self) -> "Place":
        """Who holds the guest's disk here while it is elsewhere."""
        return msgspec.structs.replace(self, pidfile=self._file("keeper.pid"), prefix=f"{self.prefix}keeper-")

    def clear(self) -> None:
        """Remove all of it."""
        if not self.prefix:
            shutil.rmtree(self.directory, ignore_errors=True)
            return
        for path in (*self.directory.glob(f"{self.prefix}*"), self.disk):
            path.unlink(missing_ok=True)

    @property
    def qmp(self) -> Path:
        return self._file("qmp.sock")

    @property
    def lab(self) -> Path:
        return self._file("lab.sock")

    @property
    def console(self) -> Path:
        return self._file("console.sock")

    @property
    def commands(self) -> Path:
        return self._file("command.sock")

    @property
    def console_log(self) -> Path:
        return self._file("console.log")

    def _file(self, name: str) -> Path:
        return self.directory / f"{self.prefix}{name}"


def place_at(guest: Guest, node: Node) -> Place:
    """Where a guest's files are at a host. Raises `LabError` when sockets could not have so long a name."""
    place = _libvirt_place(guest, node) if guest.hypervisor == LIBVIRT else _own_place(guest, node)
    directory = place.directory
    if len(str(place.console)) > LONGEST_SOCKET:
        raise LabError(
            f"{directory} is too long for Unix sockets: give the guest a shorter name, or set OVERLACE_LAB_DIR "
            "to a shorter directory"
        )
    return place


def libvirt_directory(node: Node) -> Path:
    """Where a host's libvirtd keeps its files; in its `lib` is what it sees in /var/lib/libvirt."""
    return node.directory / "libvirt"


def _own_place(guest: Guest, node: Node) -> Place:
    directory = node.directory / "vm" / guest.name
    disk, pidfile = directory / f"disk.{_suffix(guest)}", directory / "qemu.pid"
    return Place(node.name, node.namespace, directory, disk, node.endpoints[0], pidfile)


def _libvirt_place(guest: Guest, node: Node) -> Place:
    home = libvirt_directory(node)
    disk = home / "lib/images" / f"{guest.name}.{_suffix(guest)}"
    pidfile = home / "run/qemu" / f"{guest.name}.pid"
    return Place(
        node.name, node.namespace, home / "lib/guests", disk, node.endpoints[0], pidfile, f"{guest.name}-"
    )


def _suffix(guest: Guest) -> str:
    return "img" if guest.disk is None else guest.disk.format
