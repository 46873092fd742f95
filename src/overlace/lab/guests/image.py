"""What guests boot: a kernel, and an initramfs of busybox and a few services."""

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from overlace.lab.machines import archive, imaging, kernel
from overlace.lab.machines.archive import Entry
from overlace.lab.machines.imaging import Image, Kind
from overlace.terminal.output import Progress

OWN_SERVICES = files("overlace.lab.guests") / "services"
SERVICES = ("session", "datagram", "writer", "dirtier", "dhcp6")
SCRIPTS = {"init": "init.sh"}
LEASE_SCRIPT = files("overlace.lab") / "udhcpc.sh"
OURS = ("archive.py", "imaging.py", "kernel.py")


def make_image(progress: Progress, *, fresh: bool = False) -> Image:
    """The image, made when there is none yet, or anew. Raises `LabError`."""
    return imaging.make(GUEST, progress, fresh=fresh)


def _sources() -> list[Traversable]:
    here, shared = files("overlace.lab.guests"), files("overlace.lab.machines")
    services = [*OWN_SERVICES.iterdir(), imaging.COMMANDER]
    return [*services, LEASE_SCRIPT, here / "image.py", *(shared / name for name in OURS)]


def _make(work: Path, progress: Progress) -> str:
    version, unpacked = imaging.unpacked(work, progress)
    progress("compiling the guests' services")
    entries = [*_programs(work, unpacked), *imaging.modules(unpacked, kernel.GUEST_MODULES)]
    (work / "image/initramfs").write_bytes(archive.pack(entries))
    return version


def _programs(work: Path, unpacked: Path) -> list[Entry]:
    entries = [archive.copy("bin/busybox", unpacked / "bin/busybox", program=True)]
    services = [imaging.COMMANDER, *(OWN_SERVICES / f"{service}.c" for service in SERVICES)]
    entries += [imaging.compiled(service, work) for service in services]
    for path, script in SCRIPTS.items():
        entries.append(archive.file(path, (OWN_SERVICES / script).read_bytes(), program=True))
    return [*entries, archive.file("lib/udhcpc.sh", LEASE_SCRIPT.read_bytes(), program=True)]


GUEST = Kind("guests'", _sources, imaging.PROGRAMS, _make)
