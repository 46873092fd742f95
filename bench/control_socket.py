"""The control socket of an Open vSwitch or OVN daemon, spoken to as by ovs-appctl(8): no process for each command."""

import json
import socket
from pathlib import Path


class ControlSocket:
    """One connection that is kept."""

    def __init__(self, path: Path) -> None:
        self._connection = socket.socket(socket.AF_UNIX)
        self._connection.connect(str(path))
        self._requests = 0

    def run(self, method: str, *words: str) -> str:
        """One command, and what it prints. Raises RuntimeError with what the daemon says against it."""
        self._requests += 1
        request = {"id": self._requests, "method": method, "params": list(words)}
        self._connection.sendall(json.dumps(request).encode())
        answer = self._answer()
        if answer.get("error"):
            raise RuntimeError(f"{method} {' '.join(words)}: {answer['error']}")
        return str(answer["result"])

    def _answer(self) -> dict[str, object]:
        received = b""
        while True:
            data = self._connection.recv(1 << 16)
            if not data:
                raise RuntimeError("the daemon has ended")
            received += data
            try:
                answer: dict[str, object] = json.loads(received)
            except ValueError:
                continue
            return answer
