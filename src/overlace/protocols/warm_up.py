"""When to warm up which way: so that a tunnel's next hop is resolved before the first frame needs it.

Open vSwitch drops the frame for which it must first resolve the tunnel's next hop (ARP or neighbour discovery),
and forgets what it resolved after 15 minutes without use. So a frame that means nothing goes the way when two
hosts begin to need each other, and again well before that time is over. Pure: pairs in, pairs out.
"""

from collections import OrderedDict
from collections.abc import Iterable

from overlace.kit.addresses import Mac
from overlace.wire.ethernet import EthernetFrame

Pair = tuple[str, str]
"""From host, to host."""

REFRESH_SECONDS = 600.0
"""Two thirds of Open vSwitch's 900 seconds (ovs-appctl tnl/neigh/aging)."""

_NOBODY = Mac(0x02_00_00_00_00_02)
FRAME = EthernetFrame(_NOBODY, _NOBODY, 0x88B5, b"overlace warm-up").encode()
"""What goes that way; the far switch has no rule for it."""


class WarmUp:
    """The ways that are needed, in the order in which they were warmed last."""

    def __init__(self) -> None:
        self._warmed: OrderedDict[Pair, float] = OrderedDict()
        self._by_source: dict[str, set[Pair]] = {}

    def __len__(self) -> int:
        return len(self._warmed)

    def begin(self, pairs: Iterable[Pair]) -> None:
        """These ways are needed from now on; the ones that are new come first, those of one host together."""
        for pair in sorted(pairs):
            if pair not in self._warmed:
                self._by_source.setdefault(pair[0], set()).add(pair)
                self._cool(pair)

    def end(self, pairs: Iterable[Pair]) -> None:
        """These ways are needed no more."""
        for pair in pairs:
            if self._warmed.pop(pair, None) is not None:
                self._by_source[pair[0]].discard(pair)

    def restarted(self, host: str) -> None:
        """The host is there again, and may have forgotten everything."""
        for pair in sorted(self._by_source.get(host, ())):
            self._cool(pair)

    def due(self, now: float, limit: int) -> list[Pair]:
        """At most `limit` ways to warm now, taken to be warm from now on."""
        taken: list[Pair] = []
        for pair, warmed in self._warmed.items():
            if len(taken) >= limit or now - warmed < REFRESH_SECONDS:
                break
            taken.append(pair)
        for pair in taken:
            self._warmed[pair] = now
            self._warmed.move_to_end(pair)
        return taken

    def _cool(self, pair: Pair) -> None:
        self._warmed[pair] = float("-inf")
        self._warmed.move_to_end(pair, last=False)
