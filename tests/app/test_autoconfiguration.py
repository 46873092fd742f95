"""Given subnets in each of the IPv6 modes, when real clients ask, then they have what their ports have."""

import http.client
import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from tools.cloud import Cloud, until
from tools.isolation import packet_socket

from overlace.kit.addresses import Mac, link_local_address, parse_mac
from overlace.lab.lab import Lab
from overlace.lab.namespace import entered
from overlace.wire.dhcpv6.message import ALL_SERVERS, Dhcpv6Message, MessageType
from overlace.wire.frames import udp_frame
from overlace.wire.ipv6 import multicast_mac
from overlace.wire.udp import UdpDatagram

pytestmark = pytest.mark.lab

MAC = "02:00:00:00:00:{:02x}"
RESOLVER = "fd53::53"
MTU = 1400
RATE_LIMIT, BURST = 1000, 250
"""Packets a second that a host hands over, and how many at once: as cli/scripts/join_bridge.sh sets them."""


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with tempfile.TemporaryDirectory(prefix="ovl-") as directory, Lab.up(None, "autoconf") as lab:
        cloud = Cloud(lab, Path(directory))
        try:
            cloud.start()
            cloud.join_hosts()
            yield cloud
        finally:
            cloud.kill()


def subnet(cloud: Cloud, cidr: str, **modes: object) -> str:
    """A network with one subnet of IPv6, resolver included."""
    network = cloud.api("POST", "/v2.0/networks", {"network": {"project_id": "red", "mtu": MTU}})["network"]
    wanted = {
        "network_id": network["id"],
        "project_id": "red",
        "ip_version": 6,
        "cidr": cidr,
        "dns_nameservers": [RESOLVER],
    }
    cloud.api("POST", "/v2.0/subnets", {"subnet": wanted | modes})
    return str(network["id"])


def workload(cloud: Cloud, name: str, network: str, number: int) -> dict[str, Any]:
    """A workload at another host each, which sets up nothing itself; it has a link-local address."""
    wanted = {"name": name, "network_id": network, "project_id": "red", "mac_address": MAC.format(number)}
    port = cloud.ports[name] = cloud.api("POST", "/v2.0/ports", {"port": wanted})["port"]
    cloud.lab.attach(f"h{1 + number % 4}", name, mac=port["mac_address"], iface_id=port["id"])
    until(lambda: cloud.status(name) == "ACTIVE", f"{name} stays down", 10)
    return dict(port)


def solicits(cloud: Cloud, name: str) -> None:
    """The kernel of the workload asks for routers as its interface comes up."""
    for setting in ("disable_ipv6=0", "accept_ra=2", "accept_ra_mtu=1", "dad_transmits=0"):
        cloud.lab.exec(name, ["sysctl", "-qw", f"net.ipv6.conf.eth0.{setting}"])
    for state in ("down", "up"):
        cloud.lab.exec(name, ["ip", "link", "set", "eth0", state])


def addresses(cloud: Cloud, name: str, scope: str = "global") -> list[str]:
    shown = ["ip", "-6", "-json", "address", "show", "dev", "eth0", "scope", scope, "-tentative"]
    found = cloud.lab.exec(name, shown)
    return [
        each["local"]
        for link in json.loads(found.stdout or "[]")
        for each in link.get("addr_info", [])
        if each
    ]


def fixed(port: dict[str, Any]) -> list[str]:
    return [each["ip_address"] for each in port["fixed_ips"]]


def dhclient(cloud: Cloud, name: str, *options: str, seconds: int = 10) -> str:
    """What the client of the Internet Systems Consortium was told, as its script was called; it asks for so long."""
    until(lambda: bool(addresses(cloud, name, "link")), "no address to ask from", 10)
    files = cloud.directory / name
    files.mkdir(exist_ok=True)
    script = files / "script"
    script.write_text("#!/bin/sh\nenv | grep -E '^(new_|reason)'\n[ $reason = PREINIT6 ] || kill $PPID\n")
    script.chmod(0o755)
    command = ["dhclient", "-6", "-1", "-d", "-q", *options, "-sf", str(script)]
    command += ["-lf", str(files / "leases"), "-pf", str(files / "pid"), "eth0"]
    return cloud.lab.exec(name, ["timeout", str(seconds), *command], check=False).stdout


def test_a_host_makes_its_address_from_what_the_network_advertises(cloud: Cloud) -> None:
    network = subnet(cloud, "fd01::/64", ipv6_ra_mode="slaac", ipv6_address_mode="slaac")
    ports = [workload(cloud, f"slaac{number}", network, number) for number in (1, 2)]
    for number, port in zip((1, 2), ports, strict=True):
        solicits(cloud, f"slaac{number}")
        until(
            lambda: addresses(cloud, f"slaac{number}") == fixed(port),  # noqa: B023 - called at once
            f"{fixed(port)} is not made",
            10,
        )
    # then they reach each other, and nobody is taken for a way out
    pinged = cloud.lab.exec("slaac1", ["ping", "-c", "3", "-i", "0.2", *fixed(ports[1])])
    assert "3 received" in pinged.stdout
    assert "default" not in cloud.lab.exec("slaac1", ["ip", "-6", "route"]).stdout
    link = cloud.lab.exec("slaac1", ["sysctl", "-n", "net.ipv6.conf.eth0.mtu"]).stdout
    assert int(link) == MTU


def test_a_client_leases_the_addresses_of_its_port(cloud: Cloud) -> None:
    network = subnet(cloud, "fd02::/64", ipv6_ra_mode="dhcpv6-stateful", ipv6_address_mode="dhcpv6-stateful")
    port = workload(cloud, "leased", network, 3)
    solicits(cloud, "leased")
    until(lambda: "fd02::/64" in routes(cloud, "leased"), "the prefix is not advertised", 10)
    assert addresses(cloud, "leased") == []
    told = dhclient(cloud, "leased")
    assert f"new_ip6_address={fixed(port)[0]}" in told
    assert f"new_dhcp6_name_servers={RESOLVER}" in told


def routes(cloud: Cloud, name: str) -> str:
    return cloud.lab.exec(name, ["ip", "-6", "route"]).stdout


def test_a_client_that_has_an_address_asks_for_the_rest(cloud: Cloud) -> None:
    network = subnet(
        cloud, "fd03::/64", ipv6_ra_mode="dhcpv6-stateless", ipv6_address_mode="dhcpv6-stateless"
    )
    port = workload(cloud, "stateless", network, 4)
    solicits(cloud, "stateless")
    until(lambda: addresses(cloud, "stateless") == fixed(port), "no address is made", 10)
    told = dhclient(cloud, "stateless", "-S")
    assert f"new_dhcp6_name_servers={RESOLVER}" in told
    assert "new_ip6_address" not in told


def test_where_dhcp_is_off_nobody_answers(cloud: Cloud) -> None:
    network = subnet(cloud, "fd04::/64", enable_dhcp=False)
    workload(cloud, "silent", network, 5)
    solicits(cloud, "silent")
    assert "new_ip6_address" not in dhclient(cloud, "silent", seconds=4)
    assert "fd04" not in routes(cloud, "silent")


def test_a_flood_of_questions_is_bounded_and_leaves_others_their_turn(cloud: Cloud) -> None:
    network = subnet(cloud, "fd05::/64", ipv6_ra_mode="dhcpv6-stateful", ipv6_address_mode="dhcpv6-stateful")
    loud, calm = (workload(cloud, name, network, number) for name, number in (("loud", 6), ("calm", 10)))
    solicits(cloud, "calm")
    until(lambda: "fd05::/64" in routes(cloud, "calm"), "the prefix is not advertised", 10)
    before, began = asked(cloud), time.monotonic()
    with flood(cloud, "loud", loud["mac_address"]) as sent:
        told = dhclient(cloud, "calm")
        while time.monotonic() < began + 3:
            time.sleep(0.1)
    seconds = time.monotonic() - began
    assert f"new_ip6_address={fixed(calm)[0]}" in told
    assert sent[0] > 10 * RATE_LIMIT, "that was no flood"
    assert asked(cloud) - before <= RATE_LIMIT * (seconds + 1) + BURST


def asked(cloud: Cloud) -> int:
    """How many DHCPv6 messages have come to the controller."""
    with entered(cloud.lab.controller_namespace):
        connection = http.client.HTTPConnection("127.0.0.1", 9696, timeout=10)
        connection.connect()
    connection.request("GET", "/metrics")
    lines = connection.getresponse().read().decode().splitlines()
    connection.close()
    counted = (line for line in lines if line.startswith('overlace_packet_ins_total{kind="dhcpv6"}'))
    return int(float(next(counted, "0").split()[-1]))


@contextmanager
def flood(cloud: Cloud, name: str, mac: str) -> Iterator[list[int]]:
    """DHCPv6 solicitations out of a workload, some ten thousand a second; yields what counts them."""
    sent, over = [0], Event()
    mouth = packet_socket(cloud, name)
    source = link_local_address(parse_mac(mac))
    message = Dhcpv6Message(MessageType.SOLICIT, 5, ((1, b"client"), (3, b"iaid" + bytes(8)))).encode()
    group = Mac(multicast_mac(ALL_SERVERS))
    frame = udp_frame(parse_mac(mac), group, source, ALL_SERVERS, UdpDatagram(546, 547, message))

    def shout() -> None:
        while not over.wait(0.01):
            for _ in range(200):
                with suppress(BlockingIOError):
                    mouth.send(frame)
                    sent[0] += 1

    thread = Thread(target=shout)
    thread.start()
    try:
        yield sent
    finally:
        over.set()
        thread.join()
        mouth.close()


def test_without_a_controller_addresses_stay_and_new_ones_are_not_told(cloud: Cloud) -> None:
    cloud.kill()
    shown = cloud.lab.exec("slaac1", ["ip", "-6", "address", "show", "dev", "eth0", "scope", "global"]).stdout
    assert "valid_lft forever preferred_lft forever" in shown
    pinged = cloud.lab.exec("slaac1", ["ping", "-c", "2", "-i", "0.2", *fixed(cloud.ports["slaac2"])])
    assert "2 received" in pinged.stdout
    # and a workload that starts anew is told nothing
    solicits(cloud, "slaac2")
    assert addresses(cloud, "slaac2") == []
    assert "new_ip6_address" not in dhclient(cloud, "leased", seconds=4)
