"""What an issuing authority does: it makes itself, and it signs. Time and serial's randomness aside, pure.

Profiles follow RFC 5280: hosts and switches may only be TLS clients and the controller only a server. Open
vSwitch checks the controller's chain and purpose but not its name, so a host's certificate that were good for a
server could play the controller to other hosts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from overlace.pki.errors import PkiError
from overlace.pki.keys import PrivateKey, PublicKey
from overlace.pki.subject import Role, Subject

AUTHORITY_LIFETIME = timedelta(days=3650)
LIFETIME = timedelta(days=365)
CLOCK_SKEW = timedelta(hours=1)
"""How far the clock of a host may be behind ours."""


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate with the key that signs in its name. `number` counts the authorities of one directory."""

    number: int
    certificate: x509.Certificate
    key: PrivateKey

    def issue(
        self,
        subject: Subject,
        key: PublicKey,
        now: datetime,
        lifetime: timedelta = LIFETIME,
        addresses: Sequence[str] = (),
    ) -> x509.Certificate:
        """A certificate for `key`; it ends with the authority's own at the latest.

        `addresses` are IP addresses or DNS names at which a controller is reached. Raises PkiError when the
        authority has come to its end.
        """
        end = min(now + lifetime, self.certificate.not_valid_after_utc)
        if end <= now:
            raise PkiError(
                f"authority {self.number} ended on {self.certificate.not_valid_after_utc:%Y-%m-%d}; begin a new one "
                "with: overlace pki rollover begin"
            )
        purpose = (
            ExtendedKeyUsageOID.SERVER_AUTH
            if subject.role is Role.CONTROLLER
            else ExtendedKeyUsageOID.CLIENT_AUTH
        )
        builder = _builder(_name(str(subject)), self.certificate.subject, key, now, end)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        builder = builder.add_extension(_usage(signs_certificates=False), critical=True)
        builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        issuer_key = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        builder = builder.add_extension(issuer_key, critical=False)
        if addresses:
            names = x509.SubjectAlternativeName([_general_name(each) for each in addresses])
            builder = builder.add_extension(names, critical=False)
        return builder.sign(self.key, hashes.SHA256())


def new_authority(
    number: int, key: PrivateKey, now: datetime, lifetime: timedelta = AUTHORITY_LIFETIME
) -> Authority:
    """A self-signed authority. Each has a name of its own, so that two can be trusted side by side."""
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    name = _name(f"Overlace authority {number} {identifier.digest.hex()[:12]}")
    builder = _builder(name, name, key.public_key(), now, now + lifetime)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_usage(signs_certificates=True), critical=True)
    return Authority(number, builder.sign(key, hashes.SHA256()), key)


def certificate_to_pem(certificate: x509.Certificate) -> str:
    """As files and messages carry it."""
    return certificate.public_bytes(Encoding.PEM).decode()


def certificate_from_pem(pem: str) -> x509.Certificate:
    """The inverse of `certificate_to_pem`. Raises PkiError."""
    try:
        return x509.load_pem_x509_certificate(pem.encode())
    except ValueError as error:
        raise PkiError(f"the certificate cannot be read: {error}") from error


def serial_text(serial: int) -> str:
    """A serial number as OpenSSL and Python's ssl show it: hexadecimal, capital, of even length."""
    digits = f"{serial:X}"
    return digits.rjust(len(digits) + len(digits) % 2, "0")


def _builder(
    subject: x509.Name, issuer: x509.Name, key: PublicKey, now: datetime, end: datetime
) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key)
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now - CLOCK_SKEW).not_valid_after(end)
    return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(address: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(address))
    except ValueError:
        return x509.DNSName(address)
