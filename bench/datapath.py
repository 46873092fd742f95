"""What a packet costs in the switch: Overlace's pipeline beside a plain bridge and beside OVN's, on the same switches.

    python -m bench.datapath [--rounds 20] [--seconds 1] [--rate 10000]

Two hosts, five ways from one to the other (bench/pipelines.py). In each round each way has its turn, in random
order: datagrams of 64 bytes at a fixed rate over an established flow, for which the processor time of both
ovs-vswitchd is taken, less what they use when idle; a flood; one TCP connection; and the first exchange after the
datapath has forgotten its megaflows. Ratios are those of one round, so that both sides of each met the same minute of
the machine.
"""

import argparse
import json
import random
import statistics
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.datagrams import DatagramPair, tcp_megabits
from bench.laboratory import side_by_side
from bench.pipelines import (
    OVERLACE,
    OVERLACE_OPEN,
    OVN_OPEN,
    OVN_STATEFUL,
    PIPELINES,
    PLAIN,
    Pipeline,
    build,
    in_port,
)
from bench.summary import Ratio, Summary, write
from bench.switch_process import SwitchProcess, masks
from tools.cloud import Cloud

from overlace.lab.lab import Lab

_UDP_PORT, _TCP_PORT = 7000, 7001
_FIRSTS = 3
_SHAPE_SECONDS = 0.2
COMPARED = (
    (OVERLACE, PLAIN),
    (OVERLACE_OPEN, PLAIN),
    (OVERLACE, OVN_STATEFUL),
    (OVERLACE_OPEN, OVN_OPEN),
    (OVN_STATEFUL, PLAIN),
    (OVN_OPEN, PLAIN),
)


@dataclass
class Taken:
    """Samples of one pipeline, one a round."""

    source_us: list[float] = field(default_factory=list)
    """Microseconds of processor time a packet, in the switch of the sender."""
    destination_us: list[float] = field(default_factory=list)
    arrived: list[float] = field(default_factory=list)
    """The share of the datagrams, at the fixed rate."""
    flood: list[float] = field(default_factory=list)
    """Datagrams a second."""
    tcp: list[float] = field(default_factory=list)
    """Megabits a second."""
    first_ms: list[float] = field(default_factory=list)
    """An exchange that both switches had to ask their tables for, each way."""
    later_ms: list[float] = field(default_factory=list)

    @property
    def both_us(self) -> list[float]:
        """Microseconds a packet in both switches."""
        return [sum(pair) for pair in zip(self.source_us, self.destination_us, strict=True)]


class Bench:
    """The laboratory with all ways in it."""

    def __init__(self, lab: Lab, cloud: Cloud, seconds: float, rate: float) -> None:
        self.lab = lab
        names = {each.name: f"{each.name}1" for each in PIPELINES}
        self.iface_ids = names | {
            name: cloud.ports[port]["id"] for name, port in names.items() if port in cloud.ports
        }
        self.seconds, self.rate = seconds, rate
        self.switches = tuple(SwitchProcess(lab.host(name)) for name in ("h1", "h2"))
        self.pairs = {each.name: DatagramPair(each.ends(lab), _UDP_PORT) for each in PIPELINES}

    def shape(self, pipeline: Pipeline) -> dict[str, int]:
        """What does not vary: lookups and recirculations on the sender's host, and on both the
        megaflows that carry a stream one way, with their masks."""
        port = in_port(self.lab, self.iface_ids[pipeline.name])
        packet = f"in_port={port},udp,dl_src={pipeline.mac(1)},dl_dst={pipeline.mac(2)},nw_ttl=64"
        packet += f",nw_src={pipeline.address(1)},nw_dst={pipeline.address(2)}"
        packet += f",udp_src={_UDP_PORT},udp_dst={_UDP_PORT}"
        figures: dict[str, int] = {}
        for state in ("established", "first"):
            passage = self.switches[0].trace(pipeline.bridge, packet, established=state == "established")
            figures[f"lookups_{state}"] = passage.lookups
            figures[f"recirculations_{state}"] = passage.recirculations
        self.forget()
        self.pairs[pipeline.name].stream(_SHAPE_SECONDS, self.rate)
        least = round(_SHAPE_SECONDS * self.rate / 2)
        held = [switch.megaflows(least) for switch in self.switches]
        figures["megaflows"] = sum(len(each) for each in held)
        figures["masks"] = sum(masks(each) for each in held)
        return figures

    def forget(self) -> None:
        """On both hosts."""
        for switch in self.switches:
            switch.forget_megaflows()

    def turn(self, pipeline: Pipeline, taken: Taken) -> None:
        """One sample of everything."""
        pair = self.pairs[pipeline.name]
        for _ in range(_FIRSTS):
            self.forget()
            taken.first_ms.append(pair.exchange() * 1000)
            taken.later_ms.append(pair.exchange() * 1000)
        self.cost(pair, taken)
        taken.flood.append(pair.stream(self.seconds / 2, None) / (self.seconds / 2))
        taken.tcp.append(tcp_megabits(pipeline.ends(self.lab), _TCP_PORT, self.seconds / 2))

    def cost(self, pair: DatagramPair, taken: Taken) -> None:
        """Processor time a packet at the fixed rate, less that of as long a silence."""
        idle, slept = self.used(), time.perf_counter()
        time.sleep(self.seconds / 2)
        before, began = self.used(), time.perf_counter()
        arrived = pair.stream(self.seconds, self.rate)
        after, ended = self.used(), time.perf_counter()
        share = (ended - began) / (began - slept)
        used = [
            end - start - share * (start - rest) for end, start, rest in zip(after, before, idle, strict=True)
        ]
        taken.source_us.append(used[0] / arrived * 1e6)
        taken.destination_us.append(used[1] / arrived * 1e6)
        taken.arrived.append(arrived / (self.rate * self.seconds))

    def used(self) -> list[float]:
        """Processor seconds of both switches."""
        return [switch.cpu_seconds() for switch in self.switches]


def measure(rounds: int, seconds: float, rate: float, name: str = "datapath") -> dict[str, Any]:
    """Build everything, take all samples, take it down."""
    taken: dict[str, Taken] = defaultdict(Taken)
    with side_by_side(name) as both:
        build(both.lab, both.cloud, both.ovn)
        bench = Bench(both.lab, both.cloud, seconds, rate)
        shapes = {each.name: bench.shape(each) for each in PIPELINES}
        order = random.Random(rounds)
        for number in range(rounds):
            for pipeline in order.sample(PIPELINES, len(PIPELINES)):
                bench.turn(pipeline, taken[pipeline.name])
            print(f"\r{number + 1}/{rounds}", end="", flush=True)
        print()
    return figures_of(taken, shapes)


def figures_of(taken: dict[str, Taken], shapes: dict[str, dict[str, int]]) -> dict[str, Any]:
    """For build/datapath.json."""
    figures: dict[str, Any] = {}
    for name, samples in taken.items():
        series = {
            "cpu_us_per_packet": samples.both_us,
            "cpu_us_source": samples.source_us,
            "cpu_us_destination": samples.destination_us,
            "flood_pps": samples.flood,
            "tcp_mbits": samples.tcp,
            "first_exchange_ms": samples.first_ms,
            "later_exchange_ms": samples.later_ms,
        }
        figures[name] = shapes[name] | {what: Summary.of(values).as_json() for what, values in series.items()}
        figures[name]["arrived"] = round(statistics.median(samples.arrived), 4)
    figures["cpu_ratios"] = {
        f"{ours.name}/{theirs.name}": Ratio.paired(
            taken[ours.name].both_us, taken[theirs.name].both_us
        ).as_json()
        for ours, theirs in COMPARED
    }
    return figures


def main() -> None:
    """Measure, print, and write the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=20, help="turns of each way")
    parser.add_argument("--seconds", type=float, default=1.0, help="how long one stream lasts")
    parser.add_argument("--rate", type=float, default=10_000, help="datagrams a second of the fixed rate")
    parser.add_argument("--output", type=Path, default=Path("build/datapath.json"))
    options = parser.parse_args()
    figures = measure(options.rounds, options.seconds, options.rate)
    for name, each in figures.items():
        print(name, json.dumps(each))
    write(figures, options.output)


if __name__ == "__main__":
    main()
