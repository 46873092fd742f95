"""Given what is installed here, when a kernel host's programs are gathered, then each finds all it needs there."""

import subprocess
from pathlib import Path

from overlace.lab.kernel_hosts import userland
from overlace.lab.machines.archive import Entry


def laid_out(entries: list[Entry], root: Path) -> None:
    for entry in entries:
        path = root / entry.path
        path.parent.mkdir(parents=True, exist_ok=True)
        if entry.mode & 0o170000 == 0o120000:
            path.symlink_to(entry.data.decode())
        else:
            path.write_bytes(entry.data)
            path.chmod(entry.mode & 0o777)


def test_programs_run_where_nothing_else_is(tmp_path: Path) -> None:
    entries = userland.entries(tmp_path / "work")
    root = tmp_path / "root"
    laid_out(entries, root)
    imports = (
        f"import {', '.join(userland.PYTHON_MODULES)}; print(datetime.datetime.strptime('2026', '%Y').year)"
    )
    for argv in (
        ["/usr/sbin/ovsdb-server", "--version"],
        ["/usr/sbin/ovs-vswitchd", "--version"],
        ["/usr/bin/openssl", "version"],
        ["/usr/bin/python3", "-I", "-c", imports],
    ):
        assert any(f"/{entry.path}" == argv[0] for entry in entries)
        done = subprocess.run(
            ["/usr/sbin/chroot", str(root), *argv],
            capture_output=True,
            text=True,
            env={"PYTHONHOME": "/usr"},
            check=False,
        )
        assert done.returncode == 0, done.stderr
