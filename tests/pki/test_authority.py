"""What is in the certificates that an authority makes, by the judgement of OpenSSL."""

import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from hypothesis import given, settings, strategies as st
from tests.pki.requests import NOW, authority

from overlace.pki.authority import (
    CLOCK_SKEW,
    certificate_from_pem,
    certificate_to_pem,
    new_authority,
    serial_text,
)
from overlace.pki.errors import PkiError
from overlace.pki.keys import new_key
from overlace.pki.subject import Role, Subject

H1 = Subject(Role.HOST, "h1")
CONTROLLER = Subject(Role.CONTROLLER, "overlace")


def verified(trust: Path, certificate: x509.Certificate, purpose: str) -> str:
    """What `openssl verify` says of a certificate for a purpose, the day after it was made."""
    seconds = str(int((NOW + timedelta(days=1)).timestamp()))
    command = ["openssl", "verify", "-x509_strict", "-attime", seconds, "-purpose", purpose]
    done = subprocess.run(
        [*command, "-CAfile", str(trust)],
        input=certificate_to_pem(certificate),
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    return done.stdout + done.stderr


def test_hosts_are_clients_and_the_controller_is_a_server_and_neither_the_other(tmp_path: Path) -> None:
    root = authority()
    trust = tmp_path / "trust.pem"
    trust.write_text(certificate_to_pem(root.certificate))
    host = root.issue(H1, new_key().public_key(), NOW)
    controller = root.issue(
        CONTROLLER, new_key().public_key(), NOW, addresses=("192.0.2.1", "fd00::1", "c.example")
    )

    assert verified(trust, host, "sslclient").strip() == "stdin: OK"
    assert verified(trust, controller, "sslserver").strip() == "stdin: OK"
    assert "unsuitable certificate purpose" in verified(trust, host, "sslserver")
    assert "unsuitable certificate purpose" in verified(trust, controller, "sslclient")


def test_a_host_cannot_issue_certificates(tmp_path: Path) -> None:
    root = authority()
    key = new_key()
    host = type(root)(2, root.issue(H1, key.public_key(), NOW), key)
    trust = tmp_path / "trust.pem"
    trust.write_text(certificate_to_pem(root.certificate) + certificate_to_pem(host.certificate))
    forged = host.issue(Subject(Role.HOST, "h2"), new_key().public_key(), NOW)
    assert "error" in verified(trust, forged, "sslclient")


def test_two_authorities_are_trusted_side_by_side_and_a_third_is_not(tmp_path: Path) -> None:
    roots = [authority(1), authority(2)]
    trust = tmp_path / "trust.pem"
    trust.write_text("".join(certificate_to_pem(each.certificate) for each in roots))
    for each in roots:
        assert "OK" in verified(trust, each.issue(H1, new_key().public_key(), NOW), "sslclient")
    stranger = authority(1).issue(H1, new_key().public_key(), NOW)
    assert "OK" not in verified(trust, stranger, "sslclient")


def test_a_controller_is_known_by_its_addresses() -> None:
    made = authority().issue(CONTROLLER, new_key().public_key(), NOW, addresses=("192.0.2.1", "c.example"))
    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(each) for each in names.get_values_for_type(x509.IPAddress)] == ["192.0.2.1"]
    assert names.get_values_for_type(x509.DNSName) == ["c.example"]


@settings(max_examples=30)
@given(st.integers(1, 20 * 365))
def test_no_certificate_outlives_its_authority(days: int) -> None:
    root = new_authority(1, new_key(), NOW, timedelta(days=100))
    made = root.issue(H1, new_key().public_key(), NOW, timedelta(days=days))
    assert made.not_valid_after_utc == NOW + timedelta(days=min(days, 100))
    assert made.not_valid_before_utc == NOW - CLOCK_SKEW


def test_an_authority_that_has_ended_signs_no_more() -> None:
    root = new_authority(1, new_key(), NOW, timedelta(days=100))
    with pytest.raises(PkiError, match="overlace pki rollover begin"):
        root.issue(H1, new_key().public_key(), NOW + timedelta(days=100))


def test_certificates_are_read_as_they_were_written() -> None:
    made = authority().certificate
    assert certificate_from_pem(certificate_to_pem(made)) == made
    with pytest.raises(PkiError):
        certificate_from_pem("no certificate")


@given(st.integers(1, 2**159))
def test_serials_are_whole_octets(serial: int) -> None:
    assert bytes.fromhex(serial_text(serial)) == serial.to_bytes((serial.bit_length() + 7) // 8, "big")
