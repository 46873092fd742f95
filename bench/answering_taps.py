"""Guests of one host that answer echo requests and nothing else: a TAP each, all read by one process.

A real guest would take a second to boot and a namespace a tenth of one to make; here they are there before the clock
starts, so that what is measured is the network. A guest knows no MAC address of others: it answers to where a request
came from.
"""

import fcntl
import multiprocessing
import os
import select
import struct
from collections.abc import Sequence
from multiprocessing.connection import Connection

from overlace.lab.execution import ip_batch
from overlace.lab.namespace import entered
from overlace.wire.checksum import internet_checksum

_TUNSETIFF = 0x400454CA
_IFF_TAP_NO_PI = 0x0002 | 0x1000
_ETHERNET, _ICMP_AT, _ICMP = 14, 34, 1


class AnsweringTaps:
    """They live from its making until `stop`, in this namespace, under these names."""

    def __init__(self, namespace: str, names: Sequence[str], mtu: int) -> None:
        pipe, theirs = multiprocessing.Pipe()
        self._process = multiprocessing.Process(target=_run, args=(namespace, names, theirs), daemon=True)
        self._process.start()
        pipe.recv()  # they are there
        ip_batch([f"link set {name} mtu {mtu} up" for name in names], netns=namespace)

    def stop(self) -> None:
        """End the process, and its interfaces with it."""
        self._process.terminate()
        self._process.join()


def _run(namespace: str, names: Sequence[str], pipe: Connection) -> None:
    poll = select.epoll()
    with entered(namespace):
        for name in names:
            tap = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
            fcntl.ioctl(tap, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _IFF_TAP_NO_PI))
            poll.register(tap, select.EPOLLIN)
    pipe.send(None)
    while True:
        for tap, _ in poll.poll():
            try:
                while True:
                    if answer := answered(os.read(tap, 2048)):
                        os.write(tap, answer)
            except BlockingIOError:
                continue


def answered(frame: bytes) -> bytes | None:
    """The echo reply to an ICMP echo request over IPv4 without options (RFC 792); None for anything else."""
    is_ipv4 = frame[12:14] == b"\x08\x00" and frame[_ETHERNET] == 0x45
    if not is_ipv4 or frame[23] != _ICMP or frame[_ICMP_AT] != 8:
        return None
    ethernet = frame[6:12] + frame[:6] + frame[12:14]
    ip = frame[_ETHERNET:26] + frame[30:34] + frame[26:30]  # sums are the same in any order
    end = _ETHERNET + int.from_bytes(frame[16:18], "big")
    message = bytes(4) + frame[_ICMP_AT + 4 : end]
    return ethernet + ip + message[:2] + struct.pack("!H", internet_checksum(message)) + message[4:]
