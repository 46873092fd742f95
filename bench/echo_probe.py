"""An ICMP echo sender that sees the first answer to the half millisecond.

It writes whole frames to a packet socket inside a workload's namespace: no resolver and no retry timer of the
kernel disturbs it. One thread sends at a steady interval, another waits for answers.
"""

import socket
import struct
import threading
import time
from ipaddress import IPv4Address

from overlace.lab.namespace import entered
from overlace.wire.checksum import internet_checksum
from overlace.wire.ipv4 import Ipv4Packet

_ICMP = 1
_ECHO_REQUEST, _ECHO_REPLY = 8, 0


class EchoProbe:
    """Echo requests from (`source_mac`, `source`) to (`target_mac`, `target`) every `interval` seconds."""

    def __init__(
        self,
        namespace: str,
        source: tuple[int, IPv4Address],
        target: tuple[int, IPv4Address],
        identifier: int,
        interval: float = 0.0005,
    ) -> None:
        with entered(namespace):
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800))
        self._socket.bind(("eth0", 0x0800))
        self._socket.settimeout(0.2)
        self._identifier = identifier.to_bytes(2, "big")
        self._frame = _request(source, target, self._identifier)
        self._target = target[1].packed
        self._interval = interval
        self._ended = threading.Event()
        self._answered = threading.Event()
        self._first: float | None = None
        self._threads = [threading.Thread(target=each, daemon=True) for each in (self._send, self._receive)]
        for thread in self._threads:
            thread.start()

    @property
    def answered(self) -> bool:
        """Whether an answer has come."""
        return self._answered.is_set()

    def first_answer(self, timeout: float) -> float | None:
        """When the first answer came (time.perf_counter); None when none comes within `timeout` seconds."""
        self._answered.wait(timeout)
        return self._first

    def stop(self) -> None:
        """End both threads and close the socket."""
        self._ended.set()
        for thread in self._threads:
            thread.join()
        self._socket.close()

    def _send(self) -> None:
        due = time.perf_counter()
        while not self._ended.is_set():
            try:
                self._socket.send(self._frame)
            except OSError:
                pass  # the queue is full; the next one will do
            due = max(due + self._interval, time.perf_counter())
            time.sleep(max(0.0, due - time.perf_counter()))

    def _receive(self) -> None:
        while not self._ended.is_set():
            try:
                frame = self._socket.recv(2048)
            except TimeoutError:
                continue
            now = time.perf_counter()
            is_answer = frame[23] == _ICMP and frame[34] == _ECHO_REPLY and frame[26:30] == self._target
            if is_answer and frame[38:40] == self._identifier and self._first is None:
                self._first = now
                self._answered.set()


def _request(source: tuple[int, IPv4Address], target: tuple[int, IPv4Address], identifier: bytes) -> bytes:
    message = struct.pack("!BBH", _ECHO_REQUEST, 0, 0) + identifier + bytes(2) + b"first packet".ljust(32)
    message = message[:2] + struct.pack("!H", internet_checksum(message)) + message[4:]
    packet = Ipv4Packet(source[1], target[1], _ICMP, message).encode()
    return target[0].to_bytes(6, "big") + source[0].to_bytes(6, "big") + b"\x08\x00" + packet
