"""Given the figures of a demo, when one breaks its promise, then it is named."""

from typing import Any

import pytest
from tools.demo import broken

KEPT: dict[str, Any] = {
    "pings": {"sent": 96, "answered": 96},
    "isolation": {"probes": 11_000, "leaked": 0, "heard_by_own_tenant": 9},
    "first_ping_ms": {"n": 20, "p50": 14.0, "p95": 22.0},
    "move": {"interval_ms": 5, "lost": 1, "lost_without_controller": 0},
    "controller_kill": {"seconds": 20, "lost": 0, "changes_after_restart": 0, "repaired": 3},
}


def test_nothing_is_named_when_all_is_kept() -> None:
    assert broken(KEPT) == []


@pytest.mark.parametrize(
    ("part", "figure", "value", "promise"),
    [
        ("pings", "answered", 95, "every ping"),
        ("isolation", "probes", 9_999, "at least 10,000 frames"),
        ("isolation", "heard_by_own_tenant", 0, "a tenant's own frames"),
        ("isolation", "leaked", 1, "none is delivered"),
        ("first_ping_ms", "n", 19, "20 new ports"),
        ("move", "lost", 2, "a move loses"),
        ("move", "lost_without_controller", 2, "also without"),
        ("controller_kill", "lost", 1, "nothing is lost"),
        ("controller_kill", "repaired", 4, "exactly the 3"),
        ("controller_kill", "changes_after_restart", 1, "nothing else"),
    ],
)
def test_what_is_not_kept_is_named(part: str, figure: str, value: int, promise: str) -> None:
    (named,) = broken(KEPT | {part: KEPT[part] | {figure: value}})
    assert named.startswith(promise)
