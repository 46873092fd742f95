"""Options by name: each form once, against octets written down from the standards."""

from ipaddress import IPv6Address

import pytest

from overlace.wire.dhcpv6.named_options import parse_extra_options

ONE, TWO = IPv6Address("fd00::1").packed, IPv6Address("fd00::2").packed


@pytest.mark.parametrize(
    ("name", "text", "option"),
    [
        ("dns-server", "fd00::1, [fd00::2]", (23, ONE + TWO)),
        ("option6:dns-server", "fd00::1", (23, ONE)),
        ("23", "fd00::1", (23, ONE)),
        ("domain-search", "a.example,b", (24, b"\1a\7example\0\1b\0")),
        ("ntp-server", "fd00::1", (56, b"\0\1\0\x10" + ONE)),
        ("ntp-server", "time.example", (56, b"\0\3\0\x0e\4time\7example\0")),
        ("bootfile-url", "tftp://[fd00::1]/x", (59, b"tftp://[fd00::1]/x")),
        ("bootfile-param", "a,bc", (60, b"\0\1a\0\2bc")),
        ("information-refresh-time", "600", (32, b"\0\0\2\x58")),
        ("200", "fd00::1", (200, ONE)),
        ("200", "01:ff", (200, b"\1\xff")),
        ("200", "some text", (200, b"some text")),
        ("dns-server", "", (23, b"")),
    ],
)
def test_a_name_and_a_text_become_an_option(name: str, text: str, option: tuple[int, bytes]) -> None:
    assert parse_extra_options([(name, text)]) == (option,)


def test_the_later_of_two_wins() -> None:
    assert parse_extra_options([("dns-server", "fd00::1"), ("23", "fd00::2")]) == ((23, TWO),)


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("router", "fd00::1", "neither the name nor the number"),
        ("70000", "x", "neither the name nor the number"),
        ("3", "00:01", "the DHCP server itself sets this option"),
        ("25", "00:01", "the DHCP server itself sets this option"),
        ("dns-server", "10.0.0.1", "DHCPv6 option dns-server='10.0.0.1'"),
        ("information-refresh-time", "-1", "do not fit"),
        ("domain-search", "a..b", "is not a domain name"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(name: str, text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_extra_options([(name, text)])
