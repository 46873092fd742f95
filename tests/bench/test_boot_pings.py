"""A small boot storm on real switches: every guest answers, and nothing of it is left."""

import os

import pytest
from bench.answering_taps import answered
from bench.boot_pings import run


@pytest.mark.lab
def test_every_guest_answers_after_it_was_plugged() -> None:
    found = run(ports=12, clients=3, hosts=2, rounds=2, name=f"t{os.getpid()}bp")

    assert found["answer_after_plugging_ms"]["n"] == found["request_ms"]["n"] == 24
    assert found["seconds"]["n"] == 2
    assert found["answer_after_plugging_ms"]["max"] <= found["seconds"]["max"] * 1000


def test_what_is_no_echo_request_is_not_answered() -> None:
    assert answered(bytes(60)) is None
    assert answered(b"\xff" * 12 + b"\x08\x06" + bytes(46)) is None
