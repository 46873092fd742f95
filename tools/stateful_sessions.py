"""Sessions that only connection tracking lets in: the guest has opened them and is silent since, and what its peer
pushes comes after a move to a host that has never seen them. And somebody who knocks all the time where no rule lets
him in."""

import socket
import threading
import time
from types import TracebackType
from typing import Self

from overlace.lab.guests.guests import Guests
from overlace.lab.namespace import entered

ANSWERS_AT = 5001
KNOCK_AT = 5002
"""The guest's disk writer listens there."""
PAUSE = 0.1
OPEN_SECONDS = 30.0
_CONNECT = """
for i in $(seq {first} {last}); do
    sleep 1000000 | nc {address} {port} > /run/pushed.$i 2>/dev/null &
done
"""


class SilentSessions:
    """TCP connections that a guest opens to its peer, where nobody in the guest ever sends."""

    def __init__(self, guests: Guests, guest: str, namespace: str, addresses: tuple[str, ...], each: int) -> None:
        """So many to each of the peer's addresses."""
        self._guests, self._guest = guests, guest
        self._connections: list[socket.socket] = []
        self._pushed = 0
        for address in addresses:
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            with entered(namespace):
                listener = socket.socket(family)
            with listener:
                listener.bind((address, 0))
                listener.listen(each)
                listener.settimeout(OPEN_SECONDS)
                first = len(self._connections) + 1
                script = _CONNECT.format(
                    first=first, last=first + each - 1, address=address, port=listener.getsockname()[1]
                )
                guests.command(guest, ["sh", "-c", f"({script}) </dev/null >/dev/null 2>&1 &"])
                for _ in range(each):
                    self._connections.append(listener.accept()[0])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        for each in self._connections:
            each.close()

    def arrive(self, patience: float = 20.0) -> int:
        """Push a line into every one; how many of them the guest gets."""
        self._pushed += 1
        for each in self._connections:
            each.sendall(f"push {self._pushed}\n".encode())
        count = f"cat /run/pushed.* | grep -cx 'push {self._pushed}'"
        deadline = time.monotonic() + patience
        while True:
            got = int(self._guests.command(self._guest, ["sh", "-c", count], check=False).stdout or 0)
            if got >= len(self._connections) or time.monotonic() > deadline:
                return got
            time.sleep(PAUSE)


class Knocking:
    """Tries to open a connection that no rule permits, over and over, until the end."""

    def __init__(self, namespace: str, address: str) -> None:
        self.attempts = self.opened = 0
        self._over = threading.Event()
        self._where = (namespace, address)
        self._thread = threading.Thread(target=self._knock, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def _knock(self) -> None:
        namespace, address = self._where
        with entered(namespace):
            while not self._over.is_set():
                self.attempts += 1
                try:
                    socket.create_connection((address, KNOCK_AT), PAUSE).close()
                    self.opened += 1
                except OSError:
                    self._over.wait(PAUSE / 2)


class Asking:
    """A UDP client: always the same two ports, and nothing but questions and answers."""

    def __init__(self, namespace: str, address: str) -> None:
        with entered(namespace):
            self._socket = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.connect((address, ANSWERS_AT))
        self._socket.settimeout(PAUSE)
        self._asked = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def answered(self, patience: float = 10.0) -> bool:
        """Whether a question of now is."""
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            self._asked += 1
            question = f"question {self._asked}".encode()
            self._socket.send(question)
            try:
                while self._socket.recv(100) != question:
                    pass
            except OSError:
                continue
            return True
        return False
