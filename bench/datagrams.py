"""UDP between two workloads: an exchange that makes the connection established, streams at a rate, floods, and bursts
that come as one.

What arrives is counted by the interface of the receiver: a program that reads would take processor time from the
switches that are measured.
"""

import multiprocessing
import socket
import struct
import time
from pathlib import Path

from overlace.lab.namespace import entered

PAYLOAD = bytes(64)
_BURST = 10
_PATIENCE = 2.0
_UDP_SEGMENT = 103  # linux/udp.h: one send is cut into datagrams of so many bytes


class DatagramPair:
    """Two connected sockets, one in each namespace. Raises TimeoutError when they do not reach each other."""

    def __init__(self, ends: tuple[tuple[str, str], tuple[str, str]], port: int) -> None:
        (near, near_address), (self._far_namespace, far_address) = ends
        self._near = _socket(near, (near_address, port), (far_address, port))
        self._far = _socket(self._far_namespace, (far_address, port), (near_address, port))
        self.exchange()

    def exchange(self) -> float:
        """There and back; gives the seconds."""
        self._drain()
        begin = time.perf_counter()
        self._near.send(PAYLOAD)
        self._far.recv(2048)
        self._far.send(PAYLOAD)
        self._near.recv(2048)
        return time.perf_counter() - begin

    def stream(self, seconds: float, rate: float | None) -> int:
        """Send for so long, `rate` datagrams a second or as fast as possible; gives how many have arrived."""
        before = self._received()
        process = multiprocessing.Process(target=_send, args=(self._near, seconds, rate), daemon=True)
        process.start()
        process.join()
        time.sleep(0.05)
        return self._received() - before

    def bursts(self, count: int, size: int, rate: float) -> int:
        """Send so many bursts, `rate` datagrams a second in all; gives how many datagrams have arrived.

        A burst is one call of this thread, whose datagrams come one right after the other.
        """
        before = self._received()
        segments = [(socket.IPPROTO_UDP, _UDP_SEGMENT, struct.pack("=H", len(PAYLOAD)))]
        burst, begin = [PAYLOAD * size], time.perf_counter()
        for number in range(1, count + 1):
            self._near.sendmsg(burst, segments)
            time.sleep(max(0.0, begin + number * size / rate - time.perf_counter()))
        return self._received() - before

    def close(self) -> None:
        """Both sockets."""
        self._near.close()
        self._far.close()

    def _received(self) -> int:
        with entered(self._far_namespace):
            text = Path("/proc/thread-self/net/dev").read_text()
        return int(text.partition("eth0:")[2].split()[1])

    def _drain(self) -> None:
        for each in (self._near, self._far):
            each.setblocking(False)
            try:
                while True:
                    each.recv(2048)
            except BlockingIOError:
                each.settimeout(_PATIENCE)


def tcp_megabits(ends: tuple[tuple[str, str], tuple[str, str]], port: int, seconds: float) -> float:
    """Megabits a second of one TCP connection from the first to the second."""
    (near, near_address), (far, far_address) = ends
    with entered(far):
        listener = socket.create_server((far_address, port))
    with entered(near):
        client = socket.create_connection((far_address, port), _PATIENCE, (near_address, 0))
    server, _ = listener.accept()
    sender = multiprocessing.Process(target=_send_bytes, args=(client, seconds), daemon=True)
    sender.start()
    client.close()
    begin, received = time.perf_counter(), 0
    while data := server.recv_into(bytearray(1 << 18)):
        received += data
    spent = time.perf_counter() - begin
    sender.join()
    server.close()
    listener.close()
    return received * 8 / spent / 1e6


def _socket(namespace: str, own: tuple[str, int], other: tuple[str, int]) -> socket.socket:
    with entered(namespace):
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.bind(own)
    made.connect(other)
    made.settimeout(_PATIENCE)
    return made


def _send(sock: socket.socket, seconds: float, rate: float | None) -> None:
    sock.setblocking(rate is None)
    begin = time.perf_counter()
    sent = 0
    while (now := time.perf_counter() - begin) < seconds:
        if rate is not None and sent > now * rate:
            time.sleep((sent - now * rate) / rate)
        for _ in range(_BURST):
            try:
                sock.send(PAYLOAD)
            except OSError:
                continue  # the queue is full
        sent += _BURST


def _send_bytes(client: socket.socket, seconds: float) -> None:
    client.settimeout(None)
    end = time.perf_counter() + seconds
    chunk = bytes(1 << 16)
    while time.perf_counter() < end:
        client.sendall(chunk)
    client.close()
