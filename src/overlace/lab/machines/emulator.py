"""QEMU as all machines of the laboratory have it."""

import shutil

from overlace.lab.errors import LabError
from overlace.lab.execution import environment

PROGRAM = "qemu-system-x86_64"
# A versioned machine: an unversioned one would change under a guest that moves to another QEMU.
MACHINE = "pc-i440fx-7.2"
# The userspace datapath sees frames as they are: checksums and segmentation must be the machine's own work.
HOST_OFFLOADS = ("csum", "gso", "host_tso4", "host_tso6", "host_ufo", "mrg_rxbuf")
GUEST_OFFLOADS = ("guest_csum", "guest_tso4", "guest_tso6", "guest_ufo")
KERNEL_WORDS = (
    *("console=ttyS0", "panic=-1", "quiet", "loglevel=1"),
    *("nokaslr", "mitigations=off", "tsc=nowatchdog"),
)
"""What every kernel is told."""


def require() -> None:
    """Raises `LabError` when this machine has no QEMU."""
    path = environment()["PATH"]
    for program, package in ((PROGRAM, "qemu-system-x86"), ("qemu-img", "qemu-utils")):
        if shutil.which(program, path=path) is None:
            raise LabError(f"the program '{program}' was not found: install the package {package}")
