"""Certificate requests are not believed."""

import base64

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given, settings, strategies as st
from tests.pki.requests import request

from overlace.pki.errors import RequestRefused
from overlace.pki.keys import new_key
from overlace.pki.request import requested_key
from overlace.pki.subject import Role, Subject

H1 = Subject(Role.HOST, "h1")


def test_the_key_of_a_good_request_is_found() -> None:
    for key in (new_key(), rsa.generate_private_key(65537, 2048)):
        assert requested_key(request("host:h1", key=key), H1) == key.public_key()


@pytest.mark.parametrize(
    ("names", "why"),
    [
        (("host:h2",), "made out to 'host:h2', not to 'host:h1'"),
        (("switch:h1",), "made out to 'switch:h1'"),
        (("host:h1", "host:h2"), "made out to 'host:h1', 'host:h2'"),
        ((), "made out to nobody"),
    ],
)
def test_a_request_for_another_name_is_refused(names: tuple[str, ...], why: str) -> None:
    with pytest.raises(RequestRefused, match=why):
        requested_key(request(*names), H1)


def test_weak_keys_are_refused_with_what_would_do() -> None:
    with pytest.raises(RequestRefused, match="1024 bits; take 2048"):
        requested_key(request("host:h1", key=rsa.generate_private_key(65537, 1024)), H1)
    with pytest.raises(RequestRefused, match="secp224r1; take one of secp256r1"):
        requested_key(request("host:h1", key=ec.generate_private_key(ec.SECP224R1())), H1)


def test_a_request_that_was_changed_is_refused() -> None:
    pem = request("host:h1")
    loaded = x509.load_pem_x509_csr(pem)
    body = pem.splitlines()
    other = request("host:h1").splitlines()
    mixed = b"\n".join([body[0], *body[1:-2], other[-2], body[-1]])
    assert loaded.is_signature_valid
    with pytest.raises(RequestRefused):
        requested_key(mixed, H1)


@pytest.mark.filterwarnings("ignore:Attribute's length")
def test_a_request_of_an_unknown_version_or_with_an_odd_name_is_refused() -> None:
    body = base64.b64decode(b"".join(request("host:h1").splitlines()[1:-1]))
    version, name_type = body.index(b"\x02\x01\x00") + 2, body.index(b"\x0c\x07host:h1")
    for place, value in ((version, 14), (name_type, 0x03)):
        changed = base64.encodebytes(body[:place] + bytes([value]) + body[place + 1 :])
        with pytest.raises(RequestRefused, match="no certificate request"):
            requested_key(
                b"-----BEGIN CERTIFICATE REQUEST-----\n%b-----END CERTIFICATE REQUEST-----\n" % changed, H1
            )


@settings(max_examples=200)
@given(st.binary(max_size=300), st.integers(0, 300))
def test_any_bytes_are_refused_and_nothing_else_happens(noise: bytes, place: int) -> None:
    whole = _GOOD[: place % len(_GOOD)] + noise + _GOOD[place % len(_GOOD) + len(noise) :]
    for data in (noise, whole):
        try:
            requested_key(data, H1)
        except RequestRefused:
            continue
        assert data.count(b"-----BEGIN") == 1


_GOOD = request("host:h1")
