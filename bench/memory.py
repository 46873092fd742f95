"""The controller's memory: for a port, for a host, for a port on one more host.

    python -m bench.memory [--sizes 10000,40000,70000,100000] [--hosts 100] [--churn 5000] [--spans 1,10]

Full ports: two addresses, the project's security group, DHCP. Their networks have fifty ports on each of `span` hosts,
which are declared and never connect; what they are to hold is in the controller's memory all the same. At each size
ports are deleted and created anew before the memory is read (proportional set size, PSS), so that what deleted
ports leave behind counts too. At the last size the controller is killed and started again, and it is measured when its
API answers. A port's slope is taken on networks of the first span; what a port costs on one more
host follows from the slopes of two spans. Each span has a controller of its own.
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.controller_process import ControllerProcess, controller_process
from bench.summary import write
from bench.tenants import unlimited

PER_HOST = 50
_BULK = 250


class Ports:
    """Full ports in networks of `span` hosts; made and deleted in the order of their networks."""

    def __init__(self, controller: ControllerProcess, hosts: int, span: int) -> None:
        self._api = controller.api
        self._hosts, self._span = hosts, span
        self._tenants = 0
        self.ids: list[str] = []

    def grow(self, ports: int) -> None:
        """Until there are so many."""
        while len(self.ids) < ports:
            self._tenant(min(PER_HOST * self._span, ports - len(self.ids)))

    def churn(self, ports: int) -> None:
        """Delete the oldest and make as many new ones."""
        wanted = len(self.ids)
        gone, self.ids = self.ids[:ports], self.ids[ports:]
        for each in gone:
            self._api("DELETE", f"/v2.0/ports/{each}")
        self.grow(wanted)

    def _tenant(self, ports: int) -> None:
        name = f"tenant{self._tenants}"
        first = self._tenants * self._span
        self._tenants += 1
        unlimited(self._api, name)
        body = {"network": {"name": name, "project_id": name}}
        network = self._api("POST", "/v2.0/networks", body)["network"]["id"]
        for version, cidr in ((4, "10.1.0.0/16"), (6, "fd00:1::/64")):
            subnet = {"network_id": network, "ip_version": version, "cidr": cidr, "project_id": name}
            self._api("POST", "/v2.0/subnets", {"subnet": subnet})
        places = [f"absent{(first + index // PER_HOST) % self._hosts}" for index in range(ports)]
        for start in range(0, ports, _BULK):
            wanted = [
                {"network_id": network, "project_id": name, "binding:host_id": host}
                for host in places[start : start + _BULK]
            ]
            made = self._api("POST", "/v2.0/ports", {"ports": wanted})["ports"]
            self.ids += [str(each["id"]) for each in made]


def run(sizes: list[int], hosts: int, churn: int, spans: list[int]) -> dict[str, Any]:
    """PSS by span and size, and what follows from it."""
    figures: dict[str, Any] = {"hosts": hosts, "churn": churn, "pss_bytes": {}, "restart": {}}
    slopes: dict[int, float] = {}
    for span in spans:
        with _controller() as controller:
            empty = controller.proportional_bytes()
            declare(controller, hosts)
            figures["bytes_per_host"] = round((controller.proportional_bytes() - empty) / hosts)
            taken = _take(controller, Ports(controller, hosts, span), sizes, churn)
            print(f"{slope(taken):.0f} bytes a port", flush=True)
            figures["restart"][str(span)] = _restart(controller)
        figures["pss_bytes"][str(span)] = {str(size): pss for size, pss in taken.items()}
        slopes[span] = slope(taken)
    figures["bytes_per_port"] = {str(span): round(value) for span, value in slopes.items()}
    if len(slopes) > 1:
        least, most = min(slopes), max(slopes)
        figures["bytes_per_port_and_host"] = round((slopes[most] - slopes[least]) / (most - least))
    return figures


def slope(taken: dict[int, int]) -> float:
    """Bytes for one more port: the line through all sizes that has the least squares."""
    return statistics.linear_regression(list(taken), list(taken.values())).slope


def _take(controller: ControllerProcess, ports: Ports, sizes: list[int], churn: int) -> dict[int, int]:
    taken: dict[int, int] = {}
    for size in sizes:
        ports.grow(size)
        ports.churn(min(churn, size))
        taken[size] = controller.proportional_bytes()
        print(f"{size} ports: {taken[size] / 1e6:.0f} MB", flush=True)
    return taken


def _restart(controller: ControllerProcess) -> dict[str, float]:
    """Kill and start: when the API answers, after how much processor time, and the memory then."""
    controller.kill()
    began = time.monotonic()
    controller.start()
    return {
        "api_answers_s": round(time.monotonic() - began, 2),
        "processor_s": round(controller.cpu_seconds(), 2),
        "pss_bytes": controller.proportional_bytes(),
    }


def declare(controller: ControllerProcess, hosts: int) -> None:
    controller.api("POST", "/v2.0/overlace/sites", {"site": {"id": "site-a", "mtu": 1600}})
    for number in range(hosts):
        endpoint = {"address": f"10.9.{number >> 8}.{number & 0xFF}"}
        host = {"id": f"absent{number}", "site_id": "site-a", "endpoints": [endpoint]}
        controller.api("POST", "/v2.0/overlace/hosts", {"host": host})


@contextmanager
def _controller() -> Iterator[ControllerProcess]:
    with tempfile.TemporaryDirectory() as scratch, controller_process(Path(scratch)) as controller:
        yield controller


def main() -> None:
    """Measure, print, and write the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", default="10000,40000,70000,100000")
    parser.add_argument("--hosts", type=int, default=100)
    parser.add_argument("--churn", type=int, default=5000)
    parser.add_argument("--spans", default="1,10", help="hosts of one network")
    parser.add_argument("--output", type=Path, default=Path("build/memory.json"))
    options = parser.parse_args()
    sizes, spans = ([int(each) for each in text.split(",")] for text in (options.sizes, options.spans))
    figures = run(sizes, options.hosts, options.churn, spans)
    print(json.dumps(figures))
    write(figures, options.output)


if __name__ == "__main__":
    main()
