"""What kernel hosts boot: Debian's kernel with Open vSwitch's modules, and an initramfs with Open vSwitch in it."""

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from overlace.lab.kernel_hosts import userland
from overlace.lab.machines import archive, imaging, kernel
from overlace.lab.machines.imaging import Image, Kind
from overlace.terminal.output import Progress

INIT = files("overlace.lab.kernel_hosts") / "init.sh"
OURS = ("archive.py", "imaging.py", "kernel.py")


def make_image(progress: Progress) -> Image:
    """The image, made when there is none yet. Raises `LabError`."""
    return imaging.make(KERNEL_HOST, progress)


def _sources() -> list[Traversable]:
    here, shared = files("overlace.lab.kernel_hosts"), files("overlace.lab.machines")
    ours = [INIT, here / "image.py", here / "userland.py", imaging.COMMANDER]
    return [*ours, *(shared / name for name in OURS)]


def _make(work: Path, progress: Progress) -> str:
    version, unpacked = imaging.unpacked(work, progress)
    progress("gathering Open vSwitch and what it needs")
    entries = [archive.copy("bin/busybox", unpacked / "bin/busybox", program=True)]
    entries += [
        archive.file("init", INIT.read_bytes(), program=True),
        imaging.compiled(imaging.COMMANDER, work),
    ]
    entries += [*userland.entries(work), *imaging.modules(unpacked, kernel.HOST_MODULES)]
    (work / "image/initramfs").write_bytes(archive.pack(entries))
    return version


KERNEL_HOST = Kind("kernel hosts'", _sources, imaging.PROGRAMS, _make, userland.installed)
