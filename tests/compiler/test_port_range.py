import hypothesis.strategies as st
import pytest
from hypothesis import given

from overlace.compiler.port_range import masked_ranges


@given(st.integers(0, 0xFFFF), st.integers(0, 0xFFFF))
def test_the_masks_cover_the_range_and_nothing_else(one: int, other: int) -> None:
    low, high = min(one, other), max(one, other)
    masks = masked_ranges(low, high)
    for port in {0, low - 1, low, low + 1, (low + high) // 2, high - 1, high, high + 1, 0xFFFF}:
        if 0 <= port <= 0xFFFF:
            assert any(port & mask == value for value, mask in masks) == (low <= port <= high)
    assert len(masks) <= 30


def test_one_port_is_an_exact_match() -> None:
    assert masked_ranges(80, 80) == [(80, 0xFFFF)]


def test_all_ports_are_no_match_at_all() -> None:
    assert masked_ranges(0, 0xFFFF) == [(0, 0)]


@pytest.mark.parametrize(("low", "high"), [(2, 1), (-1, 5), (0, 0x10000)])
def test_what_is_no_range_is_refused(low: int, high: int) -> None:
    with pytest.raises(ValueError, match="no range"):
        masked_ranges(low, high)
