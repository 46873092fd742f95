"""DHCPv4 messages: round trips, long options, overload, damage."""

import struct
from ipaddress import IPv4Address

import pytest
from hypothesis import given, strategies as st

from overlace.wire.dhcpv4.message import DhcpMessage, encode_option, encoded_length
from overlace.wire.errors import MalformedError

ipv4s = st.ip_addresses(v=4)
u8, u16, u32 = st.integers(0, 0xFF), st.integers(0, 0xFFFF), st.integers(0, 2**32 - 1)
codes = st.integers(1, 254).filter(lambda code: code != 52)
option_lists = st.dictionaries(codes, st.binary(max_size=600), max_size=5).map(lambda d: tuple(d.items()))
fields = st.binary(max_size=64).filter(lambda field: b"\0" not in field)
messages = st.builds(
    DhcpMessage,
    st.sampled_from([1, 2]),
    u32,
    st.binary(max_size=16),
    option_lists,
    u16,
    u16,
    u8,
    u8,
    ipv4s,
    ipv4s,
    ipv4s,
    ipv4s,
    fields,
    fields,
)


def raw(options: bytes, *, sname: bytes = b"", file: bytes = b"", length: int = 6, op: int = 1) -> bytes:
    fixed = struct.pack("!BBBBI", op, 1, length, 0, 7) + bytes(20) + bytes(16)
    return fixed + sname.ljust(64, b"\0") + file.ljust(128, b"\0") + b"\x63\x82\x53\x63" + options


@given(messages)
def test_round_trip(message: DhcpMessage) -> None:
    encoded = message.encode()
    assert DhcpMessage.decode(encoded) == message
    assert len(encoded) == max(300, encoded_length(message.options))


def test_an_option_longer_than_255_octets_is_sent_in_pieces() -> None:
    assert encode_option(119, bytes(300)) == b"\x77\xff" + bytes(255) + b"\x77\x2d" + bytes(45)


def test_pieces_of_an_option_are_joined_also_when_others_stand_between() -> None:
    message = DhcpMessage.decode(raw(b"\x0c\x01a\x35\x01\x01\x0c\x01b\xff"))
    assert message.options == ((12, b"ab"), (53, b"\1"))


@pytest.mark.parametrize(
    ("overload", "expected"),
    [
        (1, ((53, b"\1"), (12, b"file"))),
        (2, ((53, b"\1"), (12, b"sname"))),
        (3, ((53, b"\1"), (12, b"filesname"))),
    ],
)
def test_options_overflow_into_file_and_then_sname(
    overload: int, expected: tuple[tuple[int, bytes], ...]
) -> None:
    options = b"\x35\x01\x01\x34\x01" + bytes((overload,)) + b"\xff"
    message = DhcpMessage.decode(raw(options, sname=b"\x0c\x05sname\xff", file=b"\x0c\x04file\xff"))
    assert message.options == expected
    assert message.file == (b"" if overload & 1 else b"\x0c\x04file\xff")
    assert message.sname == (b"" if overload & 2 else b"\x0c\x05sname\xff")


def test_pads_are_skipped_and_a_missing_end_is_forgiven() -> None:
    assert DhcpMessage.decode(raw(b"\0\0\x35\x01\x01\0")).options == ((53, b"\1"),)


def test_what_follows_the_end_is_not_read() -> None:
    assert DhcpMessage.decode(raw(b"\xff\x35\xff")).options == ()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        raw(b"")[:-1],
        raw(b"\x35"),
        raw(b"\x35\x02\x01"),
        raw(b"\xff", length=17),
        raw(b"\xff", op=3),
        raw(b"\x34\x01\x04\xff"),
        raw(b"\x34\x00\xff"),
        raw(b"\x34\x01\x01\xff", file=b"\x0c\xff"),
        raw(b"\xff")[:236] + bytes(4),
    ],
)
def test_damaged_messages_are_malformed(data: bytes) -> None:
    with pytest.raises(MalformedError):
        DhcpMessage.decode(data)


@given(st.binary(max_size=80), st.binary(max_size=128), st.binary(max_size=64))
def test_arbitrary_options_raise_nothing_but_the_typed_error(
    options: bytes, file: bytes, sname: bytes
) -> None:
    for prefix in (b"", b"\x34\x01\x03"):
        try:
            DhcpMessage.decode(raw(prefix + options, file=file, sname=sname))
        except MalformedError:
            pass


def test_fields_that_do_not_fit_cannot_be_encoded() -> None:
    for message in (
        DhcpMessage(1, 0, bytes(17), ()),
        DhcpMessage(1, 0, b"", (), sname=bytes(65)),
        DhcpMessage(1, 0, b"", (), file=bytes(129)),
        DhcpMessage(1, 0, b"", ((255, b""),)),
    ):
        with pytest.raises(ValueError, match=r"too long|not the code"):
            message.encode()


def test_the_broadcast_flag_and_absent_options() -> None:
    message = DhcpMessage(1, 0, b"", ((53, b"\1"),), flags=0x8000, ciaddr=IPv4Address("10.0.0.1"))
    assert message.broadcast
    assert message.option(53) == b"\1"
    assert message.option(54) is None
