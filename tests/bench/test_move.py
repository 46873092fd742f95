"""What moves cost beside others: the figures, from moves as they might be. `make bench ONLY=move` makes the moves."""

import pytest
from bench.evpn import mesh
from bench.move import Moved, figures, loss_ratio

from bench import report

OURS = [Moved(0, 1.2, 0), Moved(1, 2.2, 0), Moved(0, 1.3, 0)]
OTHERS = [Moved(4, 5.0, 3), Moved(6, 7.0, 5), Moved(5, 6.0, 4)]


def moved() -> dict[str, list[Moved]]:
    return {"overlace": OURS, "overlace-silent": OURS, "ovn": OURS, "ovn-rarp": OTHERS, "evpn": OTHERS}


def test_each_contender_is_told_and_compared_with() -> None:
    told = figures(moved())

    assert told["overlace"]["unanswered"]["mean"] == pytest.approx(0.33)
    assert told["overlace"]["gap_ms"]["p50"] == 1.3
    assert "overlace_over_it" not in told["overlace"]
    over = told["evpn"]["overlace_over_it"]
    assert over["gap"]["value"] == pytest.approx(1.3 / 6.0, abs=0.001)
    assert over["unanswered"]["value"] == pytest.approx(1 / 15, abs=0.001)
    assert over["unanswered"]["low"] == 0


def test_losses_are_not_compared_with_nearly_none() -> None:
    assert loss_ratio([0, 1, 0], [0, 1, 0]) is None
    ratio = loss_ratio([1, 1, 1], [2, 2, 2])
    assert ratio is not None
    assert (ratio.low, ratio.value, ratio.high) == (0.5, 0.5, 0.5)


def test_the_table_says_where_losses_are_too_few() -> None:
    lines = report.move(figures(moved()))

    assert [line for line in lines if "OVN, frames to both" in line][0].endswith("too few to compare |")
    assert any("arp_accept" in line and "0.07" in line for line in lines)


def test_every_host_tells_every_other_at_once_where_a_workload_is() -> None:
    lines = mesh("10.1.0.1", ["10.1.0.2", "10.1.0.3"]).splitlines()

    for other in ("10.1.0.2", "10.1.0.3"):
        assert {f" neighbor {other} advertisement-interval 0", f"  neighbor {other} activate"} <= set(lines)
    assert {" coalesce-time 0", "  advertise-all-vni", "  no dup-addr-detection"} <= set(lines)
