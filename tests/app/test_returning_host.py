"""A host is cut off, its network is deleted, the wire identifier goes to another tenant, and the host returns."""

import tempfile
import time
from collections.abc import Iterator
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from tools.cloud import Cloud, until
from tools.isolation import MAGIC, arrivals, packet_socket

from overlace.app.chores import INTERVAL
from overlace.kit.addresses import BROADCAST, Mac
from overlace.lab.lab import Lab
from overlace.lab.topology import Site, Topology
from overlace.wire.frames import udp_frame
from overlace.wire.udp import UdpDatagram

pytestmark = pytest.mark.lab

SITE = Topology(sites=(Site("site-a", ("h1", "h2", "h3"), ipv4="10.1.0.0/24"),), underlay="ipv4")
VNI = 5000


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with tempfile.TemporaryDirectory(prefix="ovl-") as directory, Lab.up(SITE, "returning") as lab:
        cloud = Cloud(lab, Path(directory))
        try:
            cloud.start()
            cloud.join_hosts()
            yield cloud
        finally:
            cloud.kill()


def network(cloud: Cloud, tenant: str) -> None:
    body = {"name": tenant, "project_id": tenant, "provider:network_type": "vxlan"}
    made = cloud.api("POST", "/v2.0/networks", {"network": {**body, "provider:segmentation_id": VNI}})[
        "network"
    ]
    cloud.networks[tenant] = made["id"]
    for version, cidr in ((4, "192.168.0.0/24"), (6, "fd00::/64")):
        subnet = {"network_id": made["id"], "ip_version": version, "cidr": cidr, "project_id": tenant}
        cloud.api("POST", "/v2.0/subnets", {"subnet": subnet})


def plug(cloud: Cloud, name: str, host: str, octet: int) -> None:
    port = cloud.port(name, octet)
    cloud.workload(name, host, octet, port["id"])
    until(lambda: cloud.status(name) == "ACTIVE", f"{name} is not ACTIVE", 20)


def delete(cloud: Cloud, tenant: str) -> None:
    for name in [each for each in cloud.ports if each.startswith(tenant)]:
        cloud.api("DELETE", f"/v2.0/ports/{cloud.ports.pop(name)['id']}")
    cloud.api("DELETE", f"/v2.0/networks/{cloud.networks.pop(tenant)}")


def resting(cloud: Cloud) -> int:
    """How many addresses rest."""
    status = cloud.api("GET", "/v2.0/overlace/status")["status"]
    return int(status["quarantine"].get("address", 0))


def frames(to: Mac) -> list[bytes]:
    me, mark = Mac(0x02000000000C), UdpDatagram(4000, 4001, MAGIC)
    mine, other = IPv4Address("192.168.0.12"), IPv4Address("192.168.0.11")
    return [udp_frame(me, target, mine, other, mark) for target in (to, BROADCAST)]


def test_given_a_host_that_was_cut_off_when_its_wire_identifier_is_anothers_then_nothing_is_delivered(
    cloud: Cloud,
) -> None:
    network(cloud, "red")
    plug(cloud, "red1", "h1", 11)
    plug(cloud, "red2", "h2", 12)
    old = packet_socket(cloud, "red2")
    control = {"red1": packet_socket(cloud, "red1")}

    def gets_through() -> bool:
        for frame in frames(Mac(0x02000000000B)):
            old.send(frame)
        return arrivals(control, {"red1": 2}) == {"red1": 2}

    until(gets_through, "the probe itself does not get through", 20)

    cloud.tenant("green")
    plug(cloud, "green1", "h1", 21)
    # what is given back before anybody has noticed that h2 is cut off rests, too
    cloud.lab.host_run("h2", ["ip", "link", "set", "mgmt0", "down"])
    delete(cloud, "red")
    cloud.api("DELETE", f"/v2.0/ports/{cloud.ports.pop('green1')['id']}")
    given_back = time.monotonic()
    until(lambda: not cloud.switch("h2"), "h2 is still heard", 60)
    look = given_back + INTERVAL + 1
    until(lambda: time.monotonic() > look, "the controller does not look at what rests", 2 * INTERVAL)
    with pytest.raises(SystemExit, match="TunnelIdInUse"):
        network(cloud, "blue")  # h2 may still send with it
    assert resting(cloud) == 2  # and take green1's two addresses for green1's

    cloud.api("DELETE", "/v2.0/overlace/hosts/h2")

    def is_free() -> bool:
        try:
            network(cloud, "blue")
        except SystemExit:
            return False
        return True

    until(is_free, "the identifier stays in quarantine", 30)
    until(lambda: resting(cloud) == 0, "the addresses stay in quarantine", 30)
    cloud.lab.detach("red1")
    plug(cloud, "blue1", "h1", 11)
    plug(cloud, "blue3", "h3", 13)
    ears = {name: packet_socket(cloud, name) for name in ("blue1", "blue3")}
    for frame in [*frames(Mac(0x02000000000B)), *frames(Mac(0x02000000000D))] * 50:
        old.send(frame)
    assert arrivals(ears, {}) == {"blue1": 0, "blue3": 0}

    cloud.lab.host_run("h2", ["ip", "link", "set", "mgmt0", "up"])
    endpoints = [{"address": str(cloud.lab.host("h2").endpoints[0])}]
    host = {"id": "h2", "site_id": "site-a", "endpoints": endpoints}
    cloud.api("POST", "/v2.0/overlace/hosts", {"host": host})
    until(lambda: cloud.switch("h2").get("phase") == "in_sync", "h2 does not return", 60)
    for frame in [*frames(Mac(0x02000000000B)), *frames(Mac(0x02000000000D))] * 50:
        old.send(frame)
    assert arrivals(ears, {}) == {"blue1": 0, "blue3": 0}
