"""Processors that are kept awake, and left alone afterwards."""

import os
import subprocess
import sys
import time
from pathlib import Path

from bench.awake import awake


def spinning_children_of(pid: int) -> list[int]:
    """Processes of the lowest class that `pid` has started."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(each) for each in children if os.sched_getscheduler(int(each)) == os.SCHED_IDLE]


def until_there_are(number: int) -> list[int]:
    deadline = time.monotonic() + 30
    while len(found := spinning_children_of(os.getpid())) != number and time.monotonic() < deadline:
        time.sleep(0.01)
    return found


def test_each_processor_has_idle_work_until_the_block_ends() -> None:
    with awake():
        found = until_there_are(os.cpu_count() or 1)
        assert len(found) == os.cpu_count()

    assert not any(Path(f"/proc/{each}").exists() for each in found)


def test_the_work_ends_with_a_starter_that_was_killed() -> None:
    code = "from bench.awake import awake\nimport time\nwith awake():\n print(flush=True)\n time.sleep(600)"
    starter = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert starter.stdout is not None
    starter.stdout.readline()
    children = Path(f"/proc/{starter.pid}/task/{starter.pid}/children").read_text().split()
    assert children

    starter.kill()
    starter.communicate()

    deadline = time.monotonic() + 30
    while any(_runs(each) for each in children) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(_runs(each) for each in children)


def _runs(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
