"""The whole product in a laboratory: a controller process, real switches, real packets, the API over HTTP."""

import socket
import struct
import tempfile
import time
from collections.abc import Iterator
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from tools.cloud import BRIDGE, OFCTL, Cloud, host_names, interface_of, until
from tools.demo import controller_kill, move, pings
from tools.isolation import MAGIC, count, isolation, packet_socket

from overlace.kit.addresses import Mac
from overlace.lab.lab import Lab
from overlace.lab.namespace import entered
from overlace.wire.frames import udp_frame
from overlace.wire.udp import UdpDatagram

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with tempfile.TemporaryDirectory(prefix="ovl-") as directory, Lab.up(None, "product") as lab:
        cloud = Cloud(lab, Path(directory))
        try:
            cloud.start()
            cloud.join_hosts()
            for tenant in ("red", "blue"):
                cloud.tenant(tenant)
                for number in range(1, 5):
                    port = cloud.port(f"{tenant}{number}", 10 + number)
                    cloud.workload(f"{tenant}{number}", f"h{number}", 10 + number, port["id"])
            until(lambda: all(cloud.status(name) == "ACTIVE" for name in cloud.ports), "ports stay down", 30)
            pings(cloud)
            yield cloud
        finally:
            cloud.kill()


def test_each_tenant_reaches_all_its_own(cloud: Cloud) -> None:
    figures = pings(cloud)
    assert figures["answered"] == figures["sent"] == 96


def test_nothing_of_one_tenant_reaches_the_other(cloud: Cloud) -> None:
    assert isolation(cloud, rounds=20)["leaked"] == 0


def test_the_underlay_speaks_for_a_host_as_its_address_says_and_for_nobody_else(cloud: Cloud) -> None:
    """Tunnels are not encrypted (docs/security.md): whoever can send from a host's address is taken for it."""
    network = cloud.api("GET", f"/v2.0/networks/{cloud.networks['blue']}")["network"]
    victim = next(name for name in sorted(cloud.ports) if name.startswith("blue") and name.endswith("3"))
    target = Mac(int(cloud.ports[victim]["mac_address"].replace(":", ""), 16))
    mine, other = IPv4Address("192.168.0.11"), IPv4Address("192.168.0.13")
    frame = udp_frame(Mac(0x02000000000B), target, mine, other, UdpDatagram(4000, 4001, MAGIC))
    vxlan = b"\x08\0\0\0" + int(network["provider:segmentation_id"]).to_bytes(3, "big") + b"\0" + frame
    ear = packet_socket(cloud, victim)

    def forged(source: str) -> int:
        to = str(cloud.lab.host("h3").endpoints[0])
        udp = struct.pack("!HHHH", 50000, 4789, 8 + len(vxlan), 0) + vxlan
        header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0, 64, socket.IPPROTO_UDP, 0)
        with entered(cloud.lab.plan.routers[0].namespace):
            raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
        with raw:
            for _ in range(20):
                raw.sendto(header + socket.inet_aton(source) + socket.inet_aton(to) + udp, (to, 0))
        time.sleep(1)
        return count(ear)

    assert forged("10.1.0.77") == 0
    assert forged(str(cloud.lab.host("h1").endpoints[0])) > 0


def test_a_workload_gets_its_address_by_dhcp(cloud: Cloud) -> None:
    port = cloud.port("red77", 77)
    cloud.lab.attach("h4", "red77", mac=port["mac_address"], iface_id=port["id"], dhcp=True)
    lease = cloud.lab.lease("red77")
    assert (lease["ip"], lease["serverid"], lease["mtu"]) == ("192.168.0.77", "192.168.0.1", "1550")
    cloud.lab.detach("red77")
    until(lambda: cloud.status("red77") == "DOWN", "the port outlives its interface", 10)


def test_a_port_may_name_its_interface(cloud: Cloud) -> None:
    cloud.workload("red88", "h2", 88, "announced-as-something-else")
    name = interface_of(cloud, "h2", "announced-as-something-else")
    cloud.port("red88", 88, **{"binding:host_id": "h2", "binding:profile": {"interface_name": name}})
    until(lambda: cloud.status("red88") == "ACTIVE", "the port is not bound", 10)
    cloud.lab.detach("red88")


@pytest.mark.parametrize(("there", "dead"), [("h3", False), ("h2", True)], ids=["controlled", "uncontrolled"])
def test_a_workload_moves_across_sites(cloud: Cloud, there: str, dead: bool) -> None:
    assert (
        move(cloud, there, dead=dead) <= 3
    )  # the figure itself is the demo's business: this machine is busy


def test_a_killed_controller_puts_right_what_was_tampered_with_and_nothing_else(cloud: Cloud) -> None:
    figures = controller_kill(cloud, seconds=3)
    assert figures == {"seconds": 3, "lost": 0, "repaired": 3, "changes_after_restart": 0}
    assert all(cloud.switch(name) for name in host_names(cloud.lab))


def installed(cloud: Cloud, flow: str) -> bool:
    """Whether a foreign flow is there."""
    return flow in cloud.lab.host_run("h1", [*OFCTL, "dump-flows", "--no-stats", BRIDGE]).stdout


def phase(cloud: Cloud) -> str:
    return str(cloud.api("GET", "/v2.0/overlace/switches/h1")["switch"]["phase"])


def test_an_operator_audits_a_host(cloud: Cloud) -> None:
    cloud.lab.host_run("h1", [*OFCTL, "add-flow", BRIDGE, "table=44,priority=7,actions=drop"])
    assert installed(cloud, "priority=7 ")
    report = cloud.api("POST", "/v2.0/overlace/switches/h1/audit")["switch"]
    assert report["observed"] > 0
    assert not installed(cloud, "priority=7 ")


def test_a_host_that_is_only_observed_is_not_written_to(cloud: Cloud) -> None:
    host = "/v2.0/overlace/hosts/h1"
    cloud.api("PUT", host, {"host": {"observe_only": True}})
    until(lambda: phase(cloud) == "held", "the host is not held", 10)
    cloud.lab.host_run("h1", [*OFCTL, "add-flow", BRIDGE, "table=44,priority=8,actions=drop"])
    cloud.api("POST", "/v2.0/overlace/switches/h1/resync")
    until(lambda: phase(cloud) == "held", "the host is not held", 10)
    assert installed(cloud, "priority=8 ")
    cloud.api("PUT", host, {"host": {"observe_only": False}})
    until(lambda: phase(cloud) == "in_sync", "the host is not written to again", 10)
    assert not installed(cloud, "priority=8 ")
