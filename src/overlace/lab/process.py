"""Processes that the laboratory started: who they are, and ending them without hitting a stranger.

A process id may be used again after its process has ended, so an identity is the id with the start time;
signals go through a pidfd, which refers to one process for good (pidfd_open(2)).
"""

import os
import select
import signal
import time
from collections.abc import Iterable
from pathlib import Path

import msgspec


class ProcessId(msgspec.Struct, frozen=True):
    """A process: its id and its start time in clock ticks since boot (proc(5), /proc/PID/stat field 22)."""

    pid: int
    started: int


def identify(pid: int) -> ProcessId | None:
    """The identity of a running process, None when there is none (or only a zombie)."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The second field is the program's name in parentheses and may hold anything, even parentheses.
    fields = text[text.rindex(")") + 2 :].split()
    return None if fields[0] == "Z" else ProcessId(pid, int(fields[19]))


def read_pidfile(path: Path) -> ProcessId | None:
    """The identity of the process named by a pid file, None when it is not running."""
    try:
        return identify(int(path.read_text()))
    except (FileNotFoundError, ValueError):
        return None


def ancestry() -> frozenset[int]:
    """This process and those it descends from."""
    pids: set[int] = set()
    pid = os.getpid()
    while pid > 0 and pid not in pids:
        pids.add(pid)
        try:
            text = Path(f"/proc/{pid}/stat").read_text()
        except FileNotFoundError:
            break
        pid = int(text[text.rindex(")") + 2 :].split()[1])
    return frozenset(pids)


def terminate(processes: Iterable[ProcessId], patience: float = 2.0) -> None:
    """End the processes: SIGTERM, and SIGKILL for what is still there after `patience` seconds.

    Processes that are gone, or whose id belongs to another process by now, are left alone.
    """
    handles: dict[int, ProcessId] = {}
    try:
        for process in processes:
            try:
                handle = os.pidfd_open(process.pid)
            except ProcessLookupError:
                continue
            if identify(process.pid) == process:
                handles[handle] = process
            else:
                os.close(handle)
        for number, seconds in ((signal.SIGTERM, patience), (signal.SIGKILL, 2.0)):
            _signal_and_wait(handles, number, seconds)
    finally:
        for handle in handles:
            os.close(handle)


def _signal_and_wait(handles: dict[int, ProcessId], number: signal.Signals, seconds: float) -> None:
    running = [handle for handle, process in handles.items() if identify(process.pid) == process]
    for handle in running:
        try:
            signal.pidfd_send_signal(handle, number)
        except ProcessLookupError:
            continue
    deadline = time.monotonic() + seconds
    while running and (left := deadline - time.monotonic()) > 0:
        poller = select.poll()
        for handle in running:
            poller.register(handle, select.POLLIN)
        ended = {handle for handle, _ in poller.poll(left * 1000)}
        running = [handle for handle in running if handle not in ended]
