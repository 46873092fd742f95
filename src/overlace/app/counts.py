"""What the controller has done since it started, as plain numbers that the metrics read when they are asked for."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field


@dataclass(slots=True)
class PacketCounts:
    """Packets that switches handed over, by kind, and what became of the requests among them, by kind and outcome."""

    packets: Counter[str] = field(default_factory=Counter)
    answers: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
