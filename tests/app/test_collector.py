"""When Python's collector may walk over everything."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

from overlace.app.collector import Growth, settle_collector
from overlace.kit.revision import Revision


def at(number: int) -> Revision:
    return Revision("c", 1, number)


@contextmanager
def thresholds_restored() -> Iterator[None]:
    before = gc.get_threshold()
    try:
        yield
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)


def test_nothing_is_looked_at_while_little_was_made() -> None:
    growth = Growth(looks=3)

    assert not any(growth.calls(looks, at(7)) for looks in (3, 5, 12, 12))


def test_much_that_was_made_waits_for_a_moment_without_changes() -> None:
    growth = Growth(looks=0)

    changing = [growth.calls(20, at(number)) for number in range(1, 6)]
    quiet = growth.calls(20, at(5))

    assert changing == [False] * 5
    assert quiet


def test_a_look_at_everything_is_enough_until_as_much_was_made_again() -> None:
    growth = Growth(looks=0)
    growth.calls(10, at(1))

    assert growth.calls(10, at(1))
    assert not growth.calls(19, at(1))
    assert growth.calls(20, at(1))


def test_a_controller_that_is_never_quiet_is_looked_at_too() -> None:
    growth = Growth(looks=0)

    asked = [growth.calls(looks, at(looks)) for looks in range(1, 1001)]

    assert asked.count(True) == 2
    assert asked[499]


def test_python_by_itself_looks_at_the_young_only() -> None:
    with thresholds_restored():
        settle_collector()
        everything = gc.get_stats()[2]["collections"]
        middle = gc.get_stats()[1]["collections"]

        kept = [[number] for number in range(600_000)]

        assert len(kept) == 600_000
        assert gc.get_stats()[1]["collections"] > middle
        assert gc.get_stats()[2]["collections"] == everything
