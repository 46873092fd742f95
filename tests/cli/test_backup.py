"""The controller's files as one, taken while it writes, and put back."""

import json
import sqlite3
import stat
import threading
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner, Result
from tests.cli.controller import Controller, serving

from overlace.cli.main import main


def overlace(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(each) for each in arguments])


def site(controller: Controller, name: str) -> None:
    answer = httpx.post(f"{controller.url}/v2.0/overlace/sites", json={"site": {"id": name}})
    assert answer.status_code == 201


def sites(controller: Controller) -> set[str]:
    found = httpx.get(f"{controller.url}/v2.0/overlace/sites").json()["sites"]
    return {each["id"] for each in found}


def test_given_a_controller_that_writes_when_backed_up_then_all_that_was_answered_before_is_in_it(
    tmp_path: Path,
) -> None:
    archive = tmp_path / "backup.tar"
    with serving(tmp_path) as controller:
        for number in range(5):
            site(controller, f"before{number}")
        stop = threading.Event()

        def go_on() -> None:
            number = 0
            while not stop.is_set():
                site(controller, f"later{(number := number + 1)}")

        writer = threading.Thread(target=go_on)
        writer.start()
        try:
            done = overlace("backup", archive, "--database", controller.database, "--pki", tmp_path / "pki")
        finally:
            stop.set()
            writer.join()
        assert done.exit_code == 0, done.output
        assert stat.S_IMODE(archive.stat().st_mode) == 0o600
        refused = overlace("restore", archive, "--database", controller.database)
        assert refused.exit_code == 1
        assert "another process" in refused.output

        site(controller, "newer")
        controller.stop()
        restored = overlace("restore", archive, "--database", controller.database, "--pki", tmp_path / "pki")
        assert restored.exit_code == 0, restored.output
        assert len(list(tmp_path.glob("*.before-*"))) == 2  # the database and the certificates
        controller.start()
        found = sites(controller)
        assert {f"before{number}" for number in range(5)} <= found
        assert "newer" not in found


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    with serving(tmp_path) as controller:
        site(controller, "a")
    path = tmp_path / "backup.tar"
    assert overlace("backup", path, "--database", controller.database).exit_code == 0
    return path


def test_given_a_damaged_backup_when_restored_then_nothing_is_changed(archive: Path, tmp_path: Path) -> None:
    database = tmp_path / "overlace.db"
    before = database.read_bytes()
    data = bytearray(archive.read_bytes())
    data[len(data) // 2] ^= 0xFF
    for content in (bytes(data), archive.read_bytes()[:5000], b"", b"no archive"):
        wrong = tmp_path / "wrong.tar"
        wrong.write_bytes(content)
        done = overlace("restore", wrong, "--database", database)
        assert done.exit_code == 1
        assert "nothing was changed" in done.output
    assert database.read_bytes() == before
    assert not list(tmp_path.glob("*.before-*"))


def test_given_no_certificates_in_it_when_they_are_asked_for_then_that_is_refused(
    archive: Path, tmp_path: Path
) -> None:
    done = overlace("restore", archive, "--database", tmp_path / "overlace.db", "--pki", tmp_path / "pki")
    assert done.exit_code == 1
    assert "has no certificates" in done.output


def test_given_what_is_no_database_when_backed_up_then_there_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no database")
    for database in (tmp_path / "text", tmp_path / "nothing"):
        done = overlace("backup", tmp_path / "backup.tar", "--database", database)
        assert done.exit_code == 1
        assert "nothing was written" in done.output
    assert not (tmp_path / "backup.tar").exists()


def test_given_a_restored_database_when_numbers_are_given_then_they_are_far_from_those_given_since(
    archive: Path, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "new" / "overlace.db"
    elsewhere.parent.mkdir()
    done = overlace("restore", archive, "--database", elsewhere, "--json")
    assert json.loads(done.output)["kept"] == []
    rows = sqlite3.connect(elsewhere).execute("select name, value from meta").fetchall()
    cursors = {name: int(value) for name, value in rows if name.startswith("cursor:")}
    assert cursors["cursor:vni"] > 4096 + 500_000
    assert cursors["cursor:port_key"] > 100_000_000
