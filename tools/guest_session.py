"""A TCP session with a guest for as long as a demonstration lasts: every line that the guest sends must be the next,
and what is sent to it must come back."""

import socket
import threading
import time

from overlace.lab.namespace import entered

PORT = 5000
BEAT = 0.01
"""The guest sends a line so often, in seconds."""


class GuestSession:
    """An open connection, read by a thread of its own."""

    def __init__(self, namespace: str, address: str) -> None:
        with entered(namespace):
            self._connection = socket.create_connection((address, PORT), 10)
        self._connection.settimeout(None)  # silence is no fault by itself
        self._lock = threading.Lock()
        self._lines = 0
        self._echoes: set[bytes] = set()
        self._fault = ""
        threading.Thread(target=self._read, daemon=True).start()

    def intact(self, patience: float = 10.0) -> bool:
        """Whether no line has been missing or come twice until now, further lines come, and an echo comes back."""
        with self._lock:
            target, mark = self._lines + 20, b"echo%d" % self._lines
        try:
            self._connection.sendall(mark + b"\n")
        except OSError as error:
            self._fault = self._fault or str(error)
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            with self._lock:
                if self._fault:
                    return False
                if self._lines >= target and mark in self._echoes:
                    return True
            time.sleep(BEAT)
        return False

    @property
    def fault(self) -> str:
        """What was wrong, if anything was."""
        return self._fault

    def close(self) -> None:
        self._connection.close()

    def _read(self) -> None:
        try:
            for line in self._connection.makefile("rb"):
                with self._lock:
                    if line.startswith(b"echo"):
                        self._echoes.add(line.strip())
                    elif int(line.split()[0]) != self._lines:
                        self._fault = f"line {line!r} came where {self._lines} was due"
                        return
                    else:
                        self._lines += 1
            self._fault = "the guest closed the session"
        except (OSError, ValueError, IndexError) as error:
            self._fault = self._fault or str(error)
