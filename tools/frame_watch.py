"""What became of every frame between a guest and its peer while the guest moved: an account by conservation.

Sockets at the switches' interfaces (the peer's, and the guest's TAP at either host) note each frame that enters a
switch and each that a switch hands out, with the kernel's time. A frame is known by its bytes, since a layer-2 network
changes none; so a second copy counts once, and what entered and was handed out nowhere is lost by name, not by
subtraction of counters that were read at different moments. Counted are unicast ICMP echoes, TCP and UDP: whatever else
there is (ARP, neighbour discovery) the switches may answer themselves.
"""

import multiprocessing
import select
import socket
import struct
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.connection import Connection

from overlace.lab.errors import LabError
from overlace.lab.namespace import entered

SO_TIMESTAMPNS = 35
SO_RCVBUFFORCE = 33
PACKET_OUTGOING = 4
ETH_P_ALL = 3
BUFFER = 16 << 20
LOOK = 0.01
"""How often an interface that is not there yet is looked for, in seconds."""
SURE = 0.2
"""What enters within this time of the beginning does not count: it may have come out before that was watched."""
PEER = "peer"


@dataclass(frozen=True, slots=True)
class Seen:
    """A frame at an interface: when, by the machine's clock, and whether the switch handed it out there."""

    point: str
    frame: bytes
    at: float
    out: bool


@dataclass(frozen=True, slots=True)
class Account:
    """What came of the frames of one move."""

    entered: int
    lost: int
    """Reached neither TAP (or, from the guest, not the peer)."""
    gap_ms: float
    """For how long the network lost, at most: from the first of several lost in a row to the next that was not."""
    misdelivered: int
    """Handed to the guest's old TAP only, after it was heard at the new host: QEMU announces it there as it goes on."""
    missing: tuple[Seen, ...] = ()
    """Those that were lost."""
    went_on: float = 0.0
    """When the guest was heard at the new host first."""


class FrameWatch:
    """Begins at once; interfaces that are not there yet are watched when they come."""

    def __init__(self, points: Mapping[str, tuple[str, str]], guest: str, peer: str) -> None:
        """`points` are namespace and interface by name: PEER, and the guest's hosts. `guest` and `peer` are MACs."""
        self._guest, self._peer = (bytes.fromhex(mac.replace(":", "")) for mac in (guest, peer))
        self._pipe, theirs = multiprocessing.Pipe()
        arguments = (dict(points), self._guest, self._peer, theirs)
        self._process = multiprocessing.Process(target=_watch, args=arguments, daemon=True)
        self._process.start()
        self._since: float = self._pipe.recv() + SURE

    def stop(self) -> list[Seen]:
        """All that was seen."""
        self._pipe.send(None)
        seen: list[Seen] = self._pipe.recv()
        self._process.join()
        return seen

    def account(self, seen: list[Seen], destination: str, last: float) -> Account:
        """`destination` is the guest's new host, `last` when the last frame entered that counts, by the machine's
        clock."""
        return account(seen, self._guest, destination, self._since, last)


def account(seen: list[Seen], guest: bytes, destination: str, since: float, last: float) -> Account:
    """See `FrameWatch.account`; what entered before `since` or after `last` does not count."""
    begun: dict[bytes, Seen] = {}
    handed: dict[bytes, list[Seen]] = {}
    for each in seen:
        if each.out:
            handed.setdefault(each.frame, []).append(each)
        elif since <= each.at <= last and not announces(each.frame):
            begun.setdefault(each.frame, each)
    ordered = sorted(begun.values(), key=lambda each: each.at)
    lost = [each for each in ordered if each.frame not in handed]
    went_on = min((each.at for each in seen if each.point == destination and not each.out), default=last)
    wrong = [
        each
        for each in ordered
        if each.frame[:6] == guest
        and (got := handed.get(each.frame))
        and all(it.point != destination and it.at > went_on for it in got)
    ]
    ways = [[each for each in ordered if (each.frame[:6] == guest) is towards] for towards in (True, False)]
    gap = max(_gap(way, handed) for way in ways)
    return Account(len(ordered), len(lost), round(gap * 1000, 1), len(wrong), tuple(lost), went_on)


def _gap(ordered: list[Seen], handed: Mapping[bytes, object]) -> float:
    longest, since = 0.0, None
    for each in ordered:
        if each.frame not in handed:
            since = each.at if since is None else since
        elif since is not None:
            longest, since = max(longest, each.at - since), None
    return longest if since is None else max(longest, ordered[-1].at - since)


def counts(frame: bytes) -> bool:
    """Whether a frame is an ICMP echo, TCP or UDP, over IPv4 or IPv6."""
    kind = frame[12:14]
    if kind == b"\x08\x00" and len(frame) > 34:
        protocol, message = frame[23], frame[14 + (frame[14] & 0xF) * 4 :]
        return protocol in (6, 17) or (protocol == 1 and message[:1] in (b"\x00", b"\x08"))
    if kind == b"\x86\xdd" and len(frame) > 54:
        return frame[20] in (6, 17) or (frame[20] == 58 and frame[54] in (128, 129))
    return False


def described(frame: bytes) -> str:
    """A frame that counts, for people: what it is, and from port to port."""
    version, body = (4, frame[34:]) if frame[12:14] == b"\x08\x00" else (6, frame[54:])
    protocol = frame[23] if version == 4 else frame[20]
    if protocol not in (6, 17):
        return f"IPv{version} echo {'request' if body[0] in (8, 128) else 'reply'}"
    source, destination = struct.unpack_from("!HH", body)
    return f"IPv{version} {'TCP' if protocol == 6 else 'UDP'} {source} to {destination}"


def announces(frame: bytes) -> bool:
    """Whether a frame is the word of where its sender is (RARP), which goes to everybody."""
    return frame[12:14] == b"\x80\x35"


def _watch(points: dict[str, tuple[str, str]], guest: bytes, peer: bytes, pipe: Connection) -> None:
    waiting, sockets, seen = dict(points), dict[int, tuple[str, socket.socket]](), list[Seen]()
    pairs = {guest + peer, peer + guest}
    told = False
    next_look = 0.0
    while True:
        if waiting and time.monotonic() >= next_look:
            for point, (namespace, interface) in list(waiting.items()):
                opened = _opened(namespace, interface)
                if opened is not None:
                    sockets[opened.fileno()] = (point, opened)
                    del waiting[point]
            next_look = time.monotonic() + LOOK
        if not told:
            pipe.send(datetime.now(UTC).timestamp())  # it watches
            told = True
        found = select.select([pipe.fileno(), *sockets], [], [], LOOK)[0]
        if found == [pipe.fileno()]:  # and nothing is left to read
            pipe.send(seen)
            return
        for ready in found:
            if ready == pipe.fileno():
                continue
            point, sock = sockets[ready]
            try:
                frame, ancillary, _, address = sock.recvmsg(2048, 64)
            except OSError:  # the interface is not up yet, or has gone with its host's guest
                sock.close()
                del sockets[ready]
                waiting[point] = points[point]
                continue
            if (frame[:12] in pairs and counts(frame)) or (frame[6:12] == guest and announces(frame)):
                seconds, nanoseconds = struct.unpack("qq", ancillary[0][2])
                seen.append(Seen(point, frame, seconds + nanoseconds / 1e9, address[2] == PACKET_OUTGOING))


def _opened(namespace: str, interface: str) -> socket.socket | None:
    try:
        with entered(namespace):
            sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    except LabError:
        return None
    sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, BUFFER)
    sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    try:
        sock.bind((interface, ETH_P_ALL))
    except OSError:
        sock.close()
        return None
    return sock
