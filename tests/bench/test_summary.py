"""Ratios of samples that were taken side by side."""

import pytest
from bench.summary import Ratio


def test_pairs_are_compared_with_each_other_and_not_with_the_rest() -> None:
    # given a machine that is four times as slow in every other round, and a system that costs a tenth more
    theirs = [1.0, 4.0] * 10
    ours = [each * 1.1 for each in theirs]

    # then the machine's moods do not widen the interval
    ratio = Ratio.paired(ours, theirs)
    assert (ratio.value, ratio.low, ratio.high) == pytest.approx((1.1, 1.1, 1.1))


def test_series_of_different_length_are_no_pairs() -> None:
    with pytest.raises(ValueError, match="longer"):
        Ratio.paired([1.0], [1.0, 2.0])
