"""Images that machines boot, made once from Debian's packages and kept for the next time.

The directory's name tells what the image was made from by us; which kernel it holds is written inside.
`make(..., fresh=True)` fetches what Debian has today.
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import msgspec

from overlace.lab.errors import LabError
from overlace.lab.execution import environment, run
from overlace.lab.machines import archive, kernel, packages
from overlace.lab.machines.archive import Entry
from overlace.terminal.output import Progress

DIRECTORY_VARIABLE = "OVERLACE_GUEST_DIR"
DEFAULT_DIRECTORY = "/var/cache/overlace/guest"
# Programs that making an image takes, with the Debian package of each.
PROGRAMS = {"apt-get": "apt", "dpkg-deb": "dpkg", "lz4": "lz4", "gcc": "gcc libc6-dev", "strip": "binutils"}
COMMANDER = files("overlace.lab.machines") / "services/commander.c"
"""What carries out commands that come by a virtio port."""


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


class Kind(msgspec.Struct, frozen=True):
    """A kind of image: what it is made from, and by which programs (with the Debian package of each).

    `make` writes `vmlinux`, `initramfs` and `version` into the directory `image` of a work directory.
    """

    name: str
    sources: Callable[[], list[Traversable]]
    programs: Mapping[str, str]
    make: Callable[[Path, Progress], str]
    seal: Callable[[], str] = str
    """What else the image depends on, besides our sources."""

    def recipe(self) -> str:
        """A short name for what our sources make of Debian's packages."""
        digest = hashlib.sha256(self.seal().encode())
        for path in sorted(self.sources(), key=lambda each: each.name):
            digest.update(path.read_bytes())
        return digest.hexdigest()[:12]


def find(kind: Kind) -> Image | None:
    """The image of this release, None when it has to be made."""
    directory = _base() / kind.recipe()
    try:
        return Image(directory, (directory / "version").read_text())
    except FileNotFoundError:
        return None


def make(kind: Kind, progress: Progress, *, fresh: bool = False) -> Image:
    """The image, made when there is none yet, or anew. Raises `LabError`."""
    if not fresh and (found := find(kind)) is not None:
        return found
    _require(kind)
    base = _base()
    base.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="making-", dir=base) as name:
        (Path(name) / "image").mkdir()
        version = kind.make(Path(name), progress)
        (Path(name) / "image/version").write_text(version)
        target = base / kind.recipe()
        shutil.rmtree(target, ignore_errors=True)
        try:
            (Path(name) / "image").rename(target)
        except OSError as error:
            if find(kind) is None:  # else somebody else has made it meanwhile
                raise LabError(f"cannot keep the {kind.name} image in {target}: {error.strerror}") from error
    return Image(base / kind.recipe(), version)


def _base() -> Path:
    return Path(os.environ.get(DIRECTORY_VARIABLE) or DEFAULT_DIRECTORY)


def _require(kind: Kind) -> None:
    path = environment()["PATH"]
    missing = sorted({kind.programs[each] for each in kind.programs if shutil.which(each, path=path) is None})
    if missing:
        raise LabError(f"making the {kind.name} image needs more: run `apt install {' '.join(missing)}`")


def unpacked(work: Path, progress: Progress) -> tuple[str, Path]:
    """The kernel's version, and where its package and busybox are unpacked; `vmlinux` is in the image. Raises
    `LabError`."""
    where = work / "packages"
    progress("fetching Debian's cloud kernel and busybox")
    version = packages.unpack(packages.kernel_package(), where)
    packages.unpack(packages.BUSYBOX, where)
    progress(f"unpacking kernel {version}")
    kernel.extract_elf(next(where.glob("boot/vmlinuz-*")), work / "image/vmlinux")
    return version, where


def compiled(source: Traversable, work: Path) -> Entry:
    """A service of ours, compiled without need of any library."""
    name = source.name.removesuffix(".c")
    binary = work / name
    run(["gcc", "-O2", "-Wall", "-static", "-s", "-o", str(binary), str(source)])
    return archive.copy(f"bin/{name}", binary, program=True)


def modules(unpacked: Path, wanted: tuple[str, ...]) -> list[Entry]:
    """Modules of an unpacked kernel package with all that they need, and the order in which they load."""
    ordered = kernel.load_order(unpacked / "lib/modules", wanted)
    for module in ordered:
        run(["strip", "--strip-debug", str(module)])
    entries = [archive.copy(f"lib/modules/{module.name}", module) for module in ordered]
    order = "".join(f"{module.name}\n" for module in ordered)
    return [*entries, archive.file("lib/modules/order", order.encode())]
