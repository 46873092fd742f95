"""Many ports at once: created and plugged by several API clients as fast as they can, until all are in the switches.

    python -m bench.boot_storm [--ports 500] [--clients 8] [--hosts 50] [--rounds 5]

Each client makes its port over the API and lets its interface appear, one after another; the networks live on ten
simulated hosts each. The clock runs from the first request until the API calls the last port ACTIVE, which it does
when every switch concerned has acknowledged it and its OpenFlow port. No packets: the hosts are simulated.
"""

import argparse
import http.client
import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import Any

from bench.controller_process import LOOPBACK
from bench.simulated_cloud import SPAN, Network, SimulatedCloud, simulated_cloud
from bench.summary import Summary, write

_PATIENCE = 120.0


class Client:
    """One connection to the API, and its share of the ports."""

    def __init__(self, cloud: SimulatedCloud, plugging: Lock) -> None:
        self._cloud, self._plugging = cloud, plugging
        self._connection = http.client.HTTPConnection(LOOPBACK, cloud.controller.api_port, timeout=60)

    def boot(self, places: list[tuple[Network, int]]) -> list[float]:
        """A port at each place and its interface; milliseconds of each request."""
        taken = []
        for network, host in places:
            port = {"network_id": network.id, "project_id": network.project}
            body = json.dumps({"port": port})
            began = time.monotonic()
            self._connection.request("POST", "/v2.0/ports", body, {"content-type": "application/json"})
            answer = json.loads(self._connection.getresponse().read())
            taken.append((time.monotonic() - began) * 1000)
            with self._plugging:
                self._cloud.plug(host, str(answer["port"]["id"]))
        return taken


def storm(
    cloud: SimulatedCloud, networks: list[Network], ports: int, clients: int
) -> tuple[float, list[float]]:
    """Seconds until all ports of these networks are ACTIVE, and milliseconds of each request."""
    wanted = [(networks[number % len(networks)], number % cloud.hosts) for number in range(ports)]
    lock = Lock()
    began = time.monotonic()
    with ThreadPoolExecutor(clients) as pool:
        shares = [wanted[start::clients] for start in range(clients)]
        taken = list(pool.map(lambda share: Client(cloud, lock).boot(share), shares))
    while not _all_active(cloud, networks, ports):
        if time.monotonic() - began > _PATIENCE:
            raise SystemExit("the ports do not all become ACTIVE")
        time.sleep(0.01)
    return time.monotonic() - began, [each for share in taken for each in share]


def _all_active(cloud: SimulatedCloud, networks: list[Network], ports: int) -> bool:
    query = "&".join(f"network_id={each.id}" for each in networks)
    found = cloud.api("GET", f"/v2.0/ports?status=ACTIVE&fields=id&{query}")["ports"]
    return len(found) == ports


def run(ports: int, clients: int, hosts: int, rounds: int) -> dict[str, Any]:
    """So many storms, each on networks of its own."""
    seconds: list[float] = []
    calls: list[float] = []
    with simulated_cloud(hosts) as cloud:
        for number in range(rounds):
            networks = [
                cloud.network(f"storm{number}-{each}", "10.1.0.0/16") for each in range(max(1, hosts // SPAN))
            ]
            took, taken = storm(cloud, networks, ports, clients)
            seconds.append(took)
            calls += taken
            print(f"{ports} ports by {clients} clients: {took:.2f} s", flush=True)
            cloud.await_quiet()
    return {
        "ports": ports,
        "clients": clients,
        "hosts": hosts,
        "seconds": Summary.of(seconds).as_json(),
        "ports_per_second": Summary.of([ports / each for each in seconds]).as_json(),
        "request_ms": Summary.of(calls).as_json(),
    }


def main() -> None:
    """Measure, print, and write the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--ports", type=int, default=500)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--hosts", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--output", type=Path, default=Path("build/boot_storm.json"))
    options = parser.parse_args()
    figures = run(options.ports, options.clients, options.hosts, options.rounds)
    print(json.dumps(figures))
    write(figures, options.output)


if __name__ == "__main__":
    main()
