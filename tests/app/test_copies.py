"""Given a port at work, when a second interface says that it is the port, then nobody steals it: the fault is named,
and it moves when whoever may say so says that the old host is fenced."""

import tempfile
from collections.abc import Iterator
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from tools.cloud import Cloud, interface_of, until
from tools.echo_stream import EchoStream
from tools.isolation import MAGIC, arrivals, packet_socket

from overlace.kit.addresses import BROADCAST, Mac, format_mac
from overlace.lab.lab import Lab
from overlace.lab.namespace import entered, write_sysctls
from overlace.lab.topology import Site, Topology
from overlace.wire.frames import rarp, udp_frame
from overlace.wire.udp import UdpDatagram

pytestmark = pytest.mark.lab

THREE_HOSTS = Topology(sites=(Site("site-a", ("h1", "h2", "h3"), ipv4="10.1.0.0/24"),), underlay="ipv4")
MARK, WITNESS = UdpDatagram(4000, 4001, MAGIC), 13


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with tempfile.TemporaryDirectory(prefix="ovl-") as directory, Lab.up(THREE_HOSTS, "copies") as lab:
        cloud = Cloud(lab, Path(directory))
        try:
            cloud.start()
            cloud.join_hosts()
            cloud.tenant("red")
            cloud.workload("red3", "h3", WITNESS, cloud.port("red3", WITNESS)["id"])
            yield cloud
        finally:
            cloud.kill()


class Twins:
    """A port whose workload runs at h1, and what says at h2 that it is the same. red3 watches from h3."""

    def __init__(self, cloud: Cloud, name: str, octet: int, **more: object) -> None:
        self.cloud, self.name, self.copy, self.octet = cloud, name, f"{name}copy", octet
        self.mac, self.address = Mac(0x020000000000 | octet), IPv4Address(f"192.168.0.{octet}")
        self.port = cloud.port(name, octet, **more)
        cloud.workload(name, "h1", octet, self.port["id"])
        until(lambda: cloud.status(name) == "ACTIVE", "the port is not ACTIVE", 20)

    def start_copy(self) -> None:
        """It says that it is the port once it is silent: with IPv6 its kernel would speak by itself."""
        ips, nobody = [f"{self.address}/24"], f"nobody-{self.octet}"
        self.cloud.lab.attach("h2", self.copy, mac=format_mac(self.mac), iface_id=nobody, ips=ips)
        with entered(self.cloud.namespace(self.copy)):
            write_sysctls({"ipv6/conf/all/disable_ipv6": "1"})
        named = f"external_ids:iface-id={self.port['id']}"
        interface = interface_of(self.cloud, "h2", nobody)
        self.cloud.lab.host_run("h2", ["ovs-vsctl", "set", "interface", interface, named])

    def announces_itself(self, workload: str, times: int = 1) -> None:
        for _ in range(times):
            packet_socket(self.cloud, workload).send(rarp(self.mac).ljust(60, b"\0"))

    def served_at(self) -> dict[str, str]:
        shown = self.cloud.api("GET", f"/v2.0/overlace/ports/{self.port['id']}/realisation")
        return dict(shown["realisation"]["bindings"])

    def is_named(self, kind: str, host: str) -> bool:
        found = self.cloud.api("GET", "/v2.0/overlace/doctor")["findings"]
        return any(each["kind"] == kind and host in f"{each['seen']} {each['cure']}" for each in found)

    def hear(self, **expected: int) -> bool:
        """Whether just so many of 20 frames from red3 to the port come to `real` and to `copy`."""
        ears = {"real": packet_socket(self.cloud, self.name), "copy": packet_socket(self.cloud, self.copy)}
        mouth = packet_socket(self.cloud, "red3")
        frame = udp_frame(
            Mac(0x020000000000 | WITNESS), self.mac, IPv4Address("192.168.0.13"), self.address, MARK
        )
        for _ in range(20):
            mouth.send(frame)
        return arrivals(ears, expected) == expected

    def says(self, workload: str, expected: int) -> bool:
        """Whether just so many of 20 broadcasts that it sends in the port's name come to red3."""
        ears, mouth = {"red3": packet_socket(self.cloud, "red3")}, packet_socket(self.cloud, workload)
        for _ in range(20):
            mouth.send(udp_frame(self.mac, BROADCAST, self.address, IPv4Address("255.255.255.255"), MARK))
        return arrivals(ears, {"red3": expected}) == {"red3": expected}


def test_given_a_port_asked_for_by_host_when_a_clone_or_a_restart_elsewhere_speaks_then_it_stays_until_it_is_fenced(
    cloud: Cloud,
) -> None:
    red = Twins(cloud, "red1", 11, **{"binding:host_id": "h1"})

    # a clone with the same iface-id, or what high availability starts while the old host is alive
    running = EchoStream(cloud.namespace(red.name), "192.168.0.13", 60)
    red.start_copy()
    red.announces_itself(red.copy)
    until(lambda: red.is_named("port_duplicate", "h2"), "the fault is not named", 20)
    assert red.says(red.copy, 0) and red.hear(real=20, copy=0)
    running.stop()
    assert running.outcome().lost == 0
    assert red.served_at() == {"h1": "active"}

    # whoever has fenced the old host says where the port is now
    cloud.api("PUT", f"/v2.0/ports/{red.port['id']}", {"port": {"binding:host_id": "h2"}})
    until(lambda: red.served_at().get("h2") == "active", "the port does not move", 20)
    until(lambda: cloud.status(red.name) == "ACTIVE", "the port is not ACTIVE at h2", 20)
    # and the old one, which is alive after all, neither sends nor receives
    until(lambda: red.hear(real=0, copy=20), "h2 gets nothing, or h1 something", 20)
    assert red.says(red.copy, 20) and red.says(red.name, 0)


def test_given_a_port_that_nobody_asked_for_by_host_when_a_copy_speaks_then_it_moves_once_and_not_back(
    cloud: Cloud,
) -> None:
    red = Twins(cloud, "red2", 12)
    red.start_copy()
    until(lambda: red.served_at().get("h2") == "prepared", "the copy is not seen", 20)
    assert red.hear(real=20, copy=0)  # a copy that is silent takes nothing

    # its first frame is that of a live migration
    red.announces_itself(red.copy)
    until(lambda: red.served_at().get("h2") == "active", "the port does not move", 20)
    until(lambda: red.hear(real=0, copy=20), "the port is served nowhere, or twice", 20)
    assert red.says(red.copy, 20)
    # and whatever the old one says, it has the port no more
    red.announces_itself(red.name, times=20)
    assert red.says(red.name, 0) and red.hear(real=0, copy=20)
    assert red.served_at() == {"h1": "releasing", "h2": "active"}
