"""Given how fast a guest writes and what the way carries, the mode is the cheapest that comes to an end."""

import pytest

from overlace.model.procedure import Mode
from overlace.orchestration.qmp.terms import capabilities, choose, must_follow, parameters

MBIT = 125_000


@pytest.mark.parametrize(
    ("writes_mbit", "bandwidth_mbit", "mode"),
    [
        (0, 100, Mode.PRE_COPY),
        (39, 100, Mode.PRE_COPY),
        (41, 100, Mode.MULTIFD),
        (99, 100, Mode.MULTIFD),
        (100, 100, Mode.POST_COPY),
        (500, 0, Mode.MULTIFD),
        (1500, 0, Mode.POST_COPY),
    ],
)
def test_the_mode_follows_what_the_guest_writes(writes_mbit: int, bandwidth_mbit: int, mode: Mode) -> None:
    assert choose(Mode.AUTO, writes_mbit * MBIT, bandwidth_mbit).mode is mode


def test_what_somebody_asked_for_stays() -> None:
    for mode in (Mode.PRE_COPY, Mode.MULTIFD, Mode.POST_COPY):
        assert choose(mode, 10_000 * MBIT, 10).mode is mode


def test_multifd_and_post_copy_are_never_asked_for_together() -> None:
    for mode in Mode:
        states = {each["capability"]: each["state"] for each in capabilities(choose(mode, 0, 0))}
        assert not (states["multifd"] and states["postcopy-ram"])
        assert states["pause-before-switchover"]


def test_a_limit_holds_for_both_phases() -> None:
    given = parameters(choose(Mode.POST_COPY, 0, 80))
    assert given["max-bandwidth"] == given["max-postcopy-bandwidth"] == 80 * MBIT


@pytest.mark.parametrize(
    ("mode", "passes", "dirty_mbit", "follows"),
    [
        (Mode.AUTO, 5, 90, True),
        (Mode.AUTO, 5, 50, False),
        (Mode.AUTO, 2, 90, False),
        (Mode.PRE_COPY, 9, 200, False),
        (Mode.POST_COPY, 1, 0, False),
        (Mode.POST_COPY, 2, 0, True),
    ],
)
def test_post_copy_takes_over_where_passes_do_not_get_shorter(
    mode: Mode, passes: int, dirty_mbit: int, follows: bool
) -> None:
    ram = {
        "dirty-sync-count": passes,
        "dirty-pages-rate": dirty_mbit * MBIT // 4096,
        "page-size": 4096,
        "mbps": 100,
    }
    assert must_follow(choose(mode, 0, 100), {"ram": ram}) is follows
