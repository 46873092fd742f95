"""The files of a guest at a host: sockets, disk, console log. Known whether the guest is there or not."""

from pathlib import Path

import msgspec

from overlace.lab.errors import LabError
from overlace.lab.guest import Guest
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

    @property
    def qmp(self) -> Path:
        return self.directory / "qmp.sock"

    @property
    def lab(self) -> Path:
        return self.directory / "lab.sock"

    @property
    def console(self) -> Path:
        return self.directory / "console.sock"

    @property
    def commands(self) -> Path:
        return self.directory / "command.sock"

    @property
    def console_log(self) -> Path:
        return self.directory / "console.log"

    @property
    def pidfile(self) -> Path:
        return self.directory / "qemu.pid"


def place_at(guest: Guest, node: Node) -> Place:
    """Where a guest's files are at a host. Raises `LabError` when sockets could not have so long a name."""
    directory = node.directory / "vm" / guest.name
    if len(str(directory / "console.sock")) > LONGEST_SOCKET:
        raise LabError(
            f"{directory} is too long for Unix sockets: give the guest a shorter name, or set OVERLACE_LAB_DIR "
            "to a shorter directory"
        )
    suffix = "img" if guest.disk is None else guest.disk.format
    return Place(node.name, node.namespace, directory, directory / f"disk.{suffix}", node.endpoints[0])
