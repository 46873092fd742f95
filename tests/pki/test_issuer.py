"""Signing, tokens, revocation and rollover, as changes of one directory."""

from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from tests.pki.requests import NOW, request

from overlace.kit.clock import ManualClock
from overlace.pki.directory import PkiDirectory
from overlace.pki.errors import PkiError, RequestRefused, TokenRefused
from overlace.pki.issuer import CONTROLLER, Issuer
from overlace.pki.register import AuthorityEntry, Issued, Register, digest
from overlace.pki.subject import Role, Subject

H1, H2 = Subject(Role.HOST, "h1"), Subject(Role.HOST, "h2")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(epoch=NOW)


@pytest.fixture
def issuer(tmp_path: Path, clock: ManualClock) -> Issuer:
    return Issuer.create(tmp_path / "pki", clock, ["192.0.2.1"])


def test_a_token_is_kept_only_as_its_digest(issuer: Issuer) -> None:
    text = issuer.new_token(H1)
    assert text not in issuer.directory.register_file.read_text()
    assert digest(text) in issuer.directory.register_file.read_text()


def test_a_token_gives_one_certificate_to_its_host(issuer: Issuer, clock: ManualClock) -> None:
    text = issuer.new_token(H1, timedelta(minutes=10))
    with pytest.raises(RequestRefused, match="made out to 'host:h1', not to 'host:h2'"):
        issuer.enrol(H2, text, request("host:h1"))
    with pytest.raises(TokenRefused, match="is for host:h1, not for host:h2; .* overlace join h2"):
        issuer.enrol(H2, text, request("host:h2"))
    with pytest.raises(TokenRefused, match="not known"):
        issuer.enrol(H1, f"{text}x", request("host:h1"))
    assert issuer.enrol(H1, text, request("host:h1")).subject == "host:h1"
    with pytest.raises(TokenRefused, match="was used at 2026-03-01 12:00 UTC"):
        issuer.enrol(H1, text, request("host:h1"))

    late = issuer.new_token(H1, timedelta(minutes=10))
    clock.advance(600)
    with pytest.raises(TokenRefused, match="expired at 2026-03-01 12:10 UTC"):
        issuer.enrol(H1, late, request("host:h1"))


def test_a_bad_request_does_not_spend_the_token(issuer: Issuer) -> None:
    text = issuer.new_token(H1)
    with pytest.raises(RequestRefused):
        issuer.enrol(H1, text, b"garbage")
    assert issuer.enrol(H1, text, request("host:h1"))


def test_a_newer_token_takes_the_place_of_an_unused_one(issuer: Issuer) -> None:
    old, new = issuer.new_token(H1), issuer.new_token(H1)
    with pytest.raises(TokenRefused, match="a newer script takes its place"):
        issuer.enrol(H1, old, request("host:h1"))
    assert issuer.enrol(H1, new, request("host:h1"))


def test_revoking_voids_certificates_and_tokens_of_one_host(issuer: Issuer) -> None:
    first, other = issuer.sign(H1, request("host:h1")), issuer.sign(H2, request("host:h2"))
    token = issuer.new_token(H1)
    issuer.revoke(H1)

    register = issuer.directory.read()
    assert "host:h1 was revoked" in (register.refusal(first.serial) or "")
    assert register.refusal(other.serial) is None
    with pytest.raises(TokenRefused):
        issuer.enrol(H1, token, request("host:h1"))
    with pytest.raises(PkiError, match="no valid certificate of host:h1 to revoke"):
        issuer.revoke(H1)

    again = issuer.sign(H1, request("host:h1"))
    assert issuer.directory.read().refusal(again.serial) is None


def test_the_controller_is_not_signed_for_by_request(issuer: Issuer) -> None:
    with pytest.raises(PkiError, match="overlace pki renew controller"):
        issuer.sign(CONTROLLER, request(str(CONTROLLER)))


def test_the_controller_s_certificate_follows_its_addresses_and_its_end(
    issuer: Issuer, clock: ManualClock
) -> None:
    assert not issuer.serve_at(["192.0.2.1"])
    assert issuer.serve_at(["fd00::1"])
    assert issuer.directory.read().addresses == ("192.0.2.1", "fd00::1")
    clock.advance(340 * 86400)
    assert issuer.serve_at([])
    assert not issuer.serve_at([])


def test_a_rollover_ends_only_when_nobody_is_cut_off(issuer: Issuer, clock: ManualClock) -> None:
    with pytest.raises(PkiError, match="no rollover is under way"):
        issuer.finish_rollover()
    for subject in (H1, H2):
        issuer.sign(subject, request(str(subject)))
    assert issuer.begin_rollover() == 2
    with pytest.raises(PkiError, match="a rollover is under way"):
        issuer.begin_rollover()
    assert serving_authority(issuer.directory) == 1

    assert issuer.sign(H1, request("host:h1")).authority == 2
    with pytest.raises(PkiError, match="old authority: host:h2; renew each"):
        issuer.finish_rollover()
    issuer.revoke(H2)
    assert issuer.finish_rollover() == 1
    assert serving_authority(issuer.directory) == 2
    assert not (issuer.directory.path / "authority-1.key").exists()

    issuer.begin_rollover()
    assert issuer.rollover_remainder() == ("host:h1",)
    clock.advance(400 * 86400)
    assert issuer.rollover_remainder() == (), "who has expired is cut off already"


def serving_authority(directory: PkiDirectory) -> int:
    """The number of the authority behind the certificate that the controller shows."""
    shown = x509.load_pem_x509_certificate(directory.controller_file.read_bytes())
    return next(
        each.number
        for each in directory.read().authorities
        if x509.load_pem_x509_certificate(each.certificate.encode()).subject == shown.issuer
    )


NAMES = st.sampled_from(("host:h1", "host:h2", "switch:t1"))


class Tokens(RuleBasedStateMachine):
    """A register's tokens against a plain dictionary: each is good once, in time, for one subject, until replaced."""

    def __init__(self) -> None:
        super().__init__()
        self.register = Register((AuthorityEntry(1, "", NOW, NOW + timedelta(days=9)),))
        self.now = NOW
        self.good: dict[str, tuple[str, int]] = {}
        self.made = 0

    @rule(subject=NAMES, lifetime=st.integers(1, 100))
    def make(self, subject: str, lifetime: int) -> None:
        self.made += 1
        self.register = self.register.with_token(
            str(self.made), subject, self.now + timedelta(seconds=lifetime)
        )
        end = int((self.now - NOW).total_seconds()) + lifetime
        self.good = {text: each for text, each in self.good.items() if each[0] != subject}
        self.good[str(self.made)] = (subject, end)

    @rule(seconds=st.integers(0, 60))
    def wait(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule(subject=NAMES)
    def revoke(self, subject: str) -> None:
        try:
            self.register = self.register.with_revoked(subject, self.now)
        except PkiError:
            assert all(each[0] != subject for each in self.good.values())
        self.good = {text: each for text, each in self.good.items() if each[0] != subject}

    @rule(text=st.integers(0, 9), subject=NAMES)
    def use(self, text: int, subject: str) -> None:
        owner, end = self.good.get(str(text), ("", 0))
        entitled = owner == subject and NOW + timedelta(seconds=end) > self.now
        try:
            self.register = self.register.with_token_used(str(text), subject, self.now)
        except TokenRefused:
            assert not entitled
        else:
            assert entitled
            del self.good[str(text)]

    @rule()
    def forget_the_old(self) -> None:
        self.register = self.register.without_ended(self.now)

    @precondition(lambda self: self.made > 0)
    @invariant()
    def there_is_one_unused_token_a_subject(self) -> None:
        unused = [each.subject for each in self.register.tokens if each.used_at is None]
        assert len(unused) == len(set(unused))


TestTokens = Tokens.TestCase


def test_what_ended_long_ago_is_forgotten_but_not_the_newest() -> None:
    old = Issued("01", "host:h1", 1, NOW, NOW + timedelta(days=1), "")
    newest = Issued("02", "host:h1", 1, NOW, NOW + timedelta(days=1), "")
    register = Register((AuthorityEntry(1, "", NOW, NOW),)).with_issued(old).with_issued(newest)
    assert register.without_ended(NOW + timedelta(days=31, hours=1)).issued == (newest,)
    assert register.without_ended(NOW + timedelta(days=30)).issued == (old, newest)
