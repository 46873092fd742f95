"""Debian packages unpacked, not installed: a guest's kernel is none of the machine's business."""

import re
from pathlib import Path

from overlace.lab.errors import CommandFailed, LabError
from overlace.lab.execution import run

KERNEL = "linux-image-cloud-amd64"
BUSYBOX = "busybox-static"


def unpack(package: str, into: Path) -> str:
    """Download a package with apt and unpack it; returns its version. Raises `LabError`."""
    into.mkdir(parents=True, exist_ok=True)
    # apt-get download writes into the directory where it runs.
    script = 'cd "$1" && apt-get download -q -o APT::Sandbox::User=root "$2"'
    try:
        run(["sh", "-c", script, "sh", str(into), package], timeout=300)
    except CommandFailed as error:
        raise LabError(
            f"cannot download the Debian package {package} ({error.output.splitlines()[-1]}): run `apt-get update` "
            "on a Debian 12 machine that reaches its mirror"
        ) from error
    archive = next(into.glob(f"{package}_*.deb"))
    run(["dpkg-deb", "-x", str(archive), str(into)], timeout=120)
    version = run(["dpkg-deb", "-f", str(archive), "Version"]).stdout.strip()
    archive.unlink()
    return version


def kernel_package() -> str:
    """The package that Debian's cloud kernel is at present. Raises `LabError`."""
    shown = run(["apt-cache", "depends", KERNEL], check=False).stdout
    found = re.search(r"Depends: (linux-image-\S+)", shown)
    if found is None:
        raise LabError(f"apt does not know the package {KERNEL}: run `apt-get update` on a Debian 12 machine")
    return found[1]
