"""Programs that run beside a test and never outlive it."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def beside(process: "subprocess.Popen[str]") -> Iterator["subprocess.Popen[str]"]:
    """The process during the block; killed at its end."""
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def first_line(process: "subprocess.Popen[str]") -> str:
    """The first line the process writes: programs say so when they are ready."""
    assert process.stdout is not None
    return process.stdout.readline().strip()
