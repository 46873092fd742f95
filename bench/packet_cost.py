"""Processor time a packet in two switches, as samples that were taken in turns.

A sample is short, and the ways are gone through again and again in random order, so that what is compared lies within
the same half a second: the machine's moods are longer.
"""

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from bench.datagrams import DatagramPair
from bench.one_processor import one_processor
from bench.switch_process import SwitchProcess

BURST = 32
"""As many as the switch reads from a port at a time (NETDEV_MAX_BURST)."""
_BURSTS, _ALONE = 20, 50
_ALONE_RATE = 1_000  # a second: a switch that wakes up for every packet can do no more than some thousands
_IDLE_SECONDS = 2.0
_WARM_SECONDS = 0.3  # one packet of a hundred enters its flow into the exact-match cache


@dataclass
class Cost:
    """Of streams of one kind along one way."""

    source_us: list[float] = field(default_factory=list)
    """Microseconds of processor time a packet, in the switch of the sender."""
    destination_us: list[float] = field(default_factory=list)
    packets_a_waking: list[float] = field(default_factory=list)
    """Of both switches."""
    arrived: list[float] = field(default_factory=list)
    """The share of the datagrams."""

    @property
    def both_us(self) -> list[float]:
        """Microseconds a packet in both switches."""
        return [sum(pair) for pair in zip(self.source_us, self.destination_us, strict=True)]


@dataclass
class Costs:
    """Of all kinds of streams along one way."""

    bursts: Cost = field(default_factory=Cost)
    """Of 32 datagrams, on one processor: what a packet costs."""
    alone: Cost = field(default_factory=Cost)
    """One by one, on one processor: what a packet and a wake-up cost."""
    unordered: Cost = field(default_factory=Cost)
    """Bursts of ten, wherever the scheduler places the sender and the switches."""


class PacketCost:
    """Measures ways that differ in nothing but the bridges between their ends."""

    def __init__(
        self, switches: Sequence[SwitchProcess], pairs: Mapping[str, DatagramPair], rate: float
    ) -> None:
        self.switches, self.pairs, self.rate = switches, pairs, rate
        self.idle = self._at_rest()

    def in_turns(self, rounds: int, costs: Mapping[str, Costs]) -> None:
        """So many samples of bursts and of lone packets, of each way."""
        order = random.Random(rounds)
        for pair in self.pairs.values():
            pair.exchange()
            pair.stream(_WARM_SECONDS, self.rate)
        with one_processor([switch.pid for switch in self.switches]):
            for _ in range(rounds):
                for name in order.sample(sorted(self.pairs), len(self.pairs)):
                    send = partial(self.pairs[name].bursts, _BURSTS, BURST, self.rate)
                    self._sample(costs[name].bursts, send, _BURSTS * BURST)
                for name in order.sample(sorted(self.pairs), len(self.pairs)):
                    send = partial(self.pairs[name].bursts, _ALONE, 1, _ALONE_RATE)
                    self._sample(costs[name].alone, send, _ALONE)

    def unordered(self, name: str, seconds: float, cost: Cost) -> None:
        """One sample of a way while the scheduler places sender and switches as it likes."""
        self._sample(cost, partial(self.pairs[name].stream, seconds, self.rate), seconds * self.rate)

    def _sample(self, cost: Cost, send: Callable[[], int], sent: float) -> None:
        waits, before, began = self._waits(), self._used(), time.perf_counter()
        arrived = send()
        after, spent = self._used(), time.perf_counter() - began
        used = [end - start - rest * spent for end, start, rest in zip(after, before, self.idle, strict=True)]
        cost.source_us.append(used[0] / arrived * 1e6)
        cost.destination_us.append(used[1] / arrived * 1e6)
        cost.packets_a_waking.append(len(used) * arrived / max(1, self._waits() - waits))
        cost.arrived.append(arrived / sent)

    def _at_rest(self) -> list[float]:
        """Processor seconds a second that each switch uses without packets."""
        before, began = self._used(), time.perf_counter()
        time.sleep(_IDLE_SECONDS)
        spent = time.perf_counter() - began
        return [(end - start) / spent for end, start in zip(self._used(), before, strict=True)]

    def _used(self) -> list[float]:
        """Processor seconds of the switches."""
        return [switch.cpu_seconds() for switch in self.switches]

    def _waits(self) -> int:
        """How often they have slept."""
        return sum(switch.waits() for switch in self.switches)
