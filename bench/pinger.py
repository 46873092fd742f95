"""One process that asks many guests at once, each until it has answered."""

import multiprocessing
import select
import socket
import time
from ipaddress import IPv4Address
from multiprocessing.connection import Connection

from bench.echo_probe import echo_request

from overlace.lab.namespace import entered

_INTERVAL = 0.02
Target = tuple[int, IPv4Address]
"""A guest's MAC address and its address."""


class Pinger:
    """Sends from one guest's namespace, as that guest."""

    def __init__(self, namespace: str, source: Target) -> None:
        self._pipe, theirs = multiprocessing.Pipe()
        self._process = multiprocessing.Process(target=_run, args=(namespace, source, theirs), daemon=True)
        self._process.start()
        self._pipe.recv()

    def ask(self, target: Target) -> None:
        """From now on, every 20 ms."""
        self._pipe.send(target)

    def answers(self, number: int, timeout: float) -> dict[IPv4Address, float]:
        """When (time.perf_counter) each of so many answered first. Raises TimeoutError after `timeout` seconds."""
        found: dict[IPv4Address, float] = {}
        end = time.perf_counter() + timeout
        while len(found) < number:
            if not self._pipe.poll(max(0.0, end - time.perf_counter())):
                raise TimeoutError(f"{len(found)} of {number} have answered")
            address, at = self._pipe.recv()
            found[address] = at
        return found

    def stop(self) -> None:
        """End the process."""
        self._process.terminate()
        self._process.join()


def _run(namespace: str, source: Target, pipe: Connection) -> None:
    with entered(namespace), socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as sock:
        sock.bind(("eth0", 0x0800))
        sock.setblocking(False)
        pipe.send(None)
        frames: dict[IPv4Address, bytes] = {}
        due = time.perf_counter()
        while True:
            wait = max(0.0, due - time.perf_counter())
            ready = select.select([sock.fileno(), pipe.fileno()], [], [], wait)[0]
            if pipe.fileno() in ready:
                target: Target = pipe.recv()
                frames[target[1]] = echo_request(source, target, b"\x00\x01")
                _send(sock, frames[target[1]])
            if sock.fileno() in ready:
                _hear(sock, frames, pipe)
            if time.perf_counter() >= due:
                due = time.perf_counter() + _INTERVAL
                for frame in frames.values():
                    _send(sock, frame)


def _send(sock: socket.socket, frame: bytes) -> None:
    try:
        sock.send(frame)
    except OSError:
        return  # the queue is full; the next one will do


def _hear(sock: socket.socket, frames: dict[IPv4Address, bytes], pipe: Connection) -> None:
    now = time.perf_counter()
    while True:
        try:
            frame = sock.recv(2048)
        except BlockingIOError:
            return
        address = IPv4Address(frame[26:30])
        if frame[23] == 1 and frame[34] == 0 and frames.pop(address, None) is not None:
            pipe.send((address, now))
