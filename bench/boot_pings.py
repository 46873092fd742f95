"""Many ports at once on real switches: until each has answered a ping.

    python -m bench.boot_pings [--ports 500] [--clients 8] [--hosts 4] [--rounds 3]

The hosts' Open vSwitch, the controller and everything else share this machine. Guests stand there as TAPs that answer
echo requests (bench/answering_taps.py). Each client makes its port over the API, with stateful security, and plugs its
guest, one after another, as fast as it can; from then on a workload of the same network asks the guest every 20 ms.
The clock runs from the first request until the last guest has answered.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from bench.answering_taps import AnsweringTaps
from bench.http_connection import HttpConnection
from bench.ovsdb_socket import OvsdbSocket
from bench.pinger import Pinger
from bench.summary import Summary, write
from bench.tenants import unlimited
from tools.cloud import Cloud

from overlace.kit.addresses import parse_mac
from overlace.lab.lab import Lab
from overlace.lab.plan import DEFAULT_BRIDGE, Node
from overlace.lab.topology import Site, Topology

_PROJECT = "storm"
_PATIENCE = 120.0
_MTU = 1450


@dataclass(frozen=True, slots=True)
class Guest:
    """Where one is to be plugged."""

    host: Node
    interface: str


@dataclass(frozen=True, slots=True)
class Booted:
    """A guest's address, and when it had been asked for, made and plugged (seconds of time.perf_counter)."""

    address: IPv4Address
    asked: float
    made: float
    plugged: float


class Client:
    """One connection to the API, and one to the database of each host."""

    def __init__(self, cloud: Cloud, network: str, pinger: Pinger) -> None:
        self._cloud, self._network, self._pinger = cloud, network, pinger

    def boot(self, guests: list[Guest]) -> list[Booted]:
        """A port for each, one after another."""
        with ExitStack() as stack:
            api = stack.enter_context(closing(HttpConnection(self._cloud.lab.controller_namespace)))
            places = {guest.host.name: guest.host.db_socket for guest in guests}
            databases = {
                name: stack.enter_context(closing(OvsdbSocket(path))) for name, path in places.items()
            }
            return [self._one(api, databases[guest.host.name], guest) for guest in guests]

    def _one(self, api: HttpConnection, database: OvsdbSocket, guest: Guest) -> Booted:
        body = {"network_id": self._network, "project_id": _PROJECT}
        call = api.post("/v2.0/ports", {"port": body})
        asked = time.perf_counter()
        port = call()["port"]
        made = time.perf_counter()
        ids = {"iface-id": port["id"], "attached-mac": port["mac_address"], "iface-status": "active"}
        database.plug(DEFAULT_BRIDGE, guest.interface, ids)
        address = IPv4Address(port["fixed_ips"][0]["ip_address"])
        self._pinger.ask((parse_mac(port["mac_address"]), address))
        return Booted(address, asked, made, time.perf_counter())


@contextmanager
def laboratory(hosts: int, name: str) -> Iterator[Cloud]:
    """So many hosts at one site, which have joined."""
    names = tuple(f"h{number + 1}" for number in range(hosts))
    topology = Topology(sites=(Site("site-a", names, ipv4="10.1.0.0/24"),), underlay="ipv4")
    with tempfile.TemporaryDirectory() as scratch, Lab.up(topology, name) as lab:
        cloud = Cloud(lab, Path(scratch))
        try:
            cloud.start()
            cloud.join_hosts()
            unlimited(cloud.api, _PROJECT)
            yield cloud
        finally:
            cloud.kill()


def storm(cloud: Cloud, ports: int, clients: int, number: int) -> dict[str, list[float]]:
    """One round: seconds until all have answered, and milliseconds of each request, plugging, and answer after it."""
    network = _made(cloud, "network", {"name": f"storm{number}", "project_id": _PROJECT})["id"]
    subnet = {"network_id": network, "ip_version": 4, "cidr": "10.20.0.0/16", "project_id": _PROJECT}
    _made(cloud, "subnet", subnet)
    hosts = cloud.lab.hosts
    places = [Guest(hosts[each % len(hosts)], f"g{number}x{each}") for each in range(ports)]
    with ExitStack() as stack:
        for host in hosts:
            names = [place.interface for place in places if place.host is host]
            stack.callback(AnsweringTaps(host.namespace, names, _MTU).stop)
            stack.callback(_unplug, cloud.lab, host, names)
        pinger = _asking(cloud, network, f"asker{number}")
        stack.callback(pinger.stop)
        shares = [places[start::clients] for start in range(clients)]
        began = time.perf_counter()
        with ThreadPoolExecutor(clients) as pool:
            work = pool.map(lambda share: Client(cloud, network, pinger).boot(share), shares)
            booted = [each for share in work for each in share]
        answers = pinger.answers(ports, _PATIENCE)
    return {
        "seconds": [max(answers.values()) - began],
        "request_ms": [(each.made - each.asked) * 1000 for each in booted],
        "plug_ms": [(each.plugged - each.made) * 1000 for each in booted],
        "answer_after_plugging_ms": [(answers[each.address] - each.plugged) * 1000 for each in booted],
    }


def _asking(cloud: Cloud, network: str, name: str) -> Pinger:
    """A workload on the first host that asks the others."""
    port = _made(cloud, "port", {"network_id": network, "project_id": _PROJECT})
    address = port["fixed_ips"][0]["ip_address"]
    cloud.lab.attach(
        cloud.lab.hosts[0].name,
        name,
        mac=port["mac_address"],
        iface_id=port["id"],
        ips=[f"{address}/16"],
        bridge=DEFAULT_BRIDGE,
    )
    namespace = cloud.lab.plan.workload_namespace(name)
    return Pinger(namespace, (parse_mac(port["mac_address"]), IPv4Address(address)))


def _unplug(lab: Lab, host: Node, names: list[str]) -> None:
    words = [word for name in names for word in ("--", "--if-exists", "del-port", DEFAULT_BRIDGE, name)]
    lab.host_run(host.name, ["ovs-vsctl", "--timeout=60", *words])


def _made(cloud: Cloud, kind: str, body: dict[str, object]) -> dict[str, Any]:
    return dict(cloud.api("POST", f"/v2.0/{kind}s", {kind: body})[kind])


def run(ports: int, clients: int, hosts: int, rounds: int, name: str = "bootpings") -> dict[str, Any]:
    """So many storms, one after another, each on a network of its own."""
    taken: dict[str, list[float]] = {}
    with laboratory(hosts, name) as cloud:
        for number in range(rounds):
            for what, samples in storm(cloud, ports, clients, number).items():
                taken.setdefault(what, []).extend(samples)
            print(f"{ports} ports by {clients} clients answer after {taken['seconds'][-1]:.2f} s", flush=True)
    figures = {what: Summary.of(samples).as_json() for what, samples in taken.items()}
    return {"ports": ports, "clients": clients, "hosts": hosts} | figures


def main() -> None:
    """Measure, print, and write the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--ports", type=int, default=500)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--hosts", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--output", type=Path, default=Path("build/boot_pings.json"))
    options = parser.parse_args()
    figures = run(options.ports, options.clients, options.hosts, options.rounds)
    print(json.dumps(figures))
    write(figures, options.output)


if __name__ == "__main__":
    main()
