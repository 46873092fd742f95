"""Given the figures of an evacuation, when one breaks its promise, then it is named."""

from typing import Any

import pytest
from tools.evacuation_demo import KILLED_AT, broken, busiest

KEPT: dict[str, Any] = {
    "machines": 2,
    "seconds": 60.0,
    "states": ["done", "done"],
    "planned": True,
    "controller_killed_at": list(KILLED_AT),
    "most_at_a_time": {"host": 2, "link": 2},
    "sessions_intact": 2,
    "answering": 2,
    "disks_verified": 2,
    "at_the_other_site": 2,
    "faults": [],
}


def test_nothing_is_named_when_all_is_kept() -> None:
    assert broken(KEPT, 2) == []


@pytest.mark.parametrize(
    ("figure", "value", "promise"),
    [
        ("planned", False, "the dry run"),
        ("states", ["done", "failed"], "every move is done"),
        ("states", ["done"], "every move is done"),
        ("at_the_other_site", 1, "every machine"),
        ("answering", 1, "every service"),
        ("sessions_intact", 1, "every session"),
        ("disks_verified", 1, "every disk"),
        ("controller_killed_at", ["preparing"], "the controller is killed"),
        ("most_at_a_time", {"host": 3, "link": 3}, "no limit"),
        ("most_at_a_time", {"host": 2, "link": 5}, "no limit"),
    ],
)
def test_what_is_not_kept_is_named(figure: str, value: object, promise: str) -> None:
    (named,) = broken(KEPT | {figure: value}, 2)
    assert named.startswith(promise)


def test_a_move_counts_at_both_its_hosts_while_it_is_under_way() -> None:
    most = {"host": 0, "link": 0}
    steps = ("queued", "copying", "finishing", "closed")
    busiest([{"step": step, "from_host": "h1", "to_host": "h3"} for step in steps], most)
    assert most == {"host": 2, "link": 2}
