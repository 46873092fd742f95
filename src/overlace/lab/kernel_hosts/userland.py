"""The programs that a kernel host needs, as they are installed here, with the libraries that they load.

Python comes compiled and without sources: a machine that is emulated would take seconds to compile its library.
"""

import re
import shutil
from collections.abc import Iterable
from pathlib import Path

from overlace.lab.errors import LabError
from overlace.lab.execution import run
from overlace.lab.machines import archive
from overlace.lab.machines.archive import Entry

# Debian's own: a Python from elsewhere would bring more than its library.
SYSTEM_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
PYTHON = "/usr/bin/python3"
# Programs, with the Debian package of each.
PROGRAMS = {
    "ovsdb-server": "openvswitch-common",
    "ovs-vswitchd": "openvswitch-switch",
    "ovs-vsctl": "openvswitch-switch",
    "ovs-ofctl": "openvswitch-common",
    "ovs-appctl": "openvswitch-common",
    "ovs-dpctl": "openvswitch-switch",
    "ovsdb-client": "openvswitch-common",
    "ovsdb-tool": "openvswitch-common",
    "ip": "iproute2",
    "openssl": "openssl",
    "python3": "python3",
}
FILES = ("/usr/share/openvswitch/vswitch.ovsschema", "/etc/ssl/openssl.cnf")
LINKS = {"usr/lib/ssl/openssl.cnf": "/etc/ssl/openssl.cnf"}
# What the scripts that a host is joined by import (overlace.cli.scripts), and what those import late.
PYTHON_MODULES = ("json", "os", "re", "shutil", "socket", "ssl", "sys", "datetime", "pathlib", "subprocess")
PYTHON_LATE = ("typing", "_strptime", "stringprep", "encodings.ascii", "encodings.idna", "encodings.latin_1")
_COMPILE = """
import importlib, os, py_compile, sys
work, *names = sys.argv[1:]
before = set(sys.modules) - {"py_compile"}
for name in names:
    importlib.import_module(name)
for module in list(sys.modules.values()):
    path = getattr(module, "__file__", None)
    if not path or not os.path.isabs(path):
        continue
    if path.endswith(".py"):
        mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
        py_compile.compile(path, cfile=f"{work}{path}c", doraise=True, invalidation_mode=mode)
    else:
        print(path)
"""


def installed() -> str:
    """What is installed here, so that an image of it can be told from one of something else."""
    known = ((each, Path(each).stat()) for each in _programs())
    return "".join(f"{path} {stat.st_size} {stat.st_mtime_ns}\n" for path, stat in known)


def entries(work: Path) -> list[Entry]:
    """All of it. Raises `LabError`."""
    programs = _programs()
    found = [archive.copy(path.lstrip("/"), Path(path), program=True) for path in programs]
    python, extensions = _python(work)
    found += python
    for library in _libraries([*programs, *extensions]):
        found.append(archive.copy(library.lstrip("/"), Path(library), program=True))
    found += [archive.copy(path.lstrip("/"), Path(path)) for path in FILES]
    return [*found, *(archive.link(path, target) for path, target in LINKS.items())]


def _programs() -> list[str]:
    paths = {name: shutil.which(name, path=SYSTEM_PATH) for name in PROGRAMS}
    missing = sorted({PROGRAMS[name] for name, path in paths.items() if path is None})
    if missing:
        raise LabError(f"a host with the kernel datapath needs more: run `apt install {' '.join(missing)}`")
    return [path for path in paths.values() if path is not None]


def _python(work: Path) -> tuple[list[Entry], list[str]]:
    """The part of Python's library that is needed, and its extensions."""
    root = work / "python"
    names = [*PYTHON_MODULES, *PYTHON_LATE]
    listed = run([PYTHON, "-I", "-c", _COMPILE, str(root), *names]).stdout.split()
    extensions = [path for path in listed if ".so" in Path(path).suffixes]
    compiled = [archive.copy(str(path.relative_to(root)), path) for path in root.rglob("*.pyc")]
    return [*compiled, *(archive.copy(path.lstrip("/"), Path(path)) for path in extensions)], extensions


def _libraries(programs: Iterable[str]) -> list[str]:
    """What the dynamic linker would load for them (ldd(1)), and the linker."""
    listed = run(["ldd", *programs]).stdout
    return sorted(set(re.findall(r"(/\S+) \(0x", listed)))
