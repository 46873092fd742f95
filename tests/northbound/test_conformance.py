"""The public conformance tests of the networking API, as `make conformance` runs them."""

import subprocess
import sys
from pathlib import Path

import pytest
from tools.conformance.lists import HERE, Lists
from tools.conformance.outcome import read_outcome

ROOT = HERE.parent.parent
SUITE = "tempest.api.network"


def test_every_listed_test_of_the_first_suite_passes() -> None:
    subprocess.run(["make", "-s", "build/conformance-venv/.installed"], cwd=ROOT, timeout=600, check=True)
    command = [sys.executable, "-m", "tools.conformance", SUITE]
    ran = subprocess.run(command, cwd=ROOT, text=True, capture_output=True, timeout=600, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    count = sum(name.startswith(SUITE) for name in Lists.read().run)
    assert f"{count} of {count} passed" in ran.stdout


def test_given_output_of_the_suite_when_read_then_only_ok_is_a_pass() -> None:
    names = frozenset(
        f"{SUITE}.test_a.{name}" for name in ("A.ok", "A.bad", "A.silent", "B.lost", "C.skipped")
    )
    output = f"""
{{0}} {SUITE}.test_a.A.ok [0.1s] ... ok
{{1}} {SUITE}.test_a.A.bad [0.1s] ... FAILED
{{1}} setUpClass ({SUITE}.test_a.B) [0.000000s] ... FAILED
{{0}} {SUITE}.test_a.C.skipped ... SKIPPED: no such thing
"""
    outcome = read_outcome(output, names)
    assert outcome.passed == {f"{SUITE}.test_a.A.ok"}
    assert {name.rpartition(".")[2]: fate for name, fate in outcome.otherwise.items()} == {
        "bad": "failed",
        "silent": "not run",
        "lost": "failed",
        "skipped": "skipped: no such thing",
    }


def test_given_a_test_in_no_list_when_compared_with_the_suite_then_it_is_named(tmp_path: Path) -> None:
    (tmp_path / "run.txt").write_text("a.one\n")
    (tmp_path / "not_run.txt").write_text("# why\n= routers are later work\na.two\n")
    lists = Lists.read(tmp_path)
    assert lists.not_run == {"a.two": "routers are later work"}
    assert lists.objections({"a.one", "a.three"}) == [
        "a.three: in the suite, but in neither list",
        "a.two: listed, but not in the suite",
    ]


def test_given_a_test_that_is_not_run_without_a_reason_when_read_then_refused(tmp_path: Path) -> None:
    (tmp_path / "run.txt").write_text("")
    (tmp_path / "not_run.txt").write_text("a.two\n")
    with pytest.raises(ValueError, match="no reason"):
        Lists.read(tmp_path)
