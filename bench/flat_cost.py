"""Whether one change costs the same however large the system is.

    python -m bench.flat_cost [--sizes 1000,100000] [--hosts 100] [--churn 10000] [--samples 500]
                              [--network-sizes 50,500,5000] [--group-sizes 10,100,1000]

A port is added to a network on ten simulated hosts, again and again: in a system with 1,000 ports of other tenants and
in one with 100,000, turn by turn, and again once the larger has gone through so many changes of churn. Beside the time
from the request to the last acknowledgement stands the work that the controller counts for one such change, from rows
written to bytes sent (`Work`). Before that, in a system of its own, a network itself grows, and a security group whose
members may talk to each other. There the host that the port is added to gets some bytes more for each port of the
network that it has already: the list of those who get a broadcast.
"""

import argparse
import json
import statistics
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from bench.port_ready import spread
from bench.simulated_cloud import SPAN, Added, Network, SimulatedCloud, simulated_cloud
from bench.summary import Ratio, Summary, p99, write

_PER_HOST = 50
PORTS_OF_TENANT = SPAN * _PER_HOST
_WARM_UP = 5
_COUNTED = (
    "store_rows",
    "compile_units_projected",
    "compile_units_built",
    "plan_fragments_changed",
    "plan_switches_changed",
    "bundled_flows",
    "bundled_bytes",
    "switch_flows_sent",
    "switch_bytes_sent",
    "switch_batches",
)


@dataclass(frozen=True, slots=True)
class Work:
    """What the controller did for one change, as it counts it: bundled once for all that share it, sent to each."""

    rows_written: float
    units_projected: float
    units_built: float
    fragments_changed: float
    switches_changed: float
    flows_bundled: float
    bytes_bundled: float
    flows_sent: float
    bytes_sent: float
    bundles: float


@dataclass(frozen=True, slots=True)
class Cost:
    """Samples in milliseconds from the request to the last acknowledgement, and the work for one of them."""

    milliseconds: list[float]
    work: Work

    def as_json(self) -> dict[str, Any]:
        """For build/bench.json."""
        return {"from_call_ms": Summary.of(self.milliseconds).as_json(), "work": asdict(self.work)}


@dataclass(frozen=True, slots=True)
class Place:
    """A network on some hosts of a system, and what its ports are asked for with."""

    cloud: SimulatedCloud
    network: Network
    hosts: list[int]
    more: Mapping[str, object] = field(default_factory=dict)

    def add(self, number: int) -> Added:
        """One port more, on one host after another."""
        return self.cloud.add(
            self.network, self.hosts[number % len(self.hosts)], len(self.hosts), **self.more
        )


def cost(place: Place, samples: int) -> Cost:
    """Add so many ports, one at a time; they are deleted again at the end."""
    return costs([place], samples)[0]


def costs(places: Sequence[Place], samples: int) -> list[Cost]:
    """So many ports in each place, turn by turn, so that all meet the same noise of the machine."""
    warm = [(place, place.add(number)) for place in places for number in range(_WARM_UP)]
    for place in places:
        place.cloud.await_quiet()
    taken: list[list[Added]] = [[] for _ in places]
    counts = [[counted(place.cloud)] for place in places]
    for number in range(samples):
        for index in range(len(places)) if number % 2 else reversed(range(len(places))):
            taken[index].append(places[index].add(number))
            counts[index].append(counted(places[index].cloud))
    for place, each in warm + [
        (place, each) for place, some in zip(places, taken, strict=True) for each in some
    ]:
        place.cloud.remove(each.port_id)
    for place in places:
        place.cloud.await_quiet()
    return [_cost(*each) for each in zip(taken, counts, strict=True)]


def _cost(taken: list[Added], counts: list[tuple[float, ...]]) -> Cost:
    # each counter by itself: the controller's own chores fall into one sample or another
    steps = [[now - then for then, now in pairwise(values)] for values in zip(*counts, strict=True)]
    work = Work(*map(statistics.median_low, steps))
    return Cost([each.from_call for each in taken], work)


def counted(cloud: SimulatedCloud) -> tuple[float, ...]:
    """The controller's counters, in the order of `Work`."""
    metrics = cloud.controller.metrics()
    return tuple(metrics[f"overlace_{each}_total"] for each in _COUNTED)


def churn(cloud: SimulatedCloud, changes: int) -> None:
    """So many ports come and go in a tenant of their own."""
    network = cloud.network("churn", "10.1.0.0/16")
    while changes > 0:
        made = cloud.fill(network, [number % cloud.hosts for number in range(min(PORTS_OF_TENANT, changes))])
        for each in made:
            cloud.remove(each)
        changes -= 2 * len(made)
    cloud.await_quiet()


def by_size(hosts: int, sizes: list[int], changes: int, samples: int) -> dict[str, Any]:
    """Among so many ports of others, each size in a system of its own, and in the largest again after churn."""
    figures: dict[str, Any] = {}
    with ExitStack() as stack:
        places = [_filled(stack.enter_context(simulated_cloud(hosts)), size) for size in sizes]
        first, *others = costs(places, samples)
        figures[str(sizes[0])] = first.as_json()
        for size, each in zip(sizes[1:], others, strict=True):
            figures[str(size)] = _beside(first, each)
        churn(places[-1].cloud, changes)
        first, last = costs([places[0], places[-1]], samples)
        figures["after churn"] = _beside(first, last)
    for name, figure in figures.items():
        print(f"{name}: {json.dumps(figure)}", flush=True)
    return figures


def _filled(cloud: SimulatedCloud, ports: int) -> Place:
    cloud.fill_tenants(0, ports // PORTS_OF_TENANT)
    print(f"{ports} ports of other tenants are there", flush=True)
    return Place(cloud, *spread(cloud, SPAN, "measured"))


def _beside(first: Cost, each: Cost) -> dict[str, Any]:
    """Its figures, and what they are to those of the first system in the same turns."""
    ours, theirs = each.milliseconds, first.milliseconds
    return each.as_json() | {
        "first_p50": round(Summary.of(theirs).p50, 3),
        "first_p99": round(Summary.of(theirs).p99, 3),
        "median_ratio": Ratio.of(ours, theirs).as_json(),
        "p99_ratio": Ratio.of(ours, theirs, p99).as_json(),
        "work_equal": each.work == first.work,
    }


def one_network(cloud: SimulatedCloud, sizes: list[int], samples: int) -> dict[str, Any]:
    """A network on ten hosts that grows."""
    network, members = spread(cloud, SPAN, "growing")
    present, figures = len(members), {}
    for size in sizes:
        cloud.fill(network, [members[number % SPAN] for number in range(size - present)])
        present = size
        cloud.await_quiet()
        figures[str(size)] = cost(Place(cloud, network, members), samples).as_json()
        print(f"one network of {size} ports: {json.dumps(figures[str(size)])}", flush=True)
    return figures


def one_group(cloud: SimulatedCloud, sizes: list[int], samples: int) -> dict[str, Any]:
    """A security group that grows, whose members are let in from each other."""
    network, members = spread(cloud, SPAN, "grouped")
    body = {"security_group": {"name": "grown", "project_id": network.project}}
    group = str(cloud.api("POST", "/v2.0/security-groups", body)["security_group"]["id"])
    rule = {"security_group_id": group, "direction": "ingress", "remote_group_id": group}
    cloud.api(
        "POST", "/v2.0/security-group-rules", {"security_group_rule": rule | {"project_id": network.project}}
    )
    present, figures = 0, {}
    for size in sizes:
        places = [members[number % SPAN] for number in range(size - present)]
        cloud.fill(network, places, security_groups=[group])
        present = size
        cloud.await_quiet()
        place = Place(cloud, network, members, {"security_groups": [group]})
        figures[str(size)] = cost(place, samples).as_json()
        print(f"one security group of {size} ports: {json.dumps(figures[str(size)])}", flush=True)
    return figures


def run(
    hosts: int, sizes: list[int], changes: int, samples: int, networks: list[int], groups: list[int]
) -> dict[str, Any]:
    """The curves in one system, the sizes in one each."""
    with simulated_cloud(hosts) as cloud:
        curves = {
            "one_network": one_network(cloud, networks, samples),
            "one_group": one_group(cloud, groups, samples),
        }
    return {"hosts": hosts, "churn": changes} | curves | {"ports": by_size(hosts, sizes, changes, samples)}


def main() -> None:
    """Measure, print, and write the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", default="1000,100000", help="ports of other tenants: multiples of 500")
    parser.add_argument("--network-sizes", default="50,500,5000")
    parser.add_argument("--group-sizes", default="10,100,1000")
    parser.add_argument("--hosts", type=int, default=100)
    parser.add_argument("--churn", type=int, default=10_000, help="changes: half of them create, half delete")
    parser.add_argument("--samples", type=int, default=500)
    parser.add_argument("--output", type=Path, default=Path("build/flat_cost.json"))
    options = parser.parse_args()
    sizes, networks, groups = (
        [int(each) for each in text.split(",")]
        for text in (options.sizes, options.network_sizes, options.group_sizes)
    )
    figures = run(options.hosts, sizes, options.churn, options.samples, networks, groups)
    write(figures, options.output)


if __name__ == "__main__":
    main()
