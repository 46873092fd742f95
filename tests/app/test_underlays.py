"""The whole product over an IPv6 underlay, and over two families of which one fails."""

import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address, ip_interface
from pathlib import Path

import msgspec
import pytest
from tools.cloud import BRIDGE, OFCTL, Cloud, host_names, until
from tools.demo import move, received
from tools.isolation import MAGIC, count, packet_socket

from overlace.kit.addresses import BROADCAST, Mac
from overlace.lab.description import load_topology
from overlace.lab.lab import Lab
from overlace.lab.topology import Family
from overlace.wire.frames import udp_frame
from overlace.wire.udp import UdpDatagram

pytestmark = pytest.mark.lab

SETTLED = 30.0


@contextmanager
def running(underlay: Family, name: str, wan_mtu: int, addresses: int) -> Iterator[Cloud]:
    """Two sites of two hosts over this underlay, red1 to red4 on h1 to h4, and everything settled."""
    plain = load_topology("default")
    wan = msgspec.structs.replace(plain.wan, mtu=wan_mtu)
    topology = msgspec.structs.replace(plain, underlay=underlay, wan=wan)
    with tempfile.TemporaryDirectory(prefix="ovl-") as directory, Lab.up(topology, name) as lab:
        cloud = Cloud(lab, Path(directory))
        try:
            cloud.start()
            cloud.join_hosts(addresses)
            cloud.tenant("red")
            for number in range(1, 5):
                port = cloud.port(f"red{number}", 10 + number)
                cloud.workload(f"red{number}", f"h{number}", 10 + number, port["id"])
            until(
                lambda: all(cloud.status(name) == "ACTIVE" for name in cloud.ports),
                "ports stay down",
                SETTLED,
            )
            until(lambda: unheard(cloud) == [], "hosts do not hear each other", SETTLED)
            yield cloud
        finally:
            cloud.kill()


def unheard(cloud: Cloud) -> list[tuple[str, str]]:
    """Who does not hear which address."""
    sessions = cloud.api("GET", "/v2.0/overlace/liveness")["liveness"]
    return [(each["host"], each["remote_address"]) for each in sessions if not each["up"]]


def paths(cloud: Cloud) -> dict[tuple[str, str, str], tuple[str, int, int]]:
    found = cloud.api("GET", "/v2.0/overlace/paths")["paths"]
    return {
        (each["source"], each["target"], each["address"]): (each["verdict"], each["carries"], each["needed"])
        for each in found
    }


def answered(cloud: Cloud, source: str, octet: int, tries: int = 3) -> bool:
    """Whether both families get through."""
    commands = [
        ["ping", "-c", str(tries), "-i", "0.2", "-W", "2", to]
        for to in (f"192.168.0.{octet}", f"fd00::{octet:x}")
    ]
    pings = [cloud.lab.popen(source, command) for command in commands]
    return all(received(each.communicate()[0]) for each in pings)


def test_everything_works_over_an_ipv6_underlay() -> None:
    # given a wide-area network that is narrower than the sites
    with running("ipv6", "livenesssix", wan_mtu=1500, addresses=1) as cloud:
        addresses = {name: str(cloud.lab.host(name).endpoints[0]) for name in host_names(cloud.lab)}
        # then both ends of every session are up
        sessions = cloud.api("GET", "/v2.0/overlace/liveness")["liveness"]
        assert len(sessions) == 12
        assert {each["state"] for each in sessions} == {"up"}
        # and tenants reach each other over both families
        assert all(answered(cloud, f"red{one}", 10 + other) for one, other in ((1, 2), (1, 3), (4, 2)))
        # and probes tell what the ways carry, within the sites and between them
        cross = {("h1", "h3"), ("h1", "h4"), ("h2", "h3"), ("h2", "h4")}
        cross |= {(there, here) for here, there in cross}
        narrow, wide = ("too narrow", 1500, 1600), ("wide enough", 1600, 1600)
        expected = {
            (here, there, addresses[there]): narrow if (here, there) in cross else wide
            for here in addresses
            for there in addresses
            if here != there
        }
        until(lambda: paths(cloud) == expected, f"probes find {paths(cloud)}", SETTLED)
        texts = [each["text"] for each in cloud.api("GET", "/v2.0/overlace/alarms?host=h1")["alarms"]]
        told = "carries packets of 1500 bytes, networks of MTU 1530 need 1600: lower the networks' MTU to 1430 or"
        assert f"h1 -> h3 ({addresses['h3']}) {told} raise the link's to 1600" in texts
        # when a workload moves across, it takes its connections along
        assert move(cloud, "h3") <= 50
        # when the wide-area network is cut, every host misses those on the other side, and finds them again
        cloud.lab.cut("wan")
        until(lambda: set(unheard(cloud)) == {(a, addresses[b]) for a, b in cross}, "nobody minds", SETTLED)
        cloud.lab.heal("wan")
        until(lambda: unheard(cloud) == [], "hosts do not hear each other again", SETTLED)


def test_traffic_goes_around_a_family_that_fails() -> None:
    with running("dual", "livenessdual", wan_mtu=1600, addresses=2) as cloud:
        # given two sessions between each two hosts, one a family, and frames that go the preferred way
        assert len(cloud.api("GET", "/v2.0/overlace/liveness")["liveness"]) == 24
        assert all(answered(cloud, f"red{one}", 10 + other) for one, other in ((1, 2), (1, 3), (4, 2)))
        assert ways(cloud, "h1") == ways(cloud, "h3") == []
        # and a broadcast is heard once at each other port, whatever tunnel ports there are
        assert max(copies_of_a_broadcast(cloud, 20).values()) == 20
        # when IPv4 fails between the sites,
        router = cloud.lab.plan.routers[0].namespace
        h3 = ip_interface(f"{cloud.lab.host('h3').endpoints[0]}/25")
        with hole(router, str(h3.network)):
            # then the hosts of either site go to those of the other over IPv6, and only to those
            until(lambda: len(ways(cloud, "h1")) == 2 == len(ways(cloud, "h3")), "no detour", SETTLED)
            assert all("tun_ipv6_dst" in flow for flow in ways(cloud, "h1"))
            assert all(answered(cloud, f"red{one}", 10 + other) for one, other in ((1, 2), (1, 3), (4, 2)))
        # and back when it is there again
        until(lambda: ways(cloud, "h1") == ways(cloud, "h3") == [], "the detour stays", SETTLED)
        assert answered(cloud, "red1", 13)


def test_tunnels_change_over_to_another_udp_port_and_back() -> None:
    # given tenants that reach each other over VXLAN's own port
    with running("ipv4", "tunnelport", wan_mtu=1600, addresses=1) as cloud:
        assert tunnel_ports(cloud) == {None}
        # when the operator gives all tunnels another one, then they use it, and go back when he does
        change_over(cloud, 14789, "dst_port=14789")
        change_over(cloud, 4789, None)


def change_over(cloud: Cloud, number: int, named: str | None) -> None:
    """Give all tunnels a UDP port; hosts, tenants and probes get through afterwards."""
    wanted = {"controller": {"tunnel_port": number}}
    assert cloud.api("PUT", "/v2.0/overlace/controller", wanted)["controller"]["tunnel_port"] == number
    until(lambda: tunnel_ports(cloud) == {named}, f"tunnels use {tunnel_ports(cloud)}", SETTLED)
    until(lambda: unheard(cloud) == [], "hosts do not hear each other", SETTLED)
    assert all(answered(cloud, f"red{one}", 10 + other) for one, other in ((1, 2), (1, 3), (4, 2)))
    assert {verdict for verdict, _, _ in paths(cloud).values()} == {"wide enough"}


def tunnel_ports(cloud: Cloud) -> set[str | None]:
    """The UDP ports that the hosts' tunnel interfaces name; None for VXLAN's own."""
    find = ["ovs-vsctl", "--bare", "--columns=options", "find", "interface", "type=vxlan"]
    interfaces = [
        options
        for host in host_names(cloud.lab)
        for options in cloud.lab.host_run(host, find).stdout.splitlines()
        if options
    ]
    words = [[word for word in options.split() if word.startswith("dst_port=")] for options in interfaces]
    return {found[0] if found else None for found in words}


def ways(cloud: Cloud, host: str) -> list[str]:
    """The detours of a host."""
    command = [*OFCTL, "--no-stats", "dump-flows", BRIDGE, "table=56"]
    lines = cloud.lab.host_run(host, command).stdout.splitlines()
    return [line for line in lines if "priority=150" in line]


@contextmanager
def hole(router: str, network: str) -> Iterator[None]:
    """Packets to the network end at the router."""
    subprocess.run(["ip", "-n", router, "route", "add", "blackhole", network], check=True)
    try:
        yield
    finally:
        subprocess.run(["ip", "-n", router, "route", "del", "blackhole", network], check=True)


def copies_of_a_broadcast(cloud: Cloud, number: int) -> dict[str, int]:
    """How often each other workload hears what red1 broadcasts."""
    ears = {name: packet_socket(cloud, name) for name in ("red2", "red3", "red4")}
    mouth = packet_socket(cloud, "red1")
    mark = UdpDatagram(4000, 4001, MAGIC)
    everyone = IPv4Address("255.255.255.255")
    frame = udp_frame(Mac(0x02000000000B), BROADCAST, IPv4Address("192.168.0.11"), everyone, mark)
    for _ in range(number):
        mouth.send(frame)
        time.sleep(0.02)
    time.sleep(1)
    return {name: count(ear) for name, ear in ears.items()}
