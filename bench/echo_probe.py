"""An ICMP echo sender that sees the first answer to the half millisecond.

It writes whole frames to a packet socket inside a workload's namespace: no resolver and no retry timer of the
kernel disturbs it. It is a process of its own, so that it does not contend with the caller for the interpreter;
time.perf_counter is the machine's monotonic clock and means the same in both.
"""

import multiprocessing
import select
import socket
import struct
import time
from dataclasses import dataclass
from ipaddress import IPv4Address
from multiprocessing.connection import Connection

from overlace.lab.namespace import entered
from overlace.wire.checksum import internet_checksum
from overlace.wire.ipv4 import Ipv4Packet

_ICMP = 1
_ECHO_REQUEST, _ECHO_REPLY = 8, 0


@dataclass(frozen=True, slots=True)
class Echo:
    """Echo requests from one (MAC, address) to another, every `interval` seconds."""

    namespace: str
    source: tuple[int, IPv4Address]
    target: tuple[int, IPv4Address]
    identifier: int
    interval: float = 0.0005


class EchoProbe:
    """Sends from its making until `stop`."""

    def __init__(self, echo: Echo) -> None:
        self._pipe, theirs = multiprocessing.Pipe()
        self._process = multiprocessing.Process(target=_run, args=(echo, theirs), daemon=True)
        self._process.start()
        self._pipe.recv()  # it has begun to send

    @property
    def answered(self) -> bool:
        """Whether an answer has come."""
        return self._pipe.poll()

    def first_answer(self, timeout: float) -> float | None:
        """When the first answer came (time.perf_counter); None when none comes within `timeout` seconds."""
        return float(self._pipe.recv()) if self._pipe.poll(timeout) else None

    def stop(self) -> None:
        """End the process."""
        self._process.terminate()
        self._process.join()


def _run(echo: Echo, pipe: Connection) -> None:
    identifier = echo.identifier.to_bytes(2, "big")
    frame = echo_request(echo.source, echo.target, identifier)
    with entered(echo.namespace), socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as sock:
        sock.bind(("eth0", 0x0800))
        sock.setblocking(False)
        pipe.send(None)
        due = time.perf_counter()
        answered = False
        while True:
            wait = due - time.perf_counter()
            if wait > 0 and select.select([sock], [], [], wait)[0]:
                now = time.perf_counter()
                if not answered and _is_answer(sock.recv(2048), echo.target[1], identifier):
                    answered = True
                    pipe.send(now)
            elif wait <= 0:
                due = time.perf_counter() + echo.interval
                try:
                    sock.send(frame)
                except OSError:
                    continue  # the queue is full; the next one will do


def _is_answer(frame: bytes, target: IPv4Address, identifier: bytes) -> bool:
    is_reply = frame[23] == _ICMP and frame[34] == _ECHO_REPLY and frame[26:30] == target.packed
    return is_reply and frame[38:40] == identifier


def echo_request(
    source: tuple[int, IPv4Address], target: tuple[int, IPv4Address], identifier: bytes
) -> bytes:
    """A whole frame (RFC 792)."""
    message = struct.pack("!BBH", _ECHO_REQUEST, 0, 0) + identifier + bytes(2) + b"first packet".ljust(32)
    message = message[:2] + struct.pack("!H", internet_checksum(message)) + message[4:]
    packet = Ipv4Packet(source[1], target[1], _ICMP, message).encode()
    return target[0].to_bytes(6, "big") + source[0].to_bytes(6, "big") + b"\x08\x00" + packet
