"""Looking at the controller's machine: is there room, can one write, who keeps the clock?"""

import ctypes
import os
import resource
import tempfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from overlace.app.doctor.facts import MachineFacts
from overlace.store.history import LoggedRevision

_TRIAL = 256 << 10
"""Bytes that are written to see whether one can."""
_UNSYNCHRONISED = 0x0040
"""STA_UNSYNC of adjtimex(2)."""
_TIMEX_WORDS = 64
"""Room for struct timex; its status is the sixth word of the size of a long (adjtimex(2))."""
_STATUS_WORD = 5


def machine_facts(
    database: Path, newest: Sequence[LoggedRevision], store_failure: str | None
) -> MachineFacts:
    """What is so now; blocks for as long as the disk takes to write a little."""
    room = os.statvfs(database.parent)
    return MachineFacts(
        database=str(database),
        free=room.f_bavail * room.f_frsize,
        size=room.f_blocks * room.f_frsize,
        unwritable=_unwritable(database),
        store_failure=store_failure,
        newest_change=datetime.fromisoformat(newest[0].at) if newest else None,
        clock_synchronised=_clock_synchronised(),
        file_limit=resource.getrlimit(resource.RLIMIT_NOFILE)[0],
    )


def _unwritable(database: Path) -> str | None:
    try:
        with tempfile.TemporaryFile(dir=database.parent) as trial:
            trial.write(bytes(_TRIAL))
            trial.flush()
            os.fsync(trial.fileno())
    except OSError as error:
        return error.strerror or str(error)
    return None if os.access(database, os.W_OK) else f"{database} is not ours to write"


def _clock_synchronised() -> bool:
    """What the kernel was told by a time service; where it cannot be asked, nothing is found."""
    timex = (ctypes.c_long * _TIMEX_WORDS)()
    if ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(timex)) < 0:
        return True
    return not int(timex[_STATUS_WORD]) & _UNSYNCHRONISED
