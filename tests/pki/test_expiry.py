"""When certificates end."""

from datetime import timedelta
from pathlib import Path

from hypothesis import given, strategies as st
from tests.pki.requests import NOW, request

from overlace.kit.clock import ManualClock
from overlace.pki.expiry import Validity, expiries, validity
from overlace.pki.issuer import Issuer
from overlace.pki.subject import Role, Subject

H1 = Subject(Role.HOST, "h1")


@given(st.integers(1, 5000), st.integers(-10, 6000))
def test_a_certificate_is_not_yet_valid_then_valid_then_ending_then_expired(lifetime: int, age: int) -> None:
    end = NOW + timedelta(days=lifetime)
    states = list(Validity)[:4]
    now = validity(NOW, end, NOW + timedelta(days=age))
    later = validity(NOW, end, NOW + timedelta(days=age + 1))
    assert states.index(later) >= states.index(now)
    assert (now is Validity.NOT_YET) == (age < 0)
    assert (now is Validity.EXPIRED) == (age >= lifetime)
    assert now is not Validity.ENDING or lifetime - age <= 30


def test_each_has_one_line_and_the_newest_counts(tmp_path: Path) -> None:
    clock = ManualClock(epoch=NOW)
    issuer = Issuer.create(tmp_path / "pki", clock, ["192.0.2.1"])
    issuer.sign(H1, request("host:h1"), timedelta(days=60))
    clock.advance(45 * 86400)

    by_subject = {each.subject: each for each in expiries(issuer.directory.read(), clock.now())}
    assert list(by_subject) == ["authority:1", "controller:overlace", "host:h1"]
    assert (by_subject["host:h1"].validity, by_subject["host:h1"].days_left) == (Validity.ENDING, 15)

    issuer.sign(H1, request("host:h1"), timedelta(days=60))
    by_subject = {each.subject: each for each in expiries(issuer.directory.read(), clock.now())}
    assert (by_subject["host:h1"].validity, by_subject["host:h1"].days_left) == (Validity.VALID, 60)

    issuer.revoke(H1)
    by_subject = {each.subject: each for each in expiries(issuer.directory.read(), clock.now())}
    assert by_subject["host:h1"].validity is Validity.REVOKED
