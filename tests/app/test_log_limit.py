"""Lines of one event are counted; other events are not its business."""

import logging

import pytest
import structlog

from overlace.app.log_limit import LogLimit
from overlace.kit.clock import ManualClock


def written(limit: LogLimit, event: str, number: int) -> int:
    """How many of so many lines pass."""
    passed = 0
    for _ in range(number):
        try:
            limit(None, "info", {"event": event})
        except structlog.DropEvent:
            continue
        passed += 1
    return passed


def test_given_a_flood_of_one_event_when_written_then_others_still_pass() -> None:
    limit = LogLimit(ManualClock().monotonic, burst=3, rate=1)
    assert written(limit, "refused", 1000) == 3
    assert written(limit, "connected", 1) == 1


def test_given_a_gap_when_lines_pass_again_then_the_first_says_how_many_are_missing() -> None:
    clock = ManualClock()
    limit = LogLimit(clock.monotonic, burst=1, rate=1)
    assert written(limit, "refused", 5) == 1
    clock.advance(1)
    assert limit(None, "info", {"event": "refused"}) == {"event": "refused", "suppressed": 4}
    clock.advance(1)
    assert limit(None, "info", {"event": "refused"}) == {"event": "refused"}


def test_given_a_library_that_repeats_itself_when_filtered_then_it_is_cut_too() -> None:
    limit = LogLimit(ManualClock().monotonic, burst=2, rate=1)
    record = logging.LogRecord("uvicorn.error", logging.WARNING, "", 0, "Invalid HTTP request", None, None)
    assert [limit.filter(record) for _ in range(4)] == [True, True, False, False]


def test_given_ever_new_events_when_written_then_no_more_are_remembered_than_needed() -> None:
    limit = LogLimit(ManualClock().monotonic)
    for each in range(5000):
        limit(None, "info", {"event": f"event {each}"})
    assert len(limit._allowances) <= 1000


def test_given_many_requests_when_they_succeed_then_each_leaves_its_line_and_refusals_do_not() -> None:
    limit = LogLimit(ManualClock().monotonic, burst=1, rate=1)
    for _ in range(10):
        assert limit(None, "info", {"event": "request", "status": 201})["status"] == 201
    assert limit(None, "info", {"event": "request", "status": 401})
    with pytest.raises(structlog.DropEvent):
        limit(None, "info", {"event": "request", "status": 401})
