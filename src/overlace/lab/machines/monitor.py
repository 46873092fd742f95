"""QEMU's monitor, spoken from one thread: commands and answers (QEMU, docs/interop/qmp-spec.txt)."""

import json
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from overlace.lab.errors import LabError

PATIENCE = 10.0


class Monitor:
    """A connection to a monitor. Raises `LabError` when QEMU does not answer or refuses."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._buffer = b""
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._socket.connect(str(path))
        except OSError as error:
            self._socket.close()
            raise LabError(f"no guest answers at {path} ({error.strerror}): is it running?") from error
        self._message(time.monotonic() + PATIENCE)  # the greeting
        self.execute("qmp_capabilities")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def execute(
        self, command: str, arguments: Mapping[str, object] | None = None, *, descriptor: int | None = None
    ) -> Any:
        """Carry out one command and return what it returns; events that come meanwhile are passed over.

        `descriptor` goes along, for the commands that take one.
        """
        request = {"execute": command} if arguments is None else {"execute": command, "arguments": arguments}
        try:
            passed = [] if descriptor is None else [descriptor]
            socket.send_fds(self._socket, [json.dumps(request).encode() + b"\n"], passed)
        except OSError as error:
            raise LabError(f"the guest at {self._path} ended ({error.strerror})") from error
        deadline = time.monotonic() + PATIENCE
        while True:
            message = self._message(deadline)
            if "error" in message:
                raise LabError(f"QEMU refused {command}: {message['error']['desc']}")
            if "return" in message:
                return message["return"]

    def _message(self, deadline: float) -> dict[str, Any]:
        while b"\n" not in self._buffer:
            self._socket.settimeout(max(0.001, deadline - time.monotonic()))
            try:
                part = self._socket.recv(65536)
            except TimeoutError as error:
                raise LabError(f"QEMU did not answer in time at {self._path}") from error
            except OSError as error:
                raise LabError(f"the guest at {self._path} ended ({error.strerror})") from error
            if not part:
                raise LabError(f"the guest at {self._path} ended")
            self._buffer += part
        line, _, self._buffer = self._buffer.partition(b"\n")
        message: dict[str, Any] = json.loads(line)
        return message
