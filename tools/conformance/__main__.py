"""`make conformance`: the public conformance tests of the networking API against a controller of its own.

Writes build/conformance.json and docs/conformance.md; ends with 1 when a test of the list has not passed.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from tools.conformance.document import document
from tools.conformance.lists import HERE, Lists
from tools.conformance.outcome import Outcome, read_outcome
from tools.conformance.server import Server
from tools.conformance.workspace import configure

ROOT = HERE.parent.parent
BUILD = ROOT / "build"
SUITE = BUILD / "conformance-venv" / "bin" / "tempest"
LONGEST = 600
"""Seconds after which the run is given up."""


def main() -> int:
    """Run and report."""
    lists = Lists.read()
    work = BUILD / "conformance"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    _suite(work, "init", "--workspace-path", str(work / "workspaces.yaml"), str(work / "workspace"))
    workspace = work / "workspace"
    begun = time.monotonic()
    with Server(work) as server:
        extensions = configure(workspace, server)
        names = _names(workspace)
        if objections := lists.objections(set(names)):
            sys.exit("\n".join(objections))
        outcome = _run(workspace, [names[each] for each in sorted(lists.run)], lists)
        alive = server.alive()
    _report(lists, outcome, extensions, time.monotonic() - begun)
    if not alive:
        sys.exit("the controller has ended")
    return 1 if outcome.otherwise else 0


def _names(workspace: Path) -> dict[str, str]:
    """Every test of the suite: name -> name with the marks that the suite needs to find it."""
    listed = _suite(workspace, "run", "--list-tests", "--regex", "^tempest.api.network")
    tests = [line.strip() for line in listed.splitlines() if line.startswith("tempest.")]
    return {test.partition("[")[0]: test for test in tests}


def _run(workspace: Path, tests: list[str], lists: Lists) -> Outcome:
    wanted = workspace / "wanted.txt"
    wanted.write_text("\n".join(tests) + "\n")
    output = _suite(workspace, "run", "--load-list", str(wanted), "--concurrency", "2", check=False)
    (workspace / "output.txt").write_text(output)
    return read_outcome(output, lists.run)


def _suite(directory: Path, *arguments: str, check: bool = True) -> str:
    environment = {
        **os.environ,
        "TEMPEST_CONFIG_DIR": str(directory / "etc"),
        "TEMPEST_CONFIG": "tempest.conf",
        "HOME": str(directory),
    }
    done = subprocess.run(
        [str(SUITE), *arguments],
        cwd=directory,
        env=environment,
        text=True,
        capture_output=True,
        timeout=LONGEST,
    )
    if check and done.returncode:
        sys.exit(f"tempest {' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def _report(lists: Lists, outcome: Outcome, extensions: list[str], seconds: float) -> None:
    suite = (HERE / "requirements.txt").read_text().strip().replace("==", " ")
    figures = {"suite": suite, "seconds": round(seconds), "run": len(lists.run), **outcome.counts()}
    figures |= {"not_run": len(lists.not_run), "otherwise": outcome.otherwise}
    (BUILD / "conformance.json").write_text(json.dumps(figures, indent=1) + "\n")
    (ROOT / "docs" / "conformance.md").write_text(document(lists, outcome, extensions, suite))
    for name, fate in outcome.otherwise.items():
        print(f"{name}: {fate}")
    print(
        f"{len(outcome.passed)} of {len(lists.run)} passed in {seconds:.0f} s; {len(lists.not_run)} not run"
    )


if __name__ == "__main__":
    sys.exit(main())
