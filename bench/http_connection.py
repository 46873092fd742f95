"""A kept HTTP connection whose requests are made before the clock starts, as bench/control_socket.py is for OVN."""

import json
import socket
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

from overlace.lab.namespace import entered


class HttpConnection:
    """To an API on loopback, of a namespace if one is named."""

    def __init__(self, namespace: str | None = None, port: int = 9696) -> None:
        with nullcontext() if namespace is None else entered(namespace):
            self._connection = socket.create_connection(("127.0.0.1", port), timeout=60)
        self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def post(self, path: str, body: object) -> Callable[[], dict[str, Any]]:
        """The call that sends the request and gives the answer. It raises RuntimeError with what a refusal says."""
        content = json.dumps(body).encode()
        head = f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
        request = f"{head}content-length: {len(content)}\r\n\r\n".encode() + content

        def call() -> dict[str, Any]:
            self._connection.sendall(request)
            status, answer = self._answer()
            if status >= 400:
                raise RuntimeError(f"POST {path}: {status} {answer.decode()}")
            found: dict[str, Any] = json.loads(answer)
            return found

        return call

    def close(self) -> None:
        """Let go of it."""
        self._connection.close()

    def _answer(self) -> tuple[int, bytes]:
        received = b""
        while b"\r\n\r\n" not in received:
            received += self._some()
        head, _, content = received.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines[1:])
        while len(content) < int(headers["content-length"]):
            content += self._some()
        return int(lines[0].split()[1]), content

    def _some(self) -> bytes:
        data = self._connection.recv(1 << 16)
        if not data:
            raise RuntimeError("the API has closed the connection")
        return data
