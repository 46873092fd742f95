"""What is remembered of a guest."""

import re

import msgspec

from overlace.lab.errors import LabError

DISK_SIZE = re.compile(r"(\d+)([KMG]?)")
UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
SECTOR = 4096
SMALLEST_MEMORY = 80
"""In MiB; with 64 the kernel has no memory left for its first process."""


QEMU, LIBVIRT = "qemu", "libvirt"


class Disk(msgspec.Struct, frozen=True):
    """A guest's disk: bytes, and `raw` or `qcow2`."""

    size: int
    format: str = "raw"


class Guest(msgspec.Struct, frozen=True):
    """A guest and where it is.

    `host` runs it. `receiving` is the destination of a move: a QEMU waits there for memory and disk. `writer` is how
    many ms the disk's writer waits between two blocks (0: it writes only when asked), `dirtier` how many MiB of memory
    change at how many MiB a second. `hypervisor` is `qemu` where the laboratory runs QEMU itself, or `libvirt`.
    """

    name: str
    index: int
    mac: str
    iface_id: str
    mtu: int
    memory: int
    host: str
    bridge: str
    addresses: tuple[str, ...] = ()
    gateways: tuple[str, ...] = ()
    dhcp: bool = False
    disk: Disk | None = None
    writer: int = 0
    dirtier: tuple[int, int] | None = None
    receiving: str | None = None
    hypervisor: str = QEMU

    @property
    def host_interface(self) -> str:
        """The name of the guest's TAP at every host."""
        return f"vt{self.index}"

    @property
    def hosts(self) -> tuple[str, ...]:
        """Where there is something of the guest."""
        return (self.host,) if self.receiving is None else (self.host, self.receiving)


def parse_size(text: str) -> int:
    """Bytes of a size like 128M. Raises `LabError`."""
    found = DISK_SIZE.fullmatch(text.strip().upper())
    size = 0 if found is None else int(found[1]) * UNITS[found[2]]
    if not size or size % SECTOR:
        raise LabError(f"disk size '{text}' is not usable: write a multiple of 4 KiB, like 128M or 1G")
    return size
