"""Given processes, when they are ended, then only those with the right identity end."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from overlace.lab.process import ProcessId, ancestry, identify, terminate

STUBBORN = "import signal,time; signal.signal(15, signal.SIG_IGN); print('ready', flush=True); time.sleep(60)"


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(["sleep", "60"], text=True)
    yield process
    process.kill()
    process.wait()


def test_a_process_is_ended(sleeper: "subprocess.Popen[str]") -> None:
    identity = identify(sleeper.pid)
    assert identity is not None
    terminate([identity])
    assert sleeper.wait(timeout=1) == -15


def test_a_process_that_took_over_the_id_is_spared(sleeper: "subprocess.Popen[str]") -> None:
    identity = identify(sleeper.pid)
    assert identity is not None
    terminate([ProcessId(identity.pid, identity.started - 1)])
    assert sleeper.poll() is None


def test_a_process_that_ignores_sigterm_is_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", STUBBORN], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        identity = identify(process.pid)
        assert identity is not None
        terminate([identity], patience=0.1)
        assert process.wait(timeout=2) == -9


def test_an_ended_process_has_no_identity(sleeper: "subprocess.Popen[str]") -> None:
    sleeper.kill()
    sleeper.wait()
    assert identify(sleeper.pid) is None


def test_the_ancestry_holds_ourselves_and_our_parent() -> None:
    assert {os.getpid(), os.getppid()} <= ancestry()
