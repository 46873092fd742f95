"""Whether one change costs the same however large the system is.

    python -m bench.flat_cost [--sizes 1000,100000] [--hosts 100] [--churn 10000] [--samples 60]
                              [--network-sizes 50,500,5000] [--group-sizes 10,100,1000]

A port is added to a network on ten simulated hosts, again and again: among 1,000 ports of other tenants, among 100,000,
and there again after so many changes of churn. Beside the time from the request to the last acknowledgement stands the
work that the controller counts for one such change, from rows written to bytes sent (`Work`). Before that a network
itself grows, and a security group whose members may talk to each other. There the host that the port is added to gets
some bytes more for each port of the network that it has already: the list of those who get a broadcast.
"""

import argparse
import json
import statistics
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from bench.port_ready import spread
from bench.simulated_cloud import SPAN, Network, SimulatedCloud, simulated_cloud
from bench.summary import Ratio, Summary, write

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


def cost(cloud: SimulatedCloud, network: Network, members: list[int], samples: int, **more: object) -> Cost:
    """Add so many ports, one at a time; they are deleted again at the end."""
    added = [cloud.add(network, members[0], len(members), **more) for _ in range(_WARM_UP)]
    cloud.await_quiet()
    taken, counts = [], [counted(cloud)]
    for number in range(samples):
        taken.append(cloud.add(network, members[number % len(members)], len(members), **more))
        counts.append(counted(cloud))
    for each in added + taken:
        cloud.remove(each.port_id)
    cloud.await_quiet()
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


def by_size(cloud: SimulatedCloud, sizes: list[int], changes: int, samples: int) -> dict[str, Any]:
    """Among so many ports of others, and after churn."""
    network, members = spread(cloud, SPAN, "measured")
    taken: dict[str, Cost] = {}
    tenants = 0
    for size in sizes:
        cloud.fill_tenants(tenants, size // PORTS_OF_TENANT)
        tenants = size // PORTS_OF_TENANT
        taken[str(size)] = cost(cloud, network, members, samples)
        print(f"{size} ports: {json.dumps(taken[str(size)].as_json())}", flush=True)
    churn(cloud, changes)
    taken["after churn"] = cost(cloud, network, members, samples)
    print(f"after churn: {json.dumps(taken['after churn'].as_json())}", flush=True)
    figures: dict[str, Any] = {name: each.as_json() for name, each in taken.items()}
    first = taken[str(sizes[0])]
    for name, each in list(taken.items())[1:]:
        ratio = Ratio.of(each.milliseconds, first.milliseconds)
        tails = [Summary.of(one.milliseconds).p99 for one in (each, first)]
        figures[name] |= {"median_ratio": ratio.as_json(), "p99_ratio": round(tails[0] / tails[1], 3)}
        figures[name]["work_equal"] = each.work == first.work
    return figures


def one_network(cloud: SimulatedCloud, sizes: list[int], samples: int) -> dict[str, Any]:
    """A network on ten hosts that grows."""
    network, members = spread(cloud, SPAN, "growing")
    present, figures = len(members), {}
    for size in sizes:
        cloud.fill(network, [members[number % SPAN] for number in range(size - present)])
        present = size
        cloud.await_quiet()
        figures[str(size)] = cost(cloud, network, members, samples).as_json()
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
        figures[str(size)] = cost(cloud, network, members, samples, security_groups=[group]).as_json()
        print(f"one security group of {size} ports: {json.dumps(figures[str(size)])}", flush=True)
    return figures


def run(
    hosts: int, sizes: list[int], changes: int, samples: int, networks: list[int], groups: list[int]
) -> dict[str, Any]:
    """All of it in one system: the curves first, while it is small."""
    with simulated_cloud(hosts) as cloud:
        return {
            "hosts": hosts,
            "churn": changes,
            "one_network": one_network(cloud, networks, samples),
            "one_group": one_group(cloud, groups, samples),
            "ports": by_size(cloud, sizes, changes, samples),
        }


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
    parser.add_argument("--samples", type=int, default=60)
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
