"""Given many moves, when their figures are summed up, then one bad move in a hundred is allowed, and two are named."""

from typing import Any

import pytest
from tools.many_moves import broken, summary


def moved(lost: int, *not_as_planned: str) -> dict[str, Any]:
    figures = {"sent": 900, "lost": lost, "unanswered": lost, "gap_ms": 1.2}
    return {"to": "h3", **figures, "not_as_planned": list(not_as_planned)}


def test_one_bad_move_of_a_hundred_is_above_the_percentile() -> None:
    figures = summary([moved(0)] * 50 + [moved(1)] * 49 + [moved(7)])
    assert (figures["lost_p50"], figures["lost_p99"], figures["lost_most"], figures["lost"]) == (1, 1, 7, 56)
    assert broken(figures, 100) == []


@pytest.mark.parametrize(
    ("moves", "promise"),
    [
        ([moved(0)] * 98 + [moved(2)] * 2, "99 of 100 moves"),
        ([moved(0)] * 99 + [moved(0, "h2")], "the tables are as planned"),
        ([moved(0)] * 99, "all 100 moves"),
        ([moved(0) | {"sent": 3}] * 100, "the stream runs"),
    ],
)
def test_what_is_not_kept_is_named(moves: list[dict[str, Any]], promise: str) -> None:
    assert [named[: len(promise)] for named in broken(summary(moves), 100)][-1:] == [promise]
