"""Debian's kernel as QEMU starts it fastest: the ELF image, and its modules in the order in which they load."""

import re
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path

from overlace.lab.errors import LabError
from overlace.lab.execution import run

# Linux, Documentation/x86/boot.rst: fields of the setup header by their offset in the file.
SETUP_SECTORS, PAYLOAD_OFFSET, PAYLOAD_LENGTH = 0x1F1, 0x248, 0x24C
SECTOR, DEFAULT_SECTORS = 512, 4
# The kernel's build appends the size of what is compressed.
SIZE_TRAILER = 4
LZ4_LEGACY = b"\x02\x21\x4c\x18"

HOST_MODULES = (
    *("virtio_pci", "virtio_console", "virtio_net", "virtio_rng"),
    *("openvswitch", "vport_vxlan", "vport_geneve", "nf_conntrack_netlink", "sch_ingress"),
)
GUEST_MODULES = ("virtio_pci", "virtio_console", "virtio_blk", "virtio_net")


def extract_elf(bzimage: Path, elf: Path) -> None:
    """Write the ELF image (which has a PVH entry) that a compressed kernel carries. Raises `LabError`."""
    data = bzimage.read_bytes()
    start = ((data[SETUP_SECTORS] or DEFAULT_SECTORS) + 1) * SECTOR
    offset, length = struct.unpack_from("<II", data, PAYLOAD_OFFSET)
    payload = data[start + offset : start + offset + length]
    if not payload.startswith(LZ4_LEGACY):
        raise LabError(
            f"the kernel {bzimage.name} is not compressed by LZ4, as Debian 12's is: report this with its version"
        )
    packed = elf.with_suffix(".lz4")
    packed.write_bytes(payload[:-SIZE_TRAILER])
    run(["lz4", "-d", "-q", "-f", str(packed), str(elf)])
    packed.unlink()


def load_order(directory: Path, wanted: Iterable[str]) -> list[Path]:
    """The modules and all that they need, each after what it needs. Raises `LabError` for one that is missing."""
    files = {path.stem.replace("-", "_"): path for path in directory.rglob("*.ko")}
    ordered: dict[str, Path] = {}

    def add(name: str) -> None:
        if name in ordered:
            return
        if name not in files:
            raise LabError(f"the kernel package has no module {name}: report this with the package's version")
        for needed in _dependencies(files[name]):
            add(needed)
        ordered[name] = files[name]

    for name in wanted:
        add(name)
    return list(ordered.values())


def _dependencies(module: Path) -> Iterator[str]:
    """What a module says about itself in its section .modinfo."""
    found = re.search(rb"(?:^|\0)depends=([^\0]*)\0", module.read_bytes())
    if found and found[1]:
        yield from (name.replace("-", "_") for name in found[1].decode().split(","))
