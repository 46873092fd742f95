"""Processors that do not fall asleep while latencies are measured.

An idle processor halts, and to wake it takes tens of microseconds on a machine of one's own, and more than a hundred
on a virtual one, where the host has to be asked: at each of the ten or so hand-overs of one change between client,
controller, disk and switches. So latencies are measured as they are on hosts that are tuned for them (tuned's profile
`latency-performance`, `idle=poll`): with work of the lowest class (sched(7), SCHED_IDLE) on every processor, which
gives way at once to everything else. Whoever is compared is measured under the same condition.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG of prctl(2)
_SPIN = f"""
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl({_DIE_WITH_PARENT}, signal.SIGKILL)
os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
while os.getppid() == int(sys.argv[1]):  # it may have died before it was asked for
    for _ in range(1_000_000):
        pass
"""


@contextmanager
def awake() -> Iterator[None]:
    """Keep every processor of this machine from halting until the end of the block."""
    spinning: list[subprocess.Popen[bytes]] = []
    try:
        for _ in range(os.cpu_count() or 1):
            command = [sys.executable, "-S", "-c", _SPIN, str(os.getpid())]
            spinning.append(subprocess.Popen(command, stdout=subprocess.DEVNULL))
        yield
    finally:
        for each in spinning:
            each.kill()
        for each in spinning:
            each.wait()
