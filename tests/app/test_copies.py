"""Given a port at work, when a second interface says that it is the port, then nobody steals it: the fault is named,
and it moves when whoever may say so says that the old host is fenced."""

import tempfile
import time
from collections.abc import Iterator
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest
from tools.cloud import Cloud, until
from tools.echo_stream import EchoStream
from tools.isolation import MAGIC, count, packet_socket

from overlace.kit.addresses import BROADCAST, Mac
from overlace.lab.lab import Lab
from overlace.lab.topology import Site, Topology
from overlace.wire.frames import rarp, udp_frame
from overlace.wire.udp import UdpDatagram

pytestmark = pytest.mark.lab

THREE_HOSTS = Topology(sites=(Site("site-a", ("h1", "h2", "h3"), ipv4="10.1.0.0/24"),), underlay="ipv4")
ME, ADDRESS, MARK = Mac(0x02000000000B), IPv4Address("192.168.0.11"), UdpDatagram(4000, 4001, MAGIC)


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with tempfile.TemporaryDirectory(prefix="ovl-") as directory, Lab.up(THREE_HOSTS, "copies") as lab:
        cloud = Cloud(lab, Path(directory))
        try:
            cloud.start()
            cloud.join_hosts()
            cloud.tenant("red")
            plug(cloud, "red3", "h3", 13, cloud.port("red3", 13)["id"])
            yield cloud
        finally:
            cloud.kill()


def plug(cloud: Cloud, workload: str, host: str, octet: int, iface_id: str) -> None:
    cloud.workload(workload, host, octet, iface_id)


def served_at(cloud: Cloud) -> dict[str, str]:
    shown = cloud.api("GET", f"/v2.0/overlace/ports/{cloud.ports['red1']['id']}/realisation")
    return dict(shown["realisation"]["bindings"])


def findings(cloud: Cloud) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = cloud.api("GET", "/v2.0/overlace/doctor")["findings"]
    return found


def named(cloud: Cloud, kind: str, *words: str) -> bool:
    texts = (
        f"{each['seen']} {each['cause']} {each['cure']}" for each in findings(cloud) if each["kind"] == kind
    )
    return any(all(word in text for word in words) for text in texts)


def hears(cloud: Cloud, workload: str) -> int:
    """How many of 20 frames from red3 to the port come to one of the two that say they are it."""
    ear, mouth = packet_socket(cloud, workload), packet_socket(cloud, "red3")
    frame = udp_frame(Mac(0x02000000000D), ME, IPv4Address("192.168.0.13"), ADDRESS, MARK)
    for _ in range(20):
        mouth.send(frame)
    time.sleep(1)
    return count(ear)


def says(cloud: Cloud, workload: str) -> int:
    """How many of 20 broadcasts that it sends in the port's name come to red3."""
    ear, mouth = packet_socket(cloud, "red3"), packet_socket(cloud, workload)
    for _ in range(20):
        mouth.send(udp_frame(ME, BROADCAST, ADDRESS, IPv4Address("255.255.255.255"), MARK))
    time.sleep(1)
    return count(ear)


def test_given_a_port_asked_for_by_host_when_a_clone_or_a_restart_elsewhere_speaks_then_it_stays_until_it_is_fenced(
    cloud: Cloud,
) -> None:
    port = cloud.port("red1", 11, **{"binding:host_id": "h1"})
    plug(cloud, "red1", "h1", 11, port["id"])
    until(lambda: cloud.status("red1") == "ACTIVE", "the port is not ACTIVE", 20)

    # a clone with the same iface-id, or what high availability starts while the old host is alive
    running = EchoStream(cloud.namespace("red1"), "192.168.0.13", 6)
    plug(cloud, "copy", "h2", 11, port["id"])
    packet_socket(cloud, "copy").send(rarp(ME).ljust(60, b"\0"))
    until(lambda: named(cloud, "port_duplicate", "h2"), f"the fault is not named: {findings(cloud)}", 20)
    assert (says(cloud, "copy"), hears(cloud, "copy")) == (0, 0)
    assert running.outcome().lost == 0
    assert served_at(cloud) == {"h1": "active"}

    # whoever has fenced the old host says where the port is now
    cloud.api("PUT", f"/v2.0/ports/{port['id']}", {"port": {"binding:host_id": "h2"}})
    until(lambda: served_at(cloud).get("h2") == "active", "the port does not move", 20)
    until(lambda: cloud.status("red1") == "ACTIVE", "the port is not ACTIVE at h2", 20)
    until(lambda: hears(cloud, "copy") == 20, "h2 gets nothing", 20)
    assert says(cloud, "copy") == 20
    # and the old one, which is alive after all, neither sends nor receives
    assert (says(cloud, "red1"), hears(cloud, "red1")) == (0, 0)


def test_given_a_port_that_nobody_asked_for_by_host_when_a_copy_speaks_then_it_moves_once_and_not_back(
    cloud: Cloud,
) -> None:
    port = cloud.port("red1", 11)
    plug(cloud, "red1", "h1", 11, port["id"])
    until(lambda: cloud.status("red1") == "ACTIVE", "the port is not ACTIVE", 20)
    plug(cloud, "copy", "h2", 11, port["id"])
    until(lambda: served_at(cloud).get("h2") == "prepared", "the copy is not seen", 20)
    assert hears(cloud, "red1") == 20  # a copy that is silent takes nothing

    # its first frame is that of a live migration
    packet_socket(cloud, "copy").send(rarp(ME).ljust(60, b"\0"))
    until(lambda: served_at(cloud).get("h2") == "active", "the port does not move", 20)
    until(lambda: hears(cloud, "copy") == 20, "the port is served nowhere", 20)
    assert says(cloud, "copy") == 20
    # and whatever the old one says, it has the port no more
    for _ in range(20):
        packet_socket(cloud, "red1").send(rarp(ME).ljust(60, b"\0"))
    assert (says(cloud, "red1"), hears(cloud, "red1"), hears(cloud, "copy")) == (0, 0, 20)
    assert served_at(cloud) == {"h1": "releasing", "h2": "active"}
