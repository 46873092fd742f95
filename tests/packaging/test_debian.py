"""Given `make deb`, when the package is opened, then it has all that it needs, and nothing of the machine that made it.

Whether it installs, joins a host and leaves nothing behind is tried by `make deb-smoke`.
"""

import marshal
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import click
import httpx
import pytest
import yaml
from tests.cli.controller import free_ports
from tools.debian_package import PACKAGING, ROOT, SITE, build

from overlace.cli.serve import serve

UNIT = PACKAGING / "debian" / "overlace.service"
SAMPLE = PACKAGING / "debian" / "overlace.yaml"


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("package"))


@pytest.fixture(scope="module")
def root(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The package's files, as if they were a machine's."""
    directory = tmp_path_factory.mktemp("root")
    subprocess.run(["dpkg-deb", "-x", package, directory], check=True, timeout=120)
    yield directory
    shutil.rmtree(directory)


def contents(package: Path) -> dict[str, list[str]]:
    """Mode and owner by path."""
    done = subprocess.run(
        ["dpkg-deb", "-c", package], capture_output=True, text=True, check=True, timeout=120
    )
    return {line.split()[5]: line.split()[:2] for line in done.stdout.splitlines()}


def test_given_the_package_when_listed_then_program_unit_and_sample_are_in_their_places(
    package: Path,
) -> None:
    found = contents(package)
    for path in (
        "./usr/bin/overlace",
        "./usr/lib/overlace/bin/overlace",
        "./lib/systemd/system/overlace.service",
        "./etc/overlace/overlace.yaml",
        "./usr/share/doc/overlace/operations.md",
        "./usr/share/doc/overlace/examples/overlace.rules.yaml",
    ):
        assert path in found
    assert {owner for _, owner in found.values()} == {"root/root"}
    assert not [path for path, (mode, _) in found.items() if mode[0] != "l" and mode[8] == "w"]
    said = subprocess.run(
        ["dpkg-deb", "-f", package, "Depends"], capture_output=True, text=True, check=True, timeout=120
    )
    assert "python3 (<< 3.12)" in said.stdout


def test_given_its_files_when_read_then_none_names_where_it_was_made(root: Path) -> None:
    place = str(ROOT).encode()
    named = [
        path
        for path in root.rglob("*")
        if path.is_file() and not path.is_symlink() and place in path.read_bytes()
    ]
    assert named == []
    assert list(root.rglob("direct_url.json")) == []
    [compiled] = (root / SITE / "overlace/__pycache__").iterdir()
    code = marshal.loads(compiled.read_bytes()[16:])  # behind the header, PEP 552
    assert code.co_filename == f"/{SITE}/overlace/__init__.py"


def test_given_the_sample_when_its_comments_are_taken_away_then_every_option_is_there_and_right() -> None:
    lines = SAMPLE.read_text().splitlines()
    options = [line.removeprefix("#") for line in lines if line[:1] not in ("", "#") or line[1:2].isalpha()]
    said = yaml.safe_load("\n".join(options))
    known = {each.opts[0].removeprefix("--"): each for each in serve.params if isinstance(each, click.Option)}
    assert set(said) == set(known) - {"config", "plaintext"}
    context = click.Context(serve)
    for name, value in said.items():
        known[name].type_cast_value(context, value)


def test_given_the_unit_when_systemd_reads_it_then_it_has_nothing_to_say_and_finds_it_confined(
    tmp_path: Path,
) -> None:
    verified = tmp_path / "overlace.service"
    verified.write_text(UNIT.read_text().replace("/usr/bin/overlace", "/bin/true"))  # not installed here
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", verified],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (done.returncode, [line for line in done.stderr.splitlines() if "overlace" in line]) == (0, [])
    security = ["systemd-analyze", "security", "--offline=true", "--threshold=20", str(verified)]
    done = subprocess.run(security, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


def test_given_the_unpacked_package_when_started_by_the_units_command_then_it_serves_and_says_so(
    root: Path, tmp_path: Path
) -> None:
    [start] = [
        line.removeprefix("ExecStart=")
        for line in UNIT.read_text().splitlines()
        if line.startswith("ExecStart=")
    ]
    api, openflow, ovsdb, enrolment = free_ports(4)
    sample = yaml.safe_load((root / "etc/overlace/overlace.yaml").read_text())
    state = {name: str(tmp_path / Path(path).name) for name, path in sample.items()}
    ports = {"api-port": api, "openflow-port": openflow, "ovsdb-port": ovsdb, "enrolment-port": enrolment}
    configuration = tmp_path / "overlace.yaml"
    configuration.write_text(yaml.safe_dump({**state, **ports}))
    program, *arguments = start.replace("/etc/overlace/overlace.yaml", str(configuration)).split()
    # The launcher names its Python by the place that it has when installed.
    python = root / "usr/lib/overlace/bin/python3"
    command = [str(python), "-I", str((root / program.removeprefix("/")).resolve()), *arguments]
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(60)
        environment = {"PATH": os.environ["PATH"], "NOTIFY_SOCKET": str(tmp_path / "notify")}
        with subprocess.Popen(command, env=environment, cwd=tmp_path) as process:
            try:
                assert manager.recv(64) == b"READY=1"
                assert (
                    httpx.get(f"http://127.0.0.1:{api}/v2.0/overlace/status").json()["status"]["switches"]
                    == {}
                )
                process.terminate()
                assert manager.recv(64) == b"STOPPING=1"
                assert process.wait(timeout=30) == 0
            finally:
                process.kill()
    assert {"db", "pki"} <= {each.name for each in tmp_path.iterdir()}
