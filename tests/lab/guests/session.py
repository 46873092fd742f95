"""A TCP session with a guest's server, which sends a numbered line every 10 ms."""

import socket
import time
from types import TracebackType
from typing import Self

from overlace.lab.lab import Lab
from overlace.lab.namespace import entered

PORT = 5000


class Session:
    """An open connection from a workload to a guest; every line must be the next."""

    def __init__(self, lab: Lab, workload: str, address: str) -> None:
        with entered(lab.plan.workload_namespace(workload)):
            self._connection = socket.create_connection((address, PORT), 10)
        self._lines = self._connection.makefile("rb")
        self._next = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lines.close()
        self._connection.close()

    def goes_on(self, beats: int, patience: float = 20.0) -> bool:
        """Whether so many further lines come that were sent after this was asked; none missing, none twice."""
        self._drain()
        for _ in range(beats):
            self._connection.settimeout(patience)
            number = int(self._lines.readline().split()[0])
            if number != self._next:
                return False
            self._next += 1
        return True

    def _drain(self) -> None:
        """Read what has piled up: until a line has to be waited for."""
        while True:
            began = time.monotonic()
            number = int(self._lines.readline().split()[0])
            assert number == self._next, f"line {number} came where {self._next} was due"
            self._next += 1
            if time.monotonic() - began > 0.003:
                return
