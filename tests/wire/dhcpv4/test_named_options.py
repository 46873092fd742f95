"""Extra options by name and by number, as users of Neutron write them."""

from ipaddress import IPv4Address

import pytest
from hypothesis import given, strategies as st

from overlace.wire.dhcpv4.named_options import parse_extra_options


@pytest.mark.parametrize(
    ("name", "text", "code", "value"),
    [
        ("bootfile-name", "pxelinux.0", 67, b"pxelinux.0"),
        ("67", "pxelinux.0", 67, b"pxelinux.0"),
        ("tftp-server", "192.0.2.9", 66, b"192.0.2.9"),
        ("tftp-server-address", "192.0.2.9", 150, bytes((192, 0, 2, 9))),
        ("150", "192.0.2.9,192.0.2.8", 150, bytes((192, 0, 2, 9, 192, 0, 2, 8))),
        ("mtu", "1400", 26, b"\x05\x78"),
        ("26", "1400", 26, b"\x05\x78"),
        ("option:ntp-server", "192.0.2.1", 42, bytes((192, 0, 2, 1))),
        ("domain-search", "a.example, b.example", 119, b"\x01a\x07example\0\x01b\x07example\0"),
        ("classless-static-route", "10.0.0.0/8,192.0.2.1", 121, bytes((8, 10, 192, 0, 2, 1))),
        ("static-route", "10.0.0.1,192.0.2.1", 33, bytes((10, 0, 0, 1, 192, 0, 2, 1))),
        ("time-offset", "-18000", 2, b"\xff\xff\xb9\xb0"),
        ("router", "", 3, b""),
        ("224", "de:ad:BE:ef", 224, b"\xde\xad\xbe\xef"),
        ("224", "300", 224, b"\x01\x2c"),
        ("224", "7", 224, b"\x07"),
        ("224", "plain text", 224, b"plain text"),
    ],
)
def test_forms(name: str, text: str, code: int, value: bytes) -> None:
    assert parse_extra_options([(name, text)]).options == ((code, value),)


def test_the_next_server_is_a_field_and_no_option() -> None:
    extra = parse_extra_options([("server-ip-address", "192.0.2.7"), ("mtu", "1400"), ("mtu", "1300")])
    assert extra.next_server == IPv4Address("192.0.2.7")
    assert extra.options == ((26, b"\x05\x14"),), "the later of two wins"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("no-such-option", "1"),
        ("0", "1"),
        ("255", "1"),
        ("mtu", "70000"),
        ("mtu", "big"),
        ("router", "nowhere"),
        ("static-route", "10.0.0.1"),
        ("classless-static-route", "10.0.0.0/8"),
        ("time-offset", "4000000000"),
        ("server-ip-address", ""),
        ("53", "1"),
        ("54", "192.0.2.1"),
        ("domain-search", "a..b"),
    ],
)
def test_what_cannot_be_sent_is_refused_by_name(name: str, text: str) -> None:
    with pytest.raises(ValueError, match=f"DHCP option {name}="):
        parse_extra_options([(name, text)])


@given(st.text(max_size=20) | st.integers(1, 254).map(str), st.text(max_size=30))
def test_arbitrary_text_raises_nothing_but_value_errors(name: str, text: str) -> None:
    try:
        parse_extra_options([(name, text)])
    except ValueError:
        pass
