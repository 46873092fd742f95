"""When Python's collector may walk over everything."""

import gc
import weakref
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from overlace.app.collector import Look, Pace, look_at, settle_collector
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


def looks(pace: Pace, revisions: Iterable[int]) -> list[Look | None]:
    return [pace.next(at(number)) for number in revisions]


def test_what_came_is_looked_at_once_in_a_moment_without_changes() -> None:
    pace = Pace()

    assert looks(pace, [1, 2, 3]) == [None] * 3
    assert looks(pace, [3, 3, 3]) == [Look.NEW, None, None]
    assert looks(pace, [4, 4, 4]) == [None, Look.NEW, None]


def test_a_controller_that_is_never_quiet_is_looked_at_every_half_minute() -> None:
    found = looks(Pace(), range(1, 25))

    assert [number for number, each in enumerate(found, 1) if each is Look.NEW] == [6, 12, 18, 24]


def test_everything_is_looked_at_once_a_day_when_it_is_quiet() -> None:
    pace, day = Pace(), 12 * 60 * 24
    # given a day and more that ends in the middle of changes
    assert Look.ALL not in looks(pace, range(day + 100))

    evening = looks(pace, [1] * (day + 100))

    assert [number for number, each in enumerate(evening) if each is Look.ALL] == [1, day + 1]


def test_everything_is_looked_at_once_a_week_where_it_is_never_quiet() -> None:
    week = 12 * 60 * 24 * 7

    assert [number for number, each in enumerate(looks(Pace(), range(2 * week)), 1) if each is Look.ALL] == [
        week,
        2 * week,
    ]


def test_a_cycle_that_was_set_apart_is_found_when_everything_is_looked_at() -> None:
    class Node:
        other: "Node"

    with thresholds_restored():
        one = Node()
        one.other = one
        gone = weakref.ref(one)
        look_at(Look.NEW)
        del one
        assert look_at(Look.NEW) == 0
        assert gone() is not None

        assert look_at(Look.ALL) > 0
        assert gone() is None


def test_python_by_itself_looks_at_the_young_only() -> None:
    with thresholds_restored():
        settle_collector()
        everything = gc.get_stats()[2]["collections"]
        middle = gc.get_stats()[1]["collections"]

        kept = [[number] for number in range(600_000)]

        assert len(kept) == 600_000
        assert gc.get_stats()[1]["collections"] > middle
        assert gc.get_stats()[2]["collections"] == everything
