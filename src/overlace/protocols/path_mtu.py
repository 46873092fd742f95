"""Path-MTU probes between hosts: what to send when, and what to conclude from what arrives.

Open vSwitch drops a tunnel packet that is too long for the underlay without a word, so what a way carries is
found out by sending (in the manner of RFC 4821, packetization layer path MTU discovery). One round for a way:

    the size that its networks need -> arrives: it carries that, done
    the smallest size               -> does not arrive either: the way is silent, nothing is known
    sizes between the two           -> until the largest that arrives is known

A size is believed not to pass when ATTEMPTS probes of it in a row were lost. Pure: time and arrivals in, probes
and findings out. A probe that arrives at another host than the one it was sent to, or that was not sent, or was
changed on its way, counts for nothing.
"""

import heapq
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum

from overlace.kit.addresses import IPAddress

ATTEMPTS = 3
ANSWER_SECONDS = 1.0
ROUND_SECONDS = 300.0
"""Between rounds of a way whose size is known ..."""
SILENT_SECONDS = 30.0
"""... and of one on which nothing arrived."""
SMALLEST = {4: 576, 6: 1280}
"""What a host must accept in any case (RFC 791 3.1, RFC 8200 5)."""
LOOKS_A_PROBE = 20
_COMMON = (1500, 1501)
"""Tried first, since most links that are too narrow are just this wide."""


@dataclass(frozen=True, slots=True)
class Path:
    """From a host to one tunnel address of another."""

    source: str
    target: str
    address: IPAddress


@dataclass(frozen=True, slots=True)
class Probe:
    """Send this many bytes (of underlay IP packet) that way, marked with the nonce."""

    path: Path
    size: int
    nonce: bytes


class Verdict(Enum):
    """What is known of a path; the value is for people."""

    WIDE = "wide enough"
    NARROW = "too narrow"
    SILENT = "no probe arrives"


@dataclass(frozen=True, slots=True)
class Finding:
    """The conclusion of a round: the largest size that arrived (0: none) and the one that networks need."""

    path: Path
    verdict: Verdict
    carries: int
    needed: int


@dataclass(slots=True)
class _Round:
    """`low` has arrived (0: nothing has), `high` is known not to arrive."""

    path: Path
    needed: int
    size: int = 0
    low: int = 0
    high: int | None = None
    attempts: int = 0
    nonce: bytes = b""


@dataclass(slots=True)
class PathMtuProber:
    """`needs` tells the size that a path must carry now, None when nobody needs the path any more."""

    needs: Callable[[Path], int | None]
    make_nonce: Callable[[], bytes]
    findings: dict[Path, Finding] = field(default_factory=dict)
    strays: dict[Path, str] = field(default_factory=dict)
    """Ways whose last probe came out at another host than the one it was sent to: two have one address."""
    _rounds: dict[Path, _Round | None] = field(default_factory=dict)
    _under_way: dict[bytes, Path] = field(default_factory=dict)
    _agenda: list[tuple[float, int, Path]] = field(default_factory=list)
    _turn: dict[Path, int] = field(default_factory=dict)
    _turns: int = 0
    _fresh: set[Path] = field(default_factory=set)
    """Those that were begun and not concluded."""

    def begin(self, paths: Iterable[Path], now: float) -> None:
        """Probe these paths from now on; begin a new round on those that are probed already."""
        for path in paths:
            self._stop(path)
            self._rounds[path] = None
            self._fresh.add(path)
            self._at(now, path)

    def again(self, now: float) -> None:
        """Begin a new round on every path that is probed."""
        self.begin(tuple(self._rounds), now)

    @property
    def settled(self) -> bool:
        """Whether every round that was begun has been concluded."""
        return not self._fresh

    def due(self, now: float, limit: int) -> Iterator[Probe]:
        """At most `limit` probes to send now. Many paths at a time may be needed no more, and each has to be looked at:
        what is not looked at now is the next time."""
        looks = limit * LOOKS_A_PROBE
        while limit > 0 and looks > 0 and self._agenda and self._agenda[0][0] <= now:
            _, turn, path = heapq.heappop(self._agenda)
            if self._turn.get(path) != turn:
                continue
            looks -= 1
            probe = self._next(path, now)
            if probe is not None:
                limit -= 1
                yield probe

    def arrived(self, nonce: bytes, host: str, size: int, now: float) -> None:
        """A probe has come to a host."""
        path = self._under_way.get(nonce)
        found = self._rounds.get(path) if path is not None else None
        if path is None or found is None or found.size != size:
            return
        if path.target != host:
            self.strays[path] = host
            return
        del self._under_way[nonce]
        self.strays.pop(path, None)
        found.low = max(found.low, size)
        self._go_on(found, now)

    def _next(self, path: Path, now: float) -> Probe | None:
        """The time of a path has come: a round begins, or an answer is overdue."""
        found = self._rounds.get(path)
        if found is None:
            needed = self.needs(path)
            if needed is None:
                self._forget(path)
                return None
            found = self._rounds[path] = _Round(path, needed, size=needed)
        elif found.nonce:
            self._under_way.pop(found.nonce, None)
            if found.attempts >= ATTEMPTS:
                found.high = found.size
                self._go_on(found, now)
                return None
        found.attempts += 1
        found.nonce = self.make_nonce()
        self._under_way[found.nonce] = path
        self._at(now + ANSWER_SECONDS, path)
        return Probe(path, found.size, found.nonce)

    def _go_on(self, found: _Round, now: float) -> None:
        """What became of the last size is known: conclude, or try another."""
        found.nonce, found.attempts = b"", 0
        smallest = min(SMALLEST[found.path.address.version], found.needed)
        if found.low >= found.needed:
            self._conclude(found, Verdict.WIDE, now + ROUND_SECONDS)
        elif found.high is not None and found.high <= smallest:
            self._conclude(found, Verdict.SILENT, now + SILENT_SECONDS)
        elif found.low == 0:
            found.size = smallest
            self._at(now, found.path)
        else:
            self._narrow_down(found, now)

    def _narrow_down(self, found: _Round, now: float) -> None:
        assert found.high is not None
        if found.high - found.low <= 1:
            self._conclude(found, Verdict.NARROW, now + ROUND_SECONDS)
            return
        self.findings[found.path] = Finding(found.path, Verdict.NARROW, found.low, found.needed)
        common = (size for size in _COMMON if found.low < size < found.high)
        found.size = next(common, (found.low + found.high) // 2)
        self._at(now, found.path)

    def _conclude(self, found: _Round, verdict: Verdict, again: float) -> None:
        self.findings[found.path] = Finding(found.path, verdict, found.low, found.needed)
        self._fresh.discard(found.path)
        self._rounds[found.path] = None
        self._at(again, found.path)

    def _at(self, when: float, path: Path) -> None:
        self._turns += 1
        self._turn[path] = self._turns
        heapq.heappush(self._agenda, (when, self._turns, path))

    def _stop(self, path: Path) -> None:
        found = self._rounds.get(path)
        if found is not None:
            self._under_way.pop(found.nonce, None)

    def _forget(self, path: Path) -> None:
        self._rounds.pop(path, None)
        self._turn.pop(path, None)
        self._fresh.discard(path)
        self.findings.pop(path, None)
        self.strays.pop(path, None)
