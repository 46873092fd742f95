"""When Python's collector may walk over everything."""

import asyncio
import gc
import weakref
from collections.abc import Callable, Iterator

import pytest

from overlace.app.collector import (
    DAY,
    LATEST,
    MUCH,
    QUIET,
    WEEK,
    Look,
    Pace,
    look_at,
    look_at_intervals,
)
from overlace.kit.revision import Revision


def at(number: int) -> Revision:
    return Revision("c", 1, number)


@pytest.fixture
def collector() -> Iterator[None]:
    """As it was, afterwards."""
    yield
    gc.unfreeze()
    gc.enable()


def looks(
    pace: Pace, begin: float, end: float, revision: Callable[[int], int], step: float = 1.0
) -> list[tuple[float, Look]]:
    """The looks at more than the young, from one time to another."""
    times = [begin + step * number for number in range(int((end - begin) / step))]
    found = [(now, pace.next(now, at(revision(number)))) for number, now in enumerate(times)]
    return [(now, look) for now, look in found if look is not Look.YOUNG]


def test_what_came_is_looked_at_once_after_five_seconds_without_changes() -> None:
    pace = Pace(0.0)

    assert looks(pace, 0, 3, lambda number: number) == []
    assert looks(pace, 3, 30, lambda _: 3) == [(3 + QUIET, Look.NEW)]
    assert looks(pace, 30, 38, lambda _: 4) == [(30 + QUIET, Look.NEW)]


def test_a_controller_that_is_never_quiet_is_looked_at_every_half_minute() -> None:
    assert looks(Pace(0.0), 0, 100, lambda number: number) == [
        (LATEST, Look.NEW),
        (2 * LATEST, Look.NEW),
        (3 * LATEST, Look.NEW),
    ]


def test_much_that_came_is_looked_at_before_it_is_more() -> None:
    pace = Pace(0.0)

    assert [pace.next(0.1, at(1), MUCH / 2), pace.next(0.2, at(2), MUCH)] == [Look.YOUNG, Look.NEW]


def test_everything_is_looked_at_once_a_day_when_it_is_quiet() -> None:
    pace = Pace(0.0)
    # given a day and more that ends in the middle of changes
    busy = looks(pace, 0, DAY + 100, lambda number: number, step=10)
    assert Look.ALL not in {look for _, look in busy}

    evening = looks(pace, DAY + 100, 2 * DAY + 200, lambda _: 1, step=10)

    assert [now for now, look in evening if look is Look.ALL] == [DAY + 110, 2 * DAY + 110]


def test_everything_is_looked_at_once_a_week_where_it_is_never_quiet() -> None:
    found = looks(Pace(0.0), 0, 2 * WEEK + 100, lambda number: number, step=100)

    assert [now for now, look in found if look is Look.ALL] == [WEEK, 2 * WEEK]


class Node:
    """One that may refer to itself."""

    other: "Node"


@pytest.mark.usefixtures("collector")
def test_a_cycle_that_was_set_apart_is_found_when_everything_is_looked_at() -> None:
    one = Node()
    one.other = one
    gone = weakref.ref(one)
    look_at(Look.NEW)
    del one
    assert look_at(Look.NEW) == 0
    assert gone() is not None

    assert look_at(Look.ALL) > 0
    assert gone() is None


@pytest.mark.usefixtures("collector")
async def test_the_young_are_looked_at_by_the_clock_and_by_nothing_else() -> None:
    gc.disable()
    running = asyncio.get_running_loop().create_task(look_at_intervals(lambda: at(1)))
    await asyncio.sleep(0)
    # given a cycle of one's own that nobody can reach, and much that is made
    one = Node()
    one.other = one
    gone = asyncio.Event()
    kept = weakref.ref(one, lambda _: gone.set())
    del one
    made = [[number] for number in range(100_000)]
    assert kept() is not None

    async with asyncio.timeout(20):
        await gone.wait()

    assert len(made) == 100_000
    running.cancel()
