"""Given two sites, when the wide-area network changes, then pings between them show it."""

import sys
import time

import pytest

from overlace.lab.errors import LabError
from overlace.lab.lab import Lab

from .overlay import round_trips

pytestmark = pytest.mark.lab


BURST = """
import socket, sys
sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for _ in range(100):
    sender.sendto(bytes(1400), (sys.argv[1], 9))
"""


def ping(lab: Lab, count: int = 10) -> list[float]:
    """Round-trip times in ms from a host of one site to one of the other, address resolution aside."""
    far = lab.host("h3").endpoints[0]
    lab.host_run("h1", ["ping", "-c", "3", "-i", "0.2", "-W", "1", far], check=False)
    command = ["ping", "-c", str(count), "-i", "0.02", "-W", "1", far]
    return round_trips(lab.host_run("h1", command, check=False).stdout)


@pytest.mark.parametrize("delay", [0.0, 10.0, 40.0])
def test_the_delay_is_added_once_each_way(lab: Lab, delay: float) -> None:
    lab.wan(delay_ms=delay, loss_pct=0, rate_mbit=0)
    times = sorted(ping(lab))
    assert len(times) == 10
    assert 2 * delay <= times[0]
    assert times[len(times) // 2] < 2 * delay + 8


def test_one_direction_can_be_slower_than_the_other(lab: Lab) -> None:
    links = lab.wan(delay_ms=0, loss_pct=0)
    links = lab.wan(delay_ms=30, sender="site-b")
    assert [(way.sender, way.delay_ms) for way in links["wan"]] == [("site-a", 0.0), ("site-b", 30.0)]
    assert 30 <= min(ping(lab)) < 60


def test_loss_takes_about_its_share(lab: Lab) -> None:
    lab.wan(delay_ms=0, loss_pct=30)
    arrived = len(ping(lab, count=100))
    lab.wan(loss_pct=0)
    # 49 % of round trips survive 30 % each way; six standard deviations are 30 of 100.
    assert 19 <= arrived <= 79


def test_the_rate_limits_a_stream(lab: Lab) -> None:
    lab.wan(delay_ms=0, rate_mbit=1, loss_pct=0)
    far = lab.host("h3").endpoints[0]
    lab.host_run("h1", ["ping", "-c", "2", "-i", "0.2", far], check=False)
    before = lab.wan()["wan"][0].counters
    lab.host_run("h1", [sys.executable, "-c", BURST, far])
    time.sleep(0.5)
    after = lab.wan(rate_mbit=0)["wan"][0].counters
    # 0.1 s of buffer at 1 Mbit/s holds 9 such frames.
    assert 8 <= after["frames"] - before["frames"] <= 12
    assert after["overflow"] - before["overflow"] >= 88


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"delay_ms": -1.0}, "delay_ms is -1.0: choose 0 to 10000"),
        ({"loss_pct": 200.0}, "loss_pct is 200.0: choose 0 to 100"),
    ],
)
def test_a_figure_out_of_range_is_refused(lab: Lab, change: dict[str, float], message: str) -> None:
    with pytest.raises(LabError, match=message):
        lab.wan(
            delay_ms=change.get("delay_ms"),
            rate_mbit=change.get("rate_mbit"),
            loss_pct=change.get("loss_pct"),
        )


def test_unknown_links_and_senders_are_told(lab: Lab) -> None:
    with pytest.raises(LabError, match="'uplink-h1' is not a wide-area link; these are: wan"):
        lab.wan("uplink-h1", delay_ms=1)
    with pytest.raises(LabError, match="begins at 'h1'; choose one of site-a, site-b"):
        lab.wan(delay_ms=1, sender="h1")
