"""Lists of domain names."""

import pytest
from hypothesis import given, strategies as st

from overlace.wire.dns_names import decode_names, encode_names
from overlace.wire.errors import MalformedError

labels = st.text("abcxyz-_09", min_size=1, max_size=63)
names = st.lists(labels, min_size=1, max_size=3).map(".".join)


@given(st.lists(names, max_size=4), st.integers(0, 7))
def test_round_trip_with_padding(domains: list[str], padding: int) -> None:
    assert decode_names(encode_names(tuple(domains)) + bytes(padding)) == tuple(domains)


def test_pointers_are_followed() -> None:
    # The example of RFC 3397: eng.apple.com and marketing.apple.com, sharing apple.com.
    data = b"\x03eng\x05apple\x03com\x00\x09marketing\xc0\x04"
    assert decode_names(data) == ("eng.apple.com", "marketing.apple.com")


@pytest.mark.parametrize(
    "data", [b"\x03en", b"\xc0", b"\xc0\x00", b"\x01a\xc0\x05", b"\x40a", b"\x01\xff\x00", b"\x01.\x00"]
)
def test_damaged_names_are_malformed(data: bytes) -> None:
    with pytest.raises(MalformedError):
        decode_names(data)


@given(st.binary(max_size=60) | st.lists(st.sampled_from([0, 1, 2, 0xC0, 97]), max_size=30).map(bytes))
def test_arbitrary_bytes_raise_nothing_but_the_typed_error(data: bytes) -> None:
    try:
        decode_names(data)
    except MalformedError:
        pass


@pytest.mark.parametrize("name", ["", "a..b", "x" * 64, ".".join(["x" * 60] * 5)])
def test_what_is_not_a_name_cannot_be_encoded(name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        encode_names((name,))
