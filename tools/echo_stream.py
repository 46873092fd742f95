"""A steady stream of ICMP echo requests from inside a workload, and what came of it.

ping(8) keeps its interval only as well as the kernel's timer allows (8 ms for 5 on a kernel with 250 ticks), and
counts what is in flight at its end as lost. This one sends on time, and waits for the last answers.
"""

import multiprocessing
import select
import socket
import struct
import time
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from multiprocessing.connection import Connection

from overlace.lab.namespace import entered
from overlace.wire.checksum import internet_checksum

_REQUEST = {4: 8, 6: 128}
_REPLY = {4: 0, 6: 129}
_LAST_ANSWERS = 1.0
_IDENTIFIER = 0x4F56


@dataclass(frozen=True, slots=True)
class Outcome:
    """Requests sent and never answered, and the longest silence in seconds: between two answers, or between the last
    answer and the end."""

    sent: int
    lost: int
    longest_gap: float


class EchoStream:
    """Begins at once; `outcome` waits for its end. `interval` and `duration` in seconds."""

    def __init__(self, namespace: str, target: str, duration: float, interval: float = 0.005) -> None:
        self._pipe, theirs = multiprocessing.Pipe()
        arguments = (namespace, target, round(duration / interval), interval, theirs)
        self._process = multiprocessing.Process(target=_stream, args=arguments, daemon=True)
        self._process.start()

    def stop(self) -> None:
        """Send no more, long before its time; `outcome` waits for the last answers only."""
        self._pipe.send(None)

    def outcome(self) -> Outcome:
        """Raises EOFError when the stream could not run to its end."""
        outcome: Outcome = self._pipe.recv()
        self._process.join()
        return outcome


def _stream(namespace: str, target: str, count: int, interval: float, pipe: Connection) -> None:
    version = ip_address(target).version
    family, protocol = (
        (socket.AF_INET, socket.IPPROTO_ICMP) if version == 4 else (socket.AF_INET6, socket.IPPROTO_ICMPV6)
    )
    with entered(namespace), socket.socket(family, socket.SOCK_RAW, protocol) as sock:
        sock.setblocking(False)
        answered: dict[int, float] = {}
        due = time.monotonic()
        for sequence in range(count):
            if pipe.poll():
                count = sequence
                break
            _send(sock, version, target, sequence)
            due += interval
            _listen(sock, version, due, answered)
        last = time.monotonic() + _LAST_ANSWERS
        while len(answered) < count and time.monotonic() < last:
            _listen(sock, version, min(last, time.monotonic() + 0.05), answered)
    pipe.send(Outcome(count, count - len(answered), longest_silence(answered, count, due)))


def longest_silence(answered: Mapping[int, float], count: int, end: float) -> float:
    """The longest time without an answer, of `count` requests of which these were answered, the last due by `end`."""
    times = sorted(answered.values())
    if times and count - 1 not in answered:
        times.append(max(times[-1], end))
    return max((later - sooner for sooner, later in zip(times, times[1:], strict=False)), default=0.0)


def _send(sock: socket.socket, version: int, target: str, sequence: int) -> None:
    message = struct.pack("!BBHHH", _REQUEST[version], 0, 0, _IDENTIFIER, sequence & 0xFFFF)
    message += struct.pack("!I", sequence)
    if version == 4:  # the kernel itself fills in the checksum of ICMPv6
        message = message[:2] + struct.pack("!H", internet_checksum(message)) + message[4:]
    try:
        sock.sendto(message, (target, 0))
    except OSError:
        return  # counts as lost


def _listen(sock: socket.socket, version: int, until: float, answered: dict[int, float]) -> None:
    """Note answers until it is time for the next request."""
    while (wait := until - time.monotonic()) > 0:
        if not select.select([sock], [], [], wait)[0]:
            return
        data = sock.recv(2048)
        message = data[(data[0] & 0xF) * 4 :] if version == 4 else data
        if len(message) < 12 or message[0] != _REPLY[version]:
            continue
        if message[4:6] == _IDENTIFIER.to_bytes(2, "big"):
            answered.setdefault(int.from_bytes(message[8:12], "big"), time.monotonic())
