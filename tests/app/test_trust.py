"""A running controller and its certificate directory, changed under it by `overlace pki`."""

import asyncio
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from tests.pki.requests import NOW, request

from overlace.app.trust import Trust
from overlace.kit.clock import ManualClock
from overlace.pki.errors import PkiError
from overlace.pki.issuer import Issuer
from overlace.pki.subject import Role, Subject

H1 = Subject(Role.HOST, "h1")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(epoch=NOW)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "pki"


def test_the_first_start_makes_the_directory_and_says_so(path: Path, clock: ManualClock) -> None:
    with capture_logs() as logs:
        Trust.prepare(path, "192.0.2.1", clock)
    assert any("made a certificate authority" in each["event"] for each in logs)
    assert Issuer.open(path, clock).directory.read().addresses == ("192.0.2.1",)

    # the second uses it, and is good for another address if it has one
    Trust.prepare(path, "192.0.2.2", clock)
    assert Issuer.open(path, clock).directory.read().addresses == ("192.0.2.1", "192.0.2.2")
    before = Issuer.open(path, clock).directory.register_file.read_bytes()
    Trust.prepare(path, "0.0.0.0", clock)
    assert Issuer.open(path, clock).directory.register_file.read_bytes() == before


def test_a_directory_that_others_may_read_is_not_used(path: Path, clock: ManualClock) -> None:
    Issuer.create(path, clock, [])
    path.chmod(0o755)
    with pytest.raises(PkiError, match="chmod go="):
        Trust.prepare(path, "192.0.2.1", clock)


def test_changes_are_taken_over_and_revocations_are_told_once(path: Path, clock: ManualClock) -> None:
    trust = Trust.prepare(path, "192.0.2.1", clock)
    told: list[bool] = []
    trust.revoked = lambda: told.append(True)
    operator = Issuer.open(path, clock)
    first = operator.sign(H1, request("host:h1"))
    before = trust.context()
    trust.refresh()
    assert trust.context() is not before, "connections to come use a new context"
    assert trust.refusal(first.serial) is None and not told

    operator.revoke(H1)
    trust.refresh()
    trust.refresh()
    assert told == [True]
    assert "host:h1 was revoked" in (trust.refusal(first.serial) or "")
    after = trust.context()
    trust.refresh()
    assert trust.context() is after, "nothing changed"


def test_what_cannot_be_read_leaves_the_old_in_use(path: Path, clock: ManualClock) -> None:
    trust = Trust.prepare(path, "192.0.2.1", clock)
    before = trust.context()
    register = path / "register.json"
    good = register.read_bytes()
    for harm in (lambda: register.write_bytes(b"{"), lambda: register.unlink()):
        harm()
        with capture_logs() as logs:
            trust.refresh()
        assert trust.context() is before
        assert logs[0]["log_level"] == "error"
    register.write_bytes(good)
    trust.refresh()
    assert trust.context() is not before


async def test_the_controller_renews_its_own_certificate_and_warns_of_others(
    path: Path, clock: ManualClock
) -> None:
    trust = Trust.prepare(path, "192.0.2.1", clock)
    Issuer.open(path, clock).sign(H1, request("host:h1"))
    clock.advance(350 * 86400)
    with capture_logs() as logs:
        async with asyncio.TaskGroup() as tasks:
            watching = tasks.create_task(trust.watch())
            await asyncio.sleep(0)
            watching.cancel()
    trust.refresh()
    left = {each.subject: each.days_left for each in trust.expiries()}
    assert (left["controller:overlace"], left["host:h1"]) == (365, 15)
    warned = [each["event"] for each in logs if each["log_level"] == "warning"]
    assert warned == ["the certificate of host:h1 ends in 15 days; cure with: overlace pki renew h1"]


def test_the_end_of_certificates_is_shown(path: Path, clock: ManualClock) -> None:
    trust = Trust.prepare(path, "192.0.2.1", clock)
    Issuer.open(path, clock).sign(H1, request("host:h1"))
    trust.refresh()
    assert {each.subject: each.days_left for each in trust.expiries()} == {
        "authority:1": 3650,
        "controller:overlace": 365,
        "host:h1": 365,
    }
