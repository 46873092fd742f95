"""The Internet checksum against published examples and its own definition."""

from ipaddress import IPv4Address, IPv6Address

from hypothesis import given, strategies as st

from overlace.wire.checksum import internet_checksum, pseudo_header, transport_checksum


def by_the_definition(data: bytes) -> int:
    total = sum(int.from_bytes(data[at : at + 2].ljust(2, b"\0"), "big") for at in range(0, len(data), 2))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def test_the_example_of_rfc_1071() -> None:
    assert internet_checksum(bytes.fromhex("0001f203f4f5f6f7")) == 0xFFFF ^ 0xDDF2


@given(st.binary(max_size=64) | st.lists(st.sampled_from([0x00, 0xFF]), max_size=16).map(bytes))
def test_equals_the_definition(data: bytes) -> None:
    assert internet_checksum(data) == by_the_definition(data)


@given(st.binary(max_size=63))
def test_data_with_its_checksum_sums_to_zero(data: bytes) -> None:
    even = data + bytes(len(data) % 2)
    assert internet_checksum(even + internet_checksum(even).to_bytes(2, "big")) == 0


def test_pseudo_headers() -> None:
    v4 = pseudo_header(IPv4Address("192.0.2.1"), IPv4Address("192.0.2.2"), 17, 9)
    assert v4.hex() == "c0000201c000020200110009"
    v6 = pseudo_header(IPv6Address("::1"), IPv6Address("::2"), 58, 9)
    assert v6.hex() == "0" * 31 + "1" + "0" * 31 + "2" + "000000090000003a"


def test_transport_checksum_covers_the_addresses() -> None:
    one, two = IPv4Address("192.0.2.1"), IPv4Address("192.0.2.2")
    assert transport_checksum(one, two, 17, b"abcd") != transport_checksum(one, one, 17, b"abcd")
