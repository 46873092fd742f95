"""Given subnets in each of the IPv6 modes, when real clients ask, then they have what their ports have."""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tools.cloud import Cloud, until

from overlace.lab.lab import Lab

pytestmark = pytest.mark.lab

MAC = "02:00:00:00:00:{:02x}"
RESOLVER = "fd53::53"
MTU = 1400


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


def global_addresses(cloud: Cloud, name: str) -> list[str]:
    found = cloud.lab.exec(
        name, ["ip", "-6", "-json", "address", "show", "dev", "eth0", "scope", "global", "-tentative"]
    )
    return [
        each["local"]
        for link in json.loads(found.stdout or "[]")
        for each in link.get("addr_info", [])
        if each
    ]


def fixed(port: dict[str, Any]) -> list[str]:
    return [each["ip_address"] for each in port["fixed_ips"]]


def dhclient(cloud: Cloud, name: str, *options: str) -> str:
    """What the client of the Internet Systems Consortium was told, as its script was called."""
    files = cloud.directory / name
    files.mkdir(exist_ok=True)
    script = files / "script"
    script.write_text("#!/bin/sh\nenv | grep -E '^(new_|reason)'\n")
    script.chmod(0o755)
    command = ["dhclient", "-6", "-1", "-d", "-q", *options, "-sf", str(script)]
    command += ["-lf", str(files / "leases"), "-pf", str(files / "pid"), "eth0"]
    return cloud.lab.exec(name, ["timeout", "10", *command], check=False).stdout


def test_a_host_makes_its_address_from_what_the_network_advertises(cloud: Cloud) -> None:
    network = subnet(cloud, "fd01::/64", ipv6_ra_mode="slaac", ipv6_address_mode="slaac")
    ports = [workload(cloud, f"slaac{number}", network, number) for number in (1, 2)]
    for number, port in zip((1, 2), ports, strict=True):
        solicits(cloud, f"slaac{number}")
        until(
            lambda: global_addresses(cloud, f"slaac{number}") == fixed(port),  # noqa: B023 - called at once
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
    assert global_addresses(cloud, "leased") == []
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
    until(lambda: global_addresses(cloud, "stateless") == fixed(port), "no address is made", 10)
    told = dhclient(cloud, "stateless", "-S")
    assert f"new_dhcp6_name_servers={RESOLVER}" in told
    assert "new_ip6_address" not in told


def test_where_dhcp_is_off_nobody_answers(cloud: Cloud) -> None:
    network = subnet(cloud, "fd04::/64", enable_dhcp=False)
    workload(cloud, "silent", network, 5)
    solicits(cloud, "silent")
    assert "new_ip6_address" not in dhclient(cloud, "silent")
    assert "fd04" not in routes(cloud, "silent")


def test_without_a_controller_addresses_stay_and_new_ones_are_not_told(cloud: Cloud) -> None:
    cloud.kill()
    shown = cloud.lab.exec("slaac1", ["ip", "-6", "address", "show", "dev", "eth0", "scope", "global"]).stdout
    assert "valid_lft forever preferred_lft forever" in shown
    pinged = cloud.lab.exec("slaac1", ["ping", "-c", "2", "-i", "0.2", *fixed(cloud.ports["slaac2"])])
    assert "2 received" in pinged.stdout
    # and a workload that starts anew is told nothing
    solicits(cloud, "slaac2")
    assert global_addresses(cloud, "slaac2") == []
    assert "new_ip6_address" not in dhclient(cloud, "leased")
