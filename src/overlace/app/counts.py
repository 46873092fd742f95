"""What the controller has done since it started, as plain numbers that the metrics read when they are asked for."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class PacketCounts:
    """Packets that switches handed over, by kind, and what became of DHCP requests, by outcome."""

    packets: Counter[str] = field(default_factory=Counter)
    dhcp: Counter[str] = field(default_factory=Counter)
