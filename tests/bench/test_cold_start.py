"""Restarts of both systems' controllers under traffic, small."""

import os

import pytest
from bench.cold_start import run


@pytest.mark.lab
def test_both_systems_are_restarted_and_forward_again() -> None:
    taken = run(0, rounds=1, seconds=4.0, name=f"t{os.getpid()}cs")

    # then each stream has got through, but for what a restart may cost
    for outcomes in taken.values():
        [outcome] = outcomes
        assert outcome.sent == 4_000
        assert outcome.lost < outcome.sent
