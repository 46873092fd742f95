"""Certificate requests as hosts make them, and authorities to sign them."""

from collections.abc import Sequence
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from overlace.pki.authority import Authority, new_authority
from overlace.pki.keys import new_key

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def request(*names: str, key: Key | None = None, extensions: Sequence[x509.ExtensionType] = ()) -> bytes:
    """A request in PEM, made out to the common names."""
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, name) for name in names]
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(attributes))
    for each in extensions:
        builder = builder.add_extension(each, critical=False)
    signed = builder.sign(key or new_key(), hashes.SHA256())
    return signed.public_bytes(Encoding.PEM)


def authority(number: int = 1) -> Authority:
    """A new authority."""
    return new_authority(number, new_key(), NOW)
