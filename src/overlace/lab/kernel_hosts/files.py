"""The files of a kernel host: sockets and console log."""

from pathlib import Path

import msgspec

from overlace.lab.plan import Node

COMMAND_PORTS = 4
"""So many programs can run at a kernel host at a time."""


class HostFiles(msgspec.Struct, frozen=True):
    """Where they are; the directory is the node's own."""

    directory: Path

    @property
    def monitor(self) -> Path:
        return self.directory / "qmp.sock"

    @property
    def pidfile(self) -> Path:
        return self.directory / "qemu.pid"

    @property
    def console(self) -> Path:
        return self.directory / "console.sock"

    @property
    def console_log(self) -> Path:
        return self.directory / "console.log"

    def commands(self, number: int) -> Path:
        """The socket of a virtio port that takes commands."""
        return self.directory / f"command{number}.sock"


def files_of(node: Node) -> HostFiles:
    """Those of a host."""
    return HostFiles(node.directory)
