"""DHCPv6 messages and options: round trips, and damage."""

import pytest
from hypothesis import given, strategies as st

from overlace.kit.addresses import parse_mac
from overlace.wire.dhcpv6.message import Dhcpv6Message, decode_options, encode_options
from overlace.wire.dhcpv6.options import (
    IdentityAssociation,
    LeasedAddress,
    OptionCode,
    StatusCode,
    decode_requested,
    encode_requested,
    iaid_of,
    link_layer_duid,
    status,
    status_in,
)
from overlace.wire.errors import MalformedError

codes = st.integers(0, 0xFFFF)
u32 = st.integers(0, 2**32 - 1)
option_lists = st.lists(st.tuples(codes, st.binary(max_size=80)), max_size=6).map(tuple)
types = st.integers(0, 255).filter(lambda kind: kind not in (12, 13))
addresses = st.builds(LeasedAddress, st.ip_addresses(v=6), u32, u32)
reasons = st.none() | st.builds(status, st.sampled_from(StatusCode), st.text(max_size=20))


@given(st.builds(Dhcpv6Message, types, st.integers(0, 2**24 - 1), option_lists))
def test_what_is_written_is_read(message: Dhcpv6Message) -> None:
    assert Dhcpv6Message.decode(message.encode()) == message


@given(st.binary(max_size=120))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        message = Dhcpv6Message.decode(data)
        for code, value in message.options:
            if code == OptionCode.IA_NA:
                IdentityAssociation.decode(value)
    except MalformedError:
        return
    assert message.encode() == data


@given(st.binary(min_size=4, max_size=4), st.lists(addresses, max_size=4).map(tuple), u32, u32, reasons)
def test_an_association_is_read_as_written(
    iaid: bytes, leased: tuple[LeasedAddress, ...], renewal: int, rebinding: int, reason: tuple[int, bytes]
) -> None:
    association = IdentityAssociation(iaid, leased, renewal, rebinding, reason)
    assert IdentityAssociation.decode(association.encode()) == association
    assert iaid_of(association.encode()) == iaid


def test_a_message_of_the_standard_is_read() -> None:
    solicit = bytes.fromhex(
        "01 10 08 74"  # SOLICIT, transaction
        "0001 000a 0003 0001 02 00 00 00 00 07"  # client identifier: DUID-LL
        "0003 000c 00000001 00000000 00000000"  # IA_NA 1
        "0006 0004 0017 0018"  # asks for DNS servers and domains
        "0008 0002 0000".replace(" ", "")
    )
    message = Dhcpv6Message.decode(solicit)
    assert (message.type, message.transaction) == (1, 0x100874)
    assert message.option(OptionCode.CLIENT_ID) == link_layer_duid(parse_mac("02:00:00:00:00:07"))
    assert decode_requested(message.option(OptionCode.OPTION_REQUEST) or b"") == (23, 24)
    assert [IdentityAssociation.decode(each).iaid for each in message.all_of(OptionCode.IA_NA)] == [
        b"\0\0\0\1"
    ]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\1\0\0", "message of 3 octets"),
        (b"\x0c" + bytes(33), "of a relay agent"),
        (b"\1\0\0\1\0", "cut short"),
        (b"\1\0\0\1\0\1\0\5ab", "option 1 of 5 octets where 2 are left"),
    ],
)
def test_a_damaged_message_is_refused_with_the_reason(data: bytes, reason: str) -> None:
    with pytest.raises(MalformedError, match=reason):
        Dhcpv6Message.decode(data)


def test_damaged_options_are_refused_with_the_reason() -> None:
    with pytest.raises(MalformedError, match="identity association of 11"):
        IdentityAssociation.decode(bytes(11))
    with pytest.raises(MalformedError, match="IA address of 23"):
        IdentityAssociation.decode(bytes(12) + encode_options(((5, bytes(23)),)))
    with pytest.raises(MalformedError, match="option request of 3"):
        decode_requested(bytes(3))
    with pytest.raises(MalformedError, match="identity association of 3"):
        iaid_of(bytes(3))
    with pytest.raises(MalformedError, match="status code cut short"):
        status_in((13, b"\0"))
    with pytest.raises(ValueError, match="option 9 of 65536"):
        encode_options(((9, bytes(65536)),))


def test_a_status_is_read_and_its_absence_is_success() -> None:
    assert status_in(None) is StatusCode.SUCCESS
    assert status_in(status(StatusCode.NOT_ON_LINK, "elsewhere")) is StatusCode.NOT_ON_LINK
    assert status_in((13, b"\x12\x34")) == 0x1234


@given(st.lists(codes, max_size=5).map(tuple))
def test_requested_codes_are_read_as_written(wanted: tuple[int, ...]) -> None:
    assert decode_requested(encode_requested(wanted)) == wanted


@given(option_lists)
def test_options_alone_are_read_as_written(options: tuple[tuple[int, bytes], ...]) -> None:
    assert decode_options(encode_options(options)) == options
