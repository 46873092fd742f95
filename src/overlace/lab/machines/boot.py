"""Whether a machine has booted: it says so on its console."""

import time
from pathlib import Path

from overlace.lab.errors import LabError
from overlace.lab.process import read_pidfile

BOOT_SECONDS = 60.0
_PAUSE = 0.05


def await_ready(
    name: str, kind: str, console_log: Path, pidfile: Path, patience: float = BOOT_SECONDS
) -> None:
    """Wait until it says that it is ready. Raises `LabError` with its last words."""
    deadline = time.monotonic() + patience
    while f"READY {name}" not in _console_text(console_log):
        if read_pidfile(pidfile) is None:
            raise LabError(
                f"{kind} '{name}' ended while it booted: {_console_text(console_log)[-500:].strip()}"
            )
        if time.monotonic() > deadline:
            raise LabError(f"{kind} '{name}' did not boot within {patience:g} s; see {console_log}")
        time.sleep(_PAUSE)


def _console_text(console_log: Path) -> str:
    try:
        return console_log.read_text(errors="replace")
    except FileNotFoundError:
        return ""
