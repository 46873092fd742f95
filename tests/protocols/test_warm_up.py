"""Ways are warmed when they begin to be needed and again before the switch forgets, at a pace."""

import hypothesis.strategies as st
from hypothesis import given

from overlace.protocols.warm_up import REFRESH_SECONDS, Pair, WarmUp

A_B, A_C, B_A = ("a", "b"), ("a", "c"), ("b", "a")


def test_a_new_way_is_warmed_at_once_and_again_before_it_is_forgotten() -> None:
    ways = WarmUp()
    ways.begin([A_B])
    assert ways.due(100, 10) == [A_B]
    assert ways.due(100 + REFRESH_SECONDS - 1, 10) == []
    assert ways.due(100 + REFRESH_SECONDS, 10) == [A_B]


def test_what_is_new_goes_before_what_is_to_be_refreshed() -> None:
    ways = WarmUp()
    ways.begin([A_B])
    ways.due(0, 10)
    ways.begin([A_C])
    assert ways.due(REFRESH_SECONDS, 1) == [A_C]
    assert ways.due(REFRESH_SECONDS, 1) == [A_B]


def test_a_way_that_is_needed_for_a_second_reason_stays_warm() -> None:
    ways = WarmUp()
    ways.begin([A_B])
    ways.due(0, 10)
    ways.begin([A_B])
    assert ways.due(1, 10) == []


def test_a_way_that_is_needed_no_more_is_forgotten() -> None:
    ways = WarmUp()
    ways.begin([A_B, B_A])
    ways.end([A_B, A_C])
    assert (ways.due(0, 10), len(ways)) == ([B_A], 1)
    ways.restarted("a")
    assert ways.due(1, 10) == []


def test_a_host_that_comes_back_has_forgotten_its_own_ways() -> None:
    ways = WarmUp()
    ways.begin([A_B, A_C, B_A])
    ways.due(0, 10)
    ways.restarted("a")
    assert set(ways.due(1, 10)) == {A_B, A_C}


pairs = st.tuples(st.sampled_from("abcd"), st.sampled_from("wxyz"))


@given(st.frozensets(pairs), st.integers(1, 5))
def test_the_pace_is_kept_and_none_is_left_out(wanted: frozenset[Pair], limit: int) -> None:
    ways = WarmUp()
    ways.begin(wanted)
    served: list[Pair] = []
    while some := ways.due(7.0, limit):
        assert len(some) <= limit
        served += some
    assert sorted(served) == sorted(wanted)
