"""The files: strict, whole, and changed by one at a time."""

import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.pki.requests import NOW, request

from overlace.kit.clock import ManualClock
from overlace.pki.directory import PkiDirectory
from overlace.pki.errors import PkiError
from overlace.pki.issuer import Issuer
from overlace.pki.subject import Role, Subject

CLOCK = ManualClock(epoch=NOW)


@pytest.fixture
def issuer(tmp_path: Path) -> Issuer:
    return Issuer.create(tmp_path / "pki", CLOCK, ["192.0.2.1"])


def test_only_the_owner_may_read(issuer: Issuer) -> None:
    for path in (issuer.directory.path, *issuer.directory.path.iterdir()):
        assert path.stat().st_mode & 0o077 == 0, path


def test_a_directory_that_exists_is_not_overwritten(issuer: Issuer) -> None:
    before = {path.name: path.read_bytes() for path in issuer.directory.path.iterdir()}
    with pytest.raises(PkiError, match="exists already; nothing was changed"):
        Issuer.create(issuer.directory.path, CLOCK, [])
    assert {path.name: path.read_bytes() for path in issuer.directory.path.iterdir()} == before
    with pytest.raises(PkiError, match="nothing was changed"):
        issuer.directory.write_key(1, issuer.directory.read_key(1))


def test_what_cannot_be_made_leaves_nothing(tmp_path: Path) -> None:
    def fail(_: PkiDirectory) -> None:
        raise PkiError("no keys today")

    with pytest.raises(PkiError, match="no keys today"):
        PkiDirectory.create(tmp_path / "pki", fail)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def _readable(path: Path) -> None:
    (path / "authority-1.key").chmod(0o640)


def _damaged(path: Path) -> None:
    (path / "register.json").write_bytes((path / "register.json").read_bytes()[:-9])


def _gone(path: Path) -> None:
    shutil.rmtree(path)


def _keyless(path: Path) -> None:
    (path / "authority-1.key").unlink()


@pytest.mark.parametrize(
    ("harm", "cure"),
    [
        (_readable, "chmod go="),
        (_damaged, "restore it from a backup"),
        (_gone, "overlace pki init"),
        (_keyless, "cannot read the key of authority 1"),
    ],
)
def test_what_is_wrong_with_the_files_is_said(
    issuer: Issuer, harm: Callable[[Path], None], cure: str
) -> None:
    harm(issuer.directory.path)
    with pytest.raises(PkiError, match=cure):
        Issuer.open(issuer.directory.path, CLOCK).sign(Subject(Role.HOST, "h1"), request("host:h1"))


def test_a_change_that_fails_changes_nothing(issuer: Issuer) -> None:
    before = issuer.directory.register_file.read_bytes()
    with pytest.raises(PkiError):
        issuer.revoke(Subject(Role.HOST, "nobody"))
    assert issuer.directory.register_file.read_bytes() == before


def test_those_who_change_it_at_once_all_succeed(issuer: Issuer) -> None:
    names = [f"h{number}" for number in range(12)]

    def sign(name: str) -> None:
        own = Issuer.open(issuer.directory.path, CLOCK)
        own.sign(Subject(Role.HOST, name), request(f"host:{name}"))

    threads = [threading.Thread(target=sign, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    subjects = issuer.directory.read().subjects()
    assert set(subjects) == {f"host:{name}" for name in names} | {"controller:overlace"}
    leftovers = [path.name for path in issuer.directory.path.iterdir() if path.name.startswith(".")]
    assert leftovers == []


def test_given_a_directory_of_another_user_when_root_changes_it_then_that_user_can_read_it(
    issuer: Issuer,
) -> None:
    service = 65534
    for path in (issuer.directory.path, *issuer.directory.path.iterdir()):
        os.chown(path, service, service)
    issuer.serve_at(["192.0.2.2"])
    issuer.begin_rollover()
    owners = {path.name: path.stat().st_uid for path in issuer.directory.path.iterdir()}
    assert set(owners.values()) == {service}, owners
