"""A controller with simulated hosts, each part in a process of its own: the controller, the switches, the databases.

What stands here runs in the client's process and waits for nothing but answers.
"""

import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.controller_process import ControllerProcess, controller_process
from bench.http_connection import HttpConnection
from bench.simulated_databases import SimulatedDatabases, simulated_databases
from bench.simulated_switches import Reached, SimulatedSwitches, simulated_switches
from bench.tenants import unlimited

from overlace.kit.addresses import format_mac

BRIDGE = "br-overlace"
SPAN = 10
BULK = 250
PATIENCE = 60.0
_CONNECTING = 900.0
_STILL = 0.15


@dataclass(frozen=True, slots=True)
class Network:
    """One with a subnet, and the hosts it is measured on."""

    id: str
    project: str


@dataclass(frozen=True, slots=True)
class Added:
    """One port: when it was asked for, when the answer came, and when the last switch had acknowledged it (seconds)."""

    port_id: str
    asked: float
    answered: float
    acknowledged: float

    @property
    def from_call(self) -> float:
        """Milliseconds from the request to the last acknowledgement."""
        return (self.acknowledged - self.asked) * 1000

    @property
    def from_accepted(self) -> float:
        """Milliseconds from the answer, which says that the port is stored, to the last acknowledgement; below
        zero where the switches were quicker than the answer."""
        return (self.acknowledged - self.answered) * 1000


class SimulatedCloud:
    """Hosts are numbered from 0 and called sim0, sim1 ..."""

    def __init__(
        self, controller: ControllerProcess, switches: SimulatedSwitches, databases: SimulatedDatabases
    ) -> None:
        self.controller, self.switches, self.databases = controller, switches, databases
        self.api = controller.api
        self.hosts = 0
        self._interfaces: Counter[int] = Counter()
        self._macs = 0

    def join(self, hosts: int) -> None:
        """Declare so many hosts and let them connect; returns when all are in sync."""
        self.api("POST", "/v2.0/overlace/sites", {"site": {"id": "site-a", "mtu": 1600}})
        for number in range(hosts):
            endpoint = {"address": f"10.{number >> 16}.{number >> 8 & 0xFF}.{number & 0xFF}"}
            host = {"id": f"sim{number}", "site_id": "site-a", "endpoints": [endpoint]}
            self.api("POST", "/v2.0/overlace/hosts", {"host": host})
        self.databases.connect(0, hosts, BRIDGE)
        self.switches.connect(0, hosts, self.controller.openflow_port)
        self.hosts = hosts
        self.await_sync()

    def await_sync(self) -> float:
        """Until every switch is in sync; gives the time (seconds of time.monotonic()) when that was seen."""
        complaint = "the simulated hosts do not come into sync"
        until(self._in_sync, complaint, _CONNECTING, pause=0.02 + self.hosts / 1000)
        return time.monotonic()

    def _in_sync(self) -> bool:
        states = self.api("GET", "/v2.0/overlace/status")["status"]["switches"].values()
        return [each["phase"] for each in states].count("in_sync") == self.hosts

    def fill_tenants(self, first: int, last: int, per_host: int = 50) -> None:
        """Tenants `first` up to `last`, without that one: a network each, with so many ports on each of ten hosts."""
        groups = max(1, self.hosts // SPAN)
        for tenant in range(first, last):
            start = tenant % groups * SPAN
            network = self.network(f"tenant{tenant}", "10.1.0.0/16")
            places = [host for host in range(start, min(start + SPAN, self.hosts)) for _ in range(per_host)]
            self.fill(network, places)
            self.await_active(network, len(places))
        self.await_quiet()

    def await_active(self, network: Network, ports: int) -> None:
        """Until so many ports of the network are in all switches concerned."""
        path = f"/v2.0/ports?network_id={network.id}&status=ACTIVE&fields=id"
        until(lambda: len(self.api("GET", path)["ports"]) == ports, "ports stay down", _CONNECTING, 0.1)

    def network(self, name: str, *prefixes: str) -> Network:
        """A network of a project of the same name without quota, with a subnet for each prefix."""
        unlimited(self.api, name)
        body = {"network": {"name": name, "project_id": name}}
        network = str(self.api("POST", "/v2.0/networks", body)["network"]["id"])
        for prefix in prefixes:
            version = 6 if ":" in prefix else 4
            subnet = {"network_id": network, "ip_version": version, "cidr": prefix, "project_id": name}
            self.api("POST", "/v2.0/subnets", {"subnet": subnet})
        return Network(network, name)

    def fill(self, network: Network, places: Sequence[int], **more: object) -> list[str]:
        """A port on each of the places (a host may stand there often), and its interface; gives the ports' ids."""
        made: list[str] = []
        for start in range(0, len(places), BULK):
            some = places[start : start + BULK]
            port = {"network_id": network.id, "project_id": network.project} | more
            ports = self.api("POST", "/v2.0/ports", {"ports": [port for _ in some]})["ports"]
            ids = [str(each["id"]) for each in ports]
            self.databases.plug([self._interface(host, id_) for host, id_ in zip(some, ids, strict=True)])
            made += ids
        return made

    def plug(self, host: int, port_id: str) -> None:
        """The interface of a port that was made by itself."""
        self.databases.plug([self._interface(host, port_id)])

    def add(self, network: Network, host: int, holders: int, **more: object) -> Added:
        """One more port, whose interface is plugged already; waits until so many switches have acknowledged it."""
        self._macs += 1
        mac = format_mac(0x02FE00000000 | self._macs)
        place = self._interface(host, f"announced-{self._macs}")
        self.databases.plug([place])
        self.switches.watch(mac, holders)
        port = {
            "network_id": network.id,
            "project_id": network.project,
            "mac_address": mac,
            "binding:host_id": f"sim{host}",
            "binding:profile": {"interface_name": place[1]},
        } | more
        with closing(HttpConnection(port=self.controller.api_port)) as connection:
            call = connection.post("/v2.0/ports", {"port": port})
            time.sleep(_BETWEEN)
            asked = time.monotonic()
            made = call()["port"]
            answered = time.monotonic()
        if self.switches.wait(PATIENCE) is None:
            raise SystemExit(f"{self.switches.seen().switches} of {holders} hosts get port {made['id']}")
        reached = self._settled(str(made["id"]))
        if reached.switches != holders:
            raise SystemExit(f"{reached.switches} hosts get port {made['id']}, not {holders}")
        return Added(str(made["id"]), asked, answered, reached.at)

    def remove(self, port_id: str) -> None:
        """Delete a port; its interface stays where it is and means nothing any more."""
        self.api("DELETE", f"/v2.0/ports/{port_id}")

    def _settled(self, port_id: str) -> Reached:
        """Once the controller itself says that nobody is awaited any more."""
        path = f"/v2.0/ports/{port_id}?fields=status"
        until(lambda: self.api("GET", path)["port"]["status"] == "ACTIVE", "the port stays down", PATIENCE)
        return self.switches.seen()

    def _interface(self, host: int, iface_id: str) -> tuple[int, str, str, int]:
        self._interfaces[host] += 1
        number = self._interfaces[host]
        return host, f"tap{number}", iface_id, number

    def await_quiet(self) -> None:
        """Until no switch has been told anything for a while, and none is behind."""
        before = -1
        while (now := self.switches.totals().flow_mods) != before or self._behind():
            before = now
            time.sleep(_STILL)

    def _behind(self) -> list[Any]:
        return list(self.api("GET", "/v2.0/overlace/status")["status"]["behind"])


_BETWEEN = 0.05


def until(condition: Callable[[], bool], complaint: str, seconds: float, pause: float = 0.02) -> None:
    """Ask again and again, with pauses: what is asked uses the processor, too. Raises SystemExit with the complaint."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise SystemExit(complaint)
        time.sleep(pause)


@contextmanager
def simulated_cloud(hosts: int, *options: str) -> Iterator[SimulatedCloud]:
    """Everything, with so many hosts in sync; `options` are those of `overlace serve`."""
    with (
        tempfile.TemporaryDirectory() as scratch,
        controller_process(Path(scratch), *options) as controller,
        simulated_switches() as switches,
        simulated_databases(controller.ovsdb_port) as databases,
    ):
        cloud = SimulatedCloud(controller, switches, databases)
        cloud.join(hosts)
        yield cloud
