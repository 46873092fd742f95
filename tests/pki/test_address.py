"""Addresses of a controller."""

from ipaddress import IPv6Address

import pytest
from hypothesis import given, strategies as st

from overlace.pki.address import canonical_address
from overlace.pki.errors import PkiError


@given(st.ip_addresses(v=6))
def test_every_spelling_of_an_address_is_one(address: IPv6Address) -> None:
    assert canonical_address(address.exploded.upper()) == canonical_address(str(address)) == str(address)


@given(st.text())
def test_any_text_has_one_spelling_or_is_refused(text: str) -> None:
    try:
        once = canonical_address(text)
    except PkiError:
        return
    assert canonical_address(once) == once
    assert once.isascii()


def test_names_are_in_lower_case() -> None:
    assert canonical_address("Controller.Example") == "controller.example"
    for text in ("", "a b", "-a", "a..b", "é.example", "x" * 64):
        with pytest.raises(PkiError, match="neither an IP address nor a DNS name"):
            canonical_address(text)
