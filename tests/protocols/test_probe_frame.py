"""Probes are as long as they say, and nothing else passes for one."""

import hypothesis.strategies as st
import pytest
from hypothesis import given

from overlace.protocols.probe_frame import NONCE_LENGTH, decode, encode, smallest
from overlace.wire.errors import MalformedError
from overlace.wire.ethernet import EthernetFrame

NONCE = bytes(range(NONCE_LENGTH))


@given(st.binary(min_size=NONCE_LENGTH, max_size=NONCE_LENGTH), st.sampled_from([4, 6]), st.integers(0, 9000))
def test_a_probe_comes_out_as_it_went_in(nonce: bytes, version: int, more: int) -> None:
    size = smallest(version) + more
    assert decode(encode(nonce, size, version), version) == (nonce, size)


def test_the_size_is_that_of_the_underlays_packet() -> None:
    # an inner packet of 1500 bytes in its Ethernet frame is 1550 bytes of IPv4, 1570 of IPv6 (RFC 7348)
    assert len(encode(NONCE, 1550, 4)) == len(encode(NONCE, 1570, 6)) == 1514


@pytest.mark.parametrize("version", [4, 6])
def test_no_probe_is_smaller_than_what_it_says(version: int) -> None:
    with pytest.raises(ValueError, match="no probe of"):
        encode(NONCE, smallest(version) - 1, version)


@given(st.binary(max_size=200))
def test_anything_else_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedError):
        decode(data, 4)


def test_a_probe_that_was_cut_is_refused() -> None:
    whole = EthernetFrame.decode(encode(NONCE, 200, 4))
    cut = EthernetFrame(whole.destination, whole.source, whole.ethertype, whole.payload[:20])
    with pytest.raises(MalformedError, match="without a nonce"):
        decode(cut.encode(), 4)
