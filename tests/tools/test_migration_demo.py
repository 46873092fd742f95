"""Given the figures of moves, when one breaks its promise, then it is named."""

from typing import Any

import pytest
from tools.migration_demo import broken, line

RECEIPT = {
    "from_host": "h1",
    "to_host": "h3",
    "generation": 2,
    "state": "done",
    "prepared_by": "api",
    "activated_by": "api",
    "reason": "",
}
KEPT: dict[str, Any] = {
    "mode": "qmp",
    "from": "h1",
    "to": "h3",
    "session_intact": True,
    "silent_sessions": 20,
    "silent_sessions_alive": 20,
    "unsolicited": 80,
    "unsolicited_let_in": 0,
    "disk_verified": True,
    "network_lost": 1,
    "network_gap_ms": 5.0,
    "guest_stop_ms": 300.0,
    "frames": 9000,
    "misdelivered": 0,
    "pings_lost": 20,
    "ping_gap_ms": 400.0,
    "memory_mb": 60.0,
    "receipt": RECEIPT,
}


def test_nothing_is_named_when_all_is_kept() -> None:
    assert broken([KEPT, KEPT], 2) == []


@pytest.mark.parametrize(
    ("figure", "value", "promise"),
    [
        ("session_intact", False, "the session outlives"),
        ("silent_sessions_alive", 19, "every silent session"),
        ("unsolicited_let_in", 1, "what nobody asked for"),
        ("unsolicited", 0, "what nobody asked for"),
        ("disk_verified", False, "the disk holds"),
        ("network_lost", 2, "the network loses"),
        ("frames", 10, "frames are watched"),
        ("receipt", RECEIPT | {"to_host": "h1"}, "every move leaves its receipt"),
        ("receipt", RECEIPT | {"state": "aborted"}, "every move leaves its receipt"),
    ],
)
def test_what_is_not_kept_in_one_move_is_named(figure: str, value: object, promise: str) -> None:
    (named,) = broken([KEPT, KEPT | {figure: value}], 2)
    assert named.startswith(promise)


def test_moves_that_are_not_made_are_named() -> None:
    (named,) = broken([KEPT], 2)
    assert named.startswith("all 2 moves")


def test_a_broken_session_and_disk_are_told_in_capitals() -> None:
    shown = line(KEPT | {"session_intact": False, "disk_verified": False})
    assert "session BROKEN, 20 of 20 silent ones alive  unsolicited let in 0 of 80  disk WRONG" in shown
