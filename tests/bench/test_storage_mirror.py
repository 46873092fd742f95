"""Given a small disk, when it is copied to the other site by either method, then the copy is the original."""

import json
import sys
from pathlib import Path

import pytest

from bench import storage_mirror

pytestmark = pytest.mark.lab


def test_both_methods_copy_the_whole_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    output = tmp_path / "storage.json"
    small = ["--delays", "2", "--losses", "0", "--disk", "32", "--data", "4", "--limit", "60"]
    monkeypatch.setattr(sys, "argv", ["storage_mirror", *small, "--output", str(output)])
    storage_mirror.main()
    cases = json.loads(output.read_text())["cases"]
    assert [case["method"] for case in cases] == ["mirror", "stripes"]
    assert all(case["done"] and case["identical"] for case in cases)
    assert all(4 < case["wire_mb"] < 12 for case in cases)
    assert all(speed > 0 for case in cases for speed in case["storage_mb_s"])
    assert all(case["processors_busy"] > 0 for case in cases)


def test_what_did_not_come_to_an_end_is_told_as_that() -> None:
    way = {"rtt_ms": 50.0, "loss_pct": 0.1, "control": "reno", "identical": True, "wire_mb": 120.4}
    way |= {"storage_mb_s": (800.0, 120.4), "processors_busy": 0.94}
    mirrored = way | {"method": "mirror", "done": False, "seconds": 120.0}
    striped = way | {"method": "stripes", "done": True, "seconds": 30.0}
    (line,) = storage_mirror.table([mirrored, striped]).splitlines()[2:]
    stuck = "not done after 120 s: 120 MB sent"
    assert (
        line
        == f"| 50 ms | 0.1 % | {stuck} | 30.0 s | over 4.0; 4.0 by bytes sent | 800, 120; 800, 120 | 0.9; 0.9 |"
    )
    (line,) = storage_mirror.table([mirrored | {"done": True}]).splitlines()[2:]
    assert line == "| 50 ms | 0.1 % | 120.0 s | not measured |  | 800, 120 | 0.9 |"
    striped |= {"done": False, "seconds": 60.0}
    (line,) = storage_mirror.table([mirrored, striped]).splitlines()[2:]
    assert "| 2.0 by bytes sent |" in line
