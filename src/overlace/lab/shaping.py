"""One direction of a wide-area link, without sockets: frames and the time in, frames that are due out.

Theory of operation.  A frame first meets the link's state (cut or not) and chance (loss), then the sender's
rate: it leaves when all frames before it have left, and is refused when it would wait longer than the
buffer allows, like the tail drop of a router.  The propagation delay is added last.  Frames never overtake
each other.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

# A buffer of 100 ms at the link's rate, a common size of router buffers; without a rate the delay line
# itself is limited to what 1 Gbit/s puts into half a second.
BUFFER_SECONDS = 0.1
UNLIMITED_BYTES = 64 << 20


@dataclass(slots=True)
class Shape:
    """What a direction does to frames:

    one-way delay in seconds, rate in bit/s (0: no limit), loss probability.
    """

    delay: float = 0.0
    rate: float = 0.0
    loss: float = 0.0
    cut: bool = False


@dataclass(slots=True)
class Counters:
    """Frames and bytes delivered; frames lost by chance, by a full buffer, and by a cut."""

    frames: int = 0
    octets: int = 0
    lost: int = 0
    overflow: int = 0
    cut: int = 0


@dataclass(slots=True)
class Direction:
    """A delay line.  `chance` returns uniform numbers in [0, 1)."""

    chance: Callable[[], float]
    shape: Shape = field(default_factory=Shape)
    counters: Counters = field(default_factory=Counters)
    queue: deque[tuple[float, int, bytes]] = field(default_factory=deque)
    queued: int = 0
    free_at: float = 0.0

    def offer(self, now: float, frame: bytes, port: int) -> None:
        """Take a frame at `now` (seconds, monotonic), to be delivered at `port`."""
        shape = self.shape
        if shape.cut:
            self.counters.cut += 1
            return
        if shape.loss and self.chance() < shape.loss:
            self.counters.lost += 1
            return
        size = len(frame)
        leaves = now
        if shape.rate:
            start = self.free_at if self.free_at > now else now
            if start - now > BUFFER_SECONDS:
                self.counters.overflow += 1
                return
            leaves = self.free_at = start + size * 8 / shape.rate
        if self.queued + size > UNLIMITED_BYTES:
            self.counters.overflow += 1
            return
        self.queued += size
        self.queue.append((leaves + shape.delay, port, frame))

    def deadline(self) -> float | None:
        """When the next frame is due, None when none is under way."""
        return self.queue[0][0] if self.queue else None

    def due(self, now: float) -> Iterator[tuple[int, bytes]]:
        """Take out what is due at `now`: port and frame, in order of arrival."""
        queue = self.queue
        while queue and queue[0][0] <= now:
            _, port, frame = queue.popleft()
            self.queued -= len(frame)
            self.counters.frames += 1
            self.counters.octets += len(frame)
            yield port, frame

    def set_cut(self, cut: bool) -> None:
        """Cut the cable or mend it.  What is under way when the cable is cut is lost."""
        if cut:
            self.counters.cut += len(self.queue)
            self.queue.clear()
            self.queued = 0
        self.shape.cut = cut
