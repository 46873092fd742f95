"""What guests boot: a kernel and an initramfs, made from Debian's packages in seconds and kept for the next time.

The directory's name tells what the image was made from by us (this package's sources); which kernel it holds is
written inside. `make_image(fresh=True)` fetches what Debian has today.
"""

import hashlib
import os
import shutil
import tempfile
from importlib.resources import files
from pathlib import Path

import msgspec

from overlace.lab.construction import Progress
from overlace.lab.errors import LabError
from overlace.lab.execution import environment, run
from overlace.lab.guests import archive, kernel, packages
from overlace.lab.guests.archive import Entry

DIRECTORY_VARIABLE = "OVERLACE_GUEST_DIR"
DEFAULT_DIRECTORY = "/var/cache/overlace/guest"
# Programs that making an image takes, with the Debian package of each.
PROGRAMS = {"apt-get": "apt", "dpkg-deb": "dpkg", "lz4": "lz4", "gcc": "gcc libc6-dev", "strip": "binutils"}
SERVICES = ("commander", "session", "datagram", "writer", "dirtier")
SCRIPTS = {"init": "init.sh", "lib/udhcpc6.sh": "udhcpc6.sh"}


class Image(msgspec.Struct, frozen=True):
    """An image that is there: its directory, and the kernel's version."""

    directory: Path
    version: str

    @property
    def kernel(self) -> Path:
        return self.directory / "vmlinux"

    @property
    def initramfs(self) -> Path:
        return self.directory / "initramfs"


def find_image() -> Image | None:
    """The image of this release, None when it has to be made."""
    directory = _base() / recipe()
    try:
        return Image(directory, (directory / "version").read_text())
    except FileNotFoundError:
        return None


def make_image(progress: Progress, *, fresh: bool = False) -> Image:
    """The image, made when there is none yet, or anew. Raises `LabError`."""
    if not fresh and (found := find_image()) is not None:
        return found
    _require()
    base = _base()
    base.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="making-", dir=base) as name:
        version = _make(Path(name), progress)
        target = base / recipe()
        shutil.rmtree(target, ignore_errors=True)
        try:
            (Path(name) / "image").rename(target)
        except OSError as error:
            if find_image() is None:  # else somebody else has made it meanwhile
                raise LabError(f"cannot keep the guests' image in {target}: {error.strerror}") from error
    return Image(base / recipe(), version)


def recipe() -> str:
    """A short name for what the sources of this package make of Debian's packages."""
    digest = hashlib.sha256()
    folder = files("overlace.lab.guests")
    for path in sorted(
        [*folder.joinpath("services").iterdir(), *folder.iterdir()], key=lambda each: each.name
    ):
        if path.name.endswith((".c", ".sh")) or path.name in ("archive.py", "image.py", "kernel.py"):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _base() -> Path:
    return Path(os.environ.get(DIRECTORY_VARIABLE) or DEFAULT_DIRECTORY)


def _require() -> None:
    path = environment()["PATH"]
    missing = sorted({PROGRAMS[program] for program in PROGRAMS if shutil.which(program, path=path) is None})
    if missing:
        raise LabError(f"making the guests' image needs more: run `apt install {' '.join(missing)}`")


def _make(work: Path, progress: Progress) -> str:
    image, unpacked = work / "image", work / "packages"
    image.mkdir()
    progress("fetching Debian's cloud kernel and busybox")
    version = packages.unpack(packages.kernel_package(), unpacked)
    packages.unpack(packages.BUSYBOX, unpacked)
    progress(f"unpacking kernel {version}")
    kernel.extract_elf(next(unpacked.glob("boot/vmlinuz-*")), image / "vmlinux")
    progress("compiling the guests' services")
    entries = [*_programs(work, unpacked), *_modules(unpacked, kernel.GUEST_MODULES)]
    (image / "initramfs").write_bytes(archive.pack(entries))
    (image / "version").write_text(version)
    return version


def _programs(work: Path, unpacked: Path) -> list[Entry]:
    folder = files("overlace.lab.guests") / "services"
    entries = [archive.copy("bin/busybox", unpacked / "bin/busybox", program=True)]
    for service in SERVICES:
        binary = work / service
        source = str(folder / f"{service}.c")
        run(["gcc", "-O2", "-Wall", "-static", "-s", "-o", str(binary), source])
        entries.append(archive.copy(f"bin/{service}", binary, program=True))
    for path, script in SCRIPTS.items():
        entries.append(archive.file(path, (folder / script).read_bytes(), program=True))
    lease = (files("overlace.lab") / "udhcpc.sh").read_bytes()
    return [*entries, archive.file("lib/udhcpc.sh", lease, program=True)]


def _modules(unpacked: Path, wanted: tuple[str, ...]) -> list[Entry]:
    ordered = kernel.load_order(unpacked / "lib/modules", wanted)
    for module in ordered:
        run(["strip", "--strip-debug", str(module)])
    entries = [archive.copy(f"lib/modules/{module.name}", module) for module in ordered]
    order = "".join(f"{module.name}\n" for module in ordered)
    return [*entries, archive.file("lib/modules/order", order.encode())]
