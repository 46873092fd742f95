"""What a packet costs in the switch: Overlace's pipeline beside a plain bridge and beside OVN's, on the same switches.

    python -m bench.datapath [--samples 120] [--rounds 20] [--seconds 0.3] [--rate 10000]

Two hosts, six ways from one to the other (bench/pipelines.py), which have their turns in random order. First the
processor time of both ovs-vswitchd for datagrams of 64 bytes over an established flow, less what they use when idle:
in bursts of 32, as many as the switch reads at a time, and one by one, both on one processor (bench/one_processor.py).
In bursts the price of a wake-up is shared by 32, and what is left is what a packet costs. Then rounds of a stream that
runs as the scheduler will have it, a flood, a TCP connection, and first exchanges after the datapath has forgotten
its megaflows. Ratios are those of one turn, so that both sides of each met the same moment of the machine; the second
of the two plain bridges shows how far they can be believed.
"""

import argparse
import json
import random
import statistics
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.datagrams import DatagramPair, tcp_megabits
from bench.laboratory import side_by_side
from bench.packet_cost import Cost, Costs, PacketCost
from bench.pipelines import (
    OVERLACE,
    OVERLACE_OPEN,
    OVN_OPEN,
    OVN_STATEFUL,
    PIPELINES,
    PLAIN,
    PLAIN_AGAIN,
    Pipeline,
    build,
    in_port,
)
from bench.summary import Difference, Ratio, Summary, write
from bench.switch_process import SwitchProcess, masks
from tools.cloud import Cloud

from overlace.lab.lab import Lab

_UDP_PORT, _TCP_PORT = 7000, 7001
_FIRSTS = 3
_SHAPE_SECONDS = 0.2
COMPARED = (
    (PLAIN_AGAIN, PLAIN),
    (OVERLACE, PLAIN),
    (OVERLACE_OPEN, PLAIN),
    (OVERLACE, OVN_STATEFUL),
    (OVERLACE_OPEN, OVN_OPEN),
    (OVN_STATEFUL, PLAIN),
    (OVN_OPEN, PLAIN),
)


@dataclass
class Taken:
    """Samples of one pipeline."""

    costs: Costs = field(default_factory=Costs)
    flood: list[float] = field(default_factory=list)
    """Datagrams a second."""
    tcp: list[float] = field(default_factory=list)
    """Megabits a second."""
    first_ms: list[float] = field(default_factory=list)
    """An exchange that both switches had to ask their tables for, each way."""
    later_ms: list[float] = field(default_factory=list)


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
        self.packet_cost = PacketCost(self.switches, self.pairs, rate)

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
        least = self.pairs[pipeline.name].stream(_SHAPE_SECONDS, self.rate) // 2
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
        self.packet_cost.unordered(pipeline.name, self.seconds, taken.costs.unordered)
        taken.flood.append(pair.stream(self.seconds, None) / self.seconds)
        taken.tcp.append(tcp_megabits(pipeline.ends(self.lab), _TCP_PORT, self.seconds))


def measure(samples: int, rounds: int, seconds: float, rate: float, name: str = "datapath") -> dict[str, Any]:
    """Build everything, take all samples, take it down."""
    taken = {each.name: Taken() for each in PIPELINES}
    with side_by_side(name) as both:
        build(both.lab, both.cloud, both.ovn)
        bench = Bench(both.lab, both.cloud, seconds, rate)
        shapes = {each.name: bench.shape(each) for each in PIPELINES}
        bench.packet_cost.in_turns(samples, {name: each.costs for name, each in taken.items()})
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
            "cpu_us_per_packet": samples.costs.bursts.both_us,
            "cpu_us_source": samples.costs.bursts.source_us,
            "cpu_us_destination": samples.costs.bursts.destination_us,
            "cpu_us_alone": samples.costs.alone.both_us,
            "cpu_us_unordered": samples.costs.unordered.both_us,
            "packets_a_waking": samples.costs.bursts.packets_a_waking,
            "packets_a_waking_unordered": samples.costs.unordered.packets_a_waking,
            "flood_pps": samples.flood,
            "tcp_mbits": samples.tcp,
            "first_exchange_ms": samples.first_ms,
            "later_exchange_ms": samples.later_ms,
        }
        figures[name] = shapes[name] | {what: Summary.of(values).as_json() for what, values in series.items()}
        figures[name]["arrived"] = round(statistics.median(samples.costs.bursts.arrived), 4)
    kinds: dict[str, Callable[[Costs], Cost]] = {
        "cpu_ratios": lambda each: each.bursts,
        "cpu_ratios_alone": lambda each: each.alone,
        "cpu_ratios_unordered": lambda each: each.unordered,
    }
    for key, kind in kinds.items():
        figures[key] = {
            f"{ours.name}/{theirs.name}": Ratio.paired(
                kind(taken[ours.name].costs).both_us, kind(taken[theirs.name].costs).both_us
            ).as_json()
            for ours, theirs in COMPARED
        }
    tracked, untracked = (taken[each.name].costs.bursts for each in (OVERLACE, OVERLACE_OPEN))
    figures["tracking_us"] = {
        "source": Difference.paired(tracked.source_us, untracked.source_us).as_json(),
        "destination": Difference.paired(tracked.destination_us, untracked.destination_us).as_json(),
    }
    return figures


def main() -> None:
    """Measure, print, and write the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--samples", type=int, default=120, help="of processor time, of each way")
    parser.add_argument("--rounds", type=int, default=20, help="turns of each way for the rest")
    parser.add_argument("--seconds", type=float, default=0.3, help="how long one stream of the rest lasts")
    parser.add_argument("--rate", type=float, default=10_000, help="datagrams a second of the fixed rate")
    parser.add_argument("--output", type=Path, default=Path("build/datapath.json"))
    options = parser.parse_args()
    figures = measure(options.samples, options.rounds, options.seconds, options.rate)
    for name, each in figures.items():
        print(name, json.dumps(each))
    write(figures, options.output)


if __name__ == "__main__":
    main()
