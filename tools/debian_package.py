"""`make deb`: a Debian package with the controller, its Python packages, a systemd unit and a sample configuration.

The Python packages stand in a virtual environment of the package's own, /usr/lib/overlace, on Debian's Python: so
neither Debian's Python packages nor those of an operator matter, and the archive lacks none. Nothing is compiled
here: wheels are taken as they are published.

Usage: python -m tools.debian_package [DIRECTORY]; the package is written there (build).
"""

import gzip
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGING = ROOT / "packaging"
HOME = "usr/lib/overlace"
SITE = f"{HOME}/lib/python3.11/site-packages"
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
LAUNCHER = """#!/usr/lib/overlace/bin/python3 -I
import sys

from overlace.cli.main import main

sys.exit(main(prog_name="overlace"))
"""
ENVIRONMENT = "home = /usr/bin\ninclude-system-site-packages = false\n"


def build(directory: Path) -> Path:
    """Write the package into the directory. Raises subprocess.CalledProcessError."""
    if PYTHON != "3.11":
        raise SystemExit(f"Debian 12 has Python 3.11, and this is {PYTHON}: build with Debian's")
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        stage = Path(name) / "overlace"
        wheels = Path(name) / "wheels"
        _python(stage, wheels)
        _files(stage)
        _control(stage, wheels)
        package = directory / f"overlace_{_version()}_{_architecture()}.deb"
        _run("dpkg-deb", "--root-owner-group", "-Zzstd", "-z9", "--build", str(stage), str(package))
    return package


def _python(stage: Path, wheels: Path) -> None:
    """The environment; installed from wheels by name, so that nothing in it says where they were."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]
    _run(*pip, "wheel", "--wheel-dir", str(wheels), str(ROOT))
    site = stage / SITE
    from_wheels = ["--no-index", "--no-compile", "--no-warn-script-location", "--target", str(site)]
    _run(*pip, "install", *from_wheels, *map(str, sorted(wheels.iterdir())))
    for needless in [*site.glob("bin"), *site.glob("*.dist-info/direct_url.json")]:
        shutil.rmtree(needless) if needless.is_dir() else needless.unlink()
    # The service may not write here, and must not have to compile at each start.
    compiled = ["-q", "-j", "0", "--invalidation-mode", "unchecked-hash", "-s", str(stage), "-p", "/"]
    _run(sys.executable, "-m", "compileall", *compiled, str(site))
    (stage / HOME / "pyvenv.cfg").write_text(ENVIRONMENT)
    programs = stage / HOME / "bin"
    programs.mkdir()
    (programs / "python3").symlink_to("/usr/bin/python3")
    _write(programs / "overlace", LAUNCHER, 0o755)
    (stage / "usr/bin").mkdir()
    (stage / "usr/bin/overlace").symlink_to("../lib/overlace/bin/overlace")


def _files(stage: Path) -> None:
    documents = stage / "usr/share/doc/overlace"
    _write(stage / "lib/systemd/system/overlace.service", _source("overlace.service"))
    _write(stage / "etc/overlace/overlace.yaml", _source("overlace.yaml"))
    _write(documents / "copyright", _source("copyright"))
    for page in sorted((ROOT / "docs").rglob("*.md")):
        _write(documents / page.relative_to(ROOT / "docs"), page.read_text())
    changes = (ROOT / "CHANGELOG.md").read_bytes()
    (documents / "changelog.gz").write_bytes(gzip.compress(changes, mtime=0))
    for example in (PACKAGING / "prometheus/overlace.rules.yaml", PACKAGING / "grafana/overlace.json"):
        _write(documents / "examples" / example.name, example.read_text())


def _control(stage: Path, wheels: Path) -> None:
    size = sum(each.lstat().st_size for each in stage.rglob("*")) // 1024
    libc = max((_libc(wheel.name) for wheel in wheels.iterdir()), key=lambda pair: pair)
    words = {
        "VERSION": _version(),
        "ARCHITECTURE": _architecture(),
        "SIZE": str(size),
        "LIBC": f"{libc[0]}.{libc[1]}",
    }
    control = re.sub("@([A-Z]+)@", lambda found: words[found[1]], _source("control"))
    _write(stage / "DEBIAN/control", control)
    _write(stage / "DEBIAN/conffiles", _source("conffiles"))
    for script in ("postinst", "prerm", "postrm"):
        _write(stage / "DEBIAN" / script, _source(script), 0o755)


def _libc(wheel: str) -> tuple[int, int]:
    """The C library that a wheel's name asks for: of several tags the most lenient holds."""
    tags = [(int(major), int(minor)) for major, minor in re.findall(r"manylinux_(\d+)_(\d+)", wheel)]
    return min(tags, default=(2, 17))


def _version() -> str:
    found = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert found is not None
    return found[1]


def _architecture() -> str:
    return _run("dpkg", "--print-architecture").strip()


def _source(name: str) -> str:
    return (PACKAGING / "debian" / name).read_text()


def _write(path: Path, text: str, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    if done.returncode:
        raise SystemExit(f"{' '.join(command[:4])} ... failed: {done.stderr or done.stdout}")
    return done.stdout


if __name__ == "__main__":
    print(build(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build"))
