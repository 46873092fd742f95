"""Networks of type `hop` in a laboratory: a ring of transit switches, a real controller, real packets."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tools.demo import OFCTL, Cloud, received, until

from overlace.cli.join import join_commands
from overlace.lab.description import decode_topology
from overlace.lab.lab import Lab

pytestmark = pytest.mark.lab

RING = """
underlay: ipv4
sites: [{name: site-a, ipv4: 10.1.0.0/24, hosts: [h1, h2, h3]}]
transit: [{name: t1, site: site-a}, {name: t2, site: site-a}, {name: t3, site: site-a}]
links:
  - {ends: [h1, t1]}
  - {ends: [h2, t2]}
  - {ends: [h3, t3]}
  - {ends: [t1, t2]}
  - {ends: [t2, t3]}
  - {ends: [t1, t3]}
"""
HOSTS = ("h1", "h2", "h3")
SWITCHES = ("t1", "t2", "t3")
TENANTS = ("red", "blue")


class Ring:
    """Two tenants with equal addresses and one workload each on every host: red1..red3, blue1..blue3."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.lab = cloud.lab

    def build(self) -> None:
        self.cloud.start()
        self._register()
        for name in HOSTS:
            script = join_commands(
                name,
                self.lab.controller_address,
                "br-overlace",
                "netdev",
                6653,
                6640,
                fabric=f"to-t{name[1:]}",
            )
            self.lab.host_run(name, ["sh", "-e", "-c", script])
        for name in SWITCHES:
            controller = f"set-controller br-transit tcp:{self.lab.controller_address}:6653"
            command = f"ovs-vsctl set bridge br-transit protocols=OpenFlow15 -- {controller}"
            self.lab.host_run(name, command.split())
        nodes = (*HOSTS, *SWITCHES)
        until(lambda: all(self.cloud.switch(each).get("acknowledged") for each in nodes), "not joined", 30)
        for tenant in TENANTS:
            self.network(tenant, "hop")
            for number in (1, 2, 3):
                self.workload(f"{tenant}{number}", f"h{number}", 10 + number)
        self.settle()

    def _register(self) -> None:
        api = self.cloud.api
        api("POST", "/v2.0/overlace/sites", {"site": {"id": "site-a", "mtu": 1600}})
        for name in HOSTS:
            address = str(self.lab.host(name).endpoints[0])
            host: dict[str, Any] = {"id": name, "site_id": "site-a", "endpoints": [{"address": address}]}
            host["fabric_interface"] = f"to-t{name[1:]}"
            api("POST", "/v2.0/overlace/hosts", {"host": host})
        for name in SWITCHES:
            text = self.lab.host_run(name, ["ovs-vsctl", "get", "bridge", "br-transit", "datapath_id"]).stdout
            switch = {"id": name, "site_id": "site-a", "datapath_id": int(text.strip().strip('"'), 16)}
            api("POST", "/v2.0/overlace/transit-switches", {"transit_switch": switch})
        for link in self.lab.plan.topology.links:
            one, other = link.ends
            ends = {"a_node": one, "a_interface": f"to-{other}", "b_node": other, "b_interface": f"to-{one}"}
            api("POST", "/v2.0/overlace/links", {"link": ends})

    def network(self, tenant: str, network_type: str) -> dict[str, Any]:
        wanted = {"name": tenant, "project_id": tenant, "provider:network_type": network_type}
        network: dict[str, Any] = self.cloud.api("POST", "/v2.0/networks", {"network": wanted})["network"]
        self.cloud.networks[tenant] = network["id"]
        for version, cidr in ((4, "192.168.0.0/24"), (6, "fd00::/64")):
            subnet = {"network_id": network["id"], "ip_version": version, "cidr": cidr, "project_id": tenant}
            self.cloud.api("POST", "/v2.0/subnets", {"subnet": subnet})
        return network

    def workload(self, name: str, host: str, octet: int) -> None:
        port = self.cloud.port(name, octet)
        self.cloud.workload(name, host, octet, port["id"])

    def settle(self) -> None:
        until(
            lambda: all(self.cloud.status(each) == "ACTIVE" for each in self.cloud.ports),
            "ports are down",
            30,
        )

    def pings(self, *tenants: str) -> dict[str, int]:
        """Every workload to every other of its tenant, over IPv4 and IPv6, all at once."""
        running = [
            self.lab.popen(f"{tenant}{source}", ["ping", "-c", "2", "-i", "0.2", "-W", "2", address])
            for tenant in tenants
            for source in (1, 2, 3)
            for target in {1, 2, 3} - {source}
            for address in (f"192.168.0.{10 + target}", f"fd00::{10 + target:x}")
        ]
        return {
            "sent": 2 * len(running),
            "answered": sum(received(each.communicate()[0]) for each in running),
        }

    def flows(self, switch: str) -> list[str]:
        """The flows of a transit switch that send somewhere."""
        dump = self.lab.host_run(switch, [*OFCTL, "dump-flows", "br-transit", "--no-stats"]).stdout
        return sorted(line.strip() for line in dump.splitlines() if "output:" in line)

    def realisation(self, port: str) -> dict[str, Any]:
        path = f"/v2.0/overlace/ports/{self.cloud.ports[port]['id']}/realisation"
        answer: dict[str, Any] = self.cloud.api("GET", path)["realisation"]
        return answer


@pytest.fixture(scope="module")
def ring() -> Iterator[Ring]:
    with (
        tempfile.TemporaryDirectory(prefix="ovl-") as directory,
        Lab.up(decode_topology(RING), "hopring") as lab,
    ):
        cloud = Cloud(lab, Path(directory))
        ring = Ring(cloud)
        try:
            ring.build()
            yield ring
        finally:
            cloud.kill()


def test_each_tenant_reaches_all_its_own_over_the_fabric(ring: Ring) -> None:
    assert ring.pings(*TENANTS) == {"sent": 48, "answered": 48}
