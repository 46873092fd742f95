"""Private keys that are made here: those of authorities and of the controller. Hosts make their own."""

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from overlace.pki.errors import PkiError, RequestRefused

PrivateKey = ec.EllipticCurvePrivateKey
PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey
_CURVES = ("secp256r1", "secp384r1", "secp521r1")
_RSA_BITS = 2048


def new_key() -> PrivateKey:
    """A key on P-256, which every TLS library since OpenSSL 1.0.1 takes."""
    return ec.generate_private_key(ec.SECP256R1())


def key_to_pem(key: PrivateKey) -> bytes:
    """PKCS #8 without a passphrase: the file's mode protects it."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def key_from_pem(pem: bytes) -> PrivateKey:
    """The inverse of `key_to_pem`. Raises PkiError."""
    try:
        key = load_pem_private_key(pem, None)
    except ValueError as error:
        raise PkiError(f"the private key cannot be read: {error}") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise PkiError("the private key is not an elliptic curve key")
    return key


def accepted(key: PublicKeyTypes) -> PublicKey:
    """The key, if it is strong enough and of a kind that Open vSwitch can use. Raises RequestRefused."""
    match key:
        case ec.EllipticCurvePublicKey() if key.curve.name in _CURVES:
            return key
        case rsa.RSAPublicKey() if key.key_size >= _RSA_BITS:
            return key
        case ec.EllipticCurvePublicKey():
            raise RequestRefused(
                f"the key is on the curve {key.curve.name}; take one of {', '.join(_CURVES)}"
            )
        case rsa.RSAPublicKey():
            raise RequestRefused(f"the RSA key has {key.key_size} bits; take {_RSA_BITS} or more")
        case _:
            raise RequestRefused("the key is neither RSA nor on an elliptic curve of NIST")
