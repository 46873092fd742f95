"""`make conformance`: the public conformance tests of the networking API against a controller of its own.

Writes build/conformance.json and docs/conformance.md; ends with 1 when a test of the list has not passed.
With the beginning of a name (`python -m tools.conformance tempest.api.network`) only those tests are run, and nothing
is written.
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
SUITES = ("tempest.api.network.", "neutron_tempest_plugin.api.")
LONGEST = 600
"""Seconds after which the run is given up."""


def main(suite: str) -> int:
    """Run the listed tests whose names begin with `suite`; report when that is all."""
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
        wanted = frozenset(each for each in lists.run if each.startswith(suite))
        outcome = _run(workspace, [names[each] for each in sorted(wanted)], wanted)
        alive = server.alive()
    for name, fate in outcome.otherwise.items():
        print(f"{name}: {fate}")
    print(f"{len(outcome.passed)} of {len(wanted)} passed in {time.monotonic() - begun:.0f} s")
    if wanted == lists.run:
        _report(lists, outcome, extensions)
    if not alive:
        sys.exit("the controller has ended")
    return 1 if outcome.otherwise else 0


def _names(workspace: Path) -> dict[str, str]:
    """Every test of the suite: name -> name with the marks that the suite needs to find it."""
    listed = _suite(workspace, "run", "--list-tests", "--regex", "|".join(f"^{each}" for each in SUITES))
    tests = [line.strip() for line in listed.splitlines() if line.startswith(SUITES)]
    return {test.partition("[")[0]: test for test in tests}


def _run(workspace: Path, tests: list[str], wanted: frozenset[str]) -> Outcome:
    listing = workspace / "wanted.txt"
    listing.write_text("\n".join(tests) + "\n")
    output = _suite(workspace, "run", "--load-list", str(listing), "--concurrency", "2", check=False)
    (workspace / "output.txt").write_text(output)
    return read_outcome(output, wanted)


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


def _report(lists: Lists, outcome: Outcome, extensions: list[str]) -> None:
    packages = (HERE / "requirements.txt").read_text().split()
    suite = " and ".join(each.replace("==", " ") for each in packages if "tempest" in each)
    figures = {"suite": suite, "run": len(lists.run), **outcome.counts()}
    figures |= {"not_run": len(lists.not_run), "otherwise": outcome.otherwise}
    (BUILD / "conformance.json").write_text(json.dumps(figures, indent=1) + "\n")
    (ROOT / "docs" / "conformance.md").write_text(document(lists, outcome, extensions, suite))


if __name__ == "__main__":
    sys.exit(main("".join(sys.argv[1:])))
