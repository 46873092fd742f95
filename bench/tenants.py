"""Tenants that fill both systems: ten networks of fifty ports each, one security group, on fifty hosts that are absent.

The group lets members out to everywhere, and in from each other, to TCP port 22, and with ICMP. Overlace has no
routers; OVN's tenants get one of their own, where asked for, that joins their ten networks. Overlace's ports are bound
to hosts that never connect; OVN's to chassis that stand in its southbound database only, as their ovn-controllers
would have written it.
"""

from collections.abc import Callable, Mapping
from ipaddress import IPv4Address
from typing import Any, Protocol

from bench.ovn import Ovn
from tools.cloud import Cloud

from overlace.kit.addresses import format_mac

NETWORKS, PORTS = 10, 50
PORTS_OF_TENANT = NETWORKS * PORTS
HOSTS = 50
_FIRST_OCTET = 200
_RULES: tuple[dict[str, object], ...] = (
    {"protocol": "tcp", "port_range_min": 22, "port_range_max": 22},
    {"protocol": "icmp"},
)


class Tenants(Protocol):
    """One system's tenants: 0, 1, ... Tenant 0's network 0 is where ports are measured."""

    def add(self, tenant: int) -> None:
        """Networks and group of a tenant, as yet without ports."""

    def fill(self, tenants: range) -> None:
        """All ports of tenants that are there."""


def network_name(tenant: int, network: int) -> str:
    """In both systems."""
    return f"t{tenant}n{network}"


def group_name(tenant: int) -> str:
    """OVN's port group."""
    return f"group{tenant}"


def filler(network: int, index: int) -> tuple[str, str]:
    """MAC and IPv4 address of a network's port; equal in all tenants, since nothing joins them."""
    octet = _FIRST_OCTET + index
    return format_mac(0x020000000000 | octet), str(IPv4Address(f"192.168.{network}.{octet}"))


def unlimited(api: Callable[[str, str, object], object], project: str) -> None:
    """Let a project have as much as it likes."""
    quota = dict.fromkeys(("port", "network", "subnet"), -1)
    api("PUT", f"/v2.0/quotas/{project}", {"quota": quota})


class OverlaceTenants:
    """Over the API, as a cloud's administrator."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        for number in range(HOSTS):
            endpoints = [{"address": f"10.9.0.{number + 1}"}]
            host = {"id": f"absent{number}", "site_id": "site-a", "endpoints": endpoints}
            cloud.api("POST", "/v2.0/overlace/hosts", {"host": host})

    def add(self, tenant: int) -> None:
        """The project's default group has the rest of the rules."""
        project = {"project_id": f"tenant{tenant}"}
        unlimited(self._cloud.api, f"tenant{tenant}")
        for number in range(NETWORKS):
            name = network_name(tenant, number)
            network = self._made("networks", {"name": name} | project)
            self._cloud.networks[name] = network["id"]
            subnet = {"network_id": network["id"], "ip_version": 4, "cidr": f"192.168.{number}.0/24"}
            self._made("subnets", subnet | project)
        query = f"/v2.0/security-groups?project_id=tenant{tenant}"
        group = self._cloud.api("GET", query)["security_groups"][0]["id"]
        for rule in _RULES:
            given = {"security_group_id": group, "direction": "ingress", "ethertype": "IPv4"}
            self._made("security_group_rules", given | rule | project)

    def fill(self, tenants: range) -> None:
        """One request a network."""
        for tenant in tenants:
            for number in range(NETWORKS):
                fixed = {
                    "network_id": self._cloud.networks[network_name(tenant, number)],
                    "project_id": f"tenant{tenant}",
                }
                ports = [fixed | _port(number, index) for index in range(PORTS)]
                self._cloud.api("POST", "/v2.0/ports", {"ports": ports})

    def _made(self, collection: str, body: Mapping[str, object]) -> dict[str, Any]:
        kind = collection.removesuffix("s")
        path = f"/v2.0/{collection.replace('_', '-')}"
        return dict(self._cloud.api("POST", path, {kind: body})[kind])


class OvnTenants:
    """Over ovn-nbctl, one transaction a network."""

    def __init__(self, ovn: Ovn, *, routers: bool = False) -> None:
        self._ovn = ovn
        self._routers = routers
        for number in range(HOSTS):
            ovn.add_absent_chassis(f"absent{number}", f"10.9.0.{number + 1}")
        self._chassis = ovn.absent_chassis()

    def add(self, tenant: int) -> None:
        """The group's rules as Overlace's default group has them."""
        for number in range(NETWORKS):
            self._ovn.nbctl("ls-add", network_name(tenant, number))
        if self._routers:
            self._ovn.nbctl("lr-add", f"r{tenant}")
            for number in range(NETWORKS):
                self._join(tenant, number)
        group = group_name(tenant)
        self._ovn.nbctl("pg-add", group)
        self._ovn.permit_members(group, "tcp && tcp.dst == 22", "icmp4")

    def fill(self, tenants: range) -> None:
        """And say in the southbound database where they are."""
        names = {
            (tenant, number): [f"{network_name(tenant, number)}p{index}" for index in range(PORTS)]
            for tenant in tenants
            for number in range(NETWORKS)
        }
        for place, ports in names.items():
            self._network(*place, ports)
        self._ovn.nbctl("--wait=sb", "sync")
        for ports in names.values():
            self._ovn.bind({name: self._chassis[index % HOSTS] for index, name in enumerate(ports)})

    def _join(self, tenant: int, number: int) -> None:
        """A port of the tenant's router in the network."""
        network, port = network_name(tenant, number), f"r{tenant}n{number}"
        mac = format_mac(0x020001000000 | tenant << 8 | number)
        words = ["lrp-add", f"r{tenant}", port, mac, f"192.168.{number}.254/24"]
        words += ["--", "lsp-add", network, f"{network}r", "--", "lsp-set-type", f"{network}r", "router"]
        words += ["--", "lsp-set-addresses", f"{network}r", "router"]
        self._ovn.nbctl(*words, "--", "lsp-set-options", f"{network}r", f"router-port={port}")

    def _network(self, tenant: int, number: int, ports: list[str]) -> None:
        words: list[str] = []
        for index, name in enumerate(ports):
            known = " ".join(filler(number, index))
            words += ["--", "lsp-add", network_name(tenant, number), name]
            words += ["--", "lsp-set-addresses", name, known, "--", "lsp-set-port-security", name, known]
        self._ovn.nbctl(*words)
        ids = [self._ovn.nbctl("get", "Logical_Switch_Port", name, "_uuid").strip() for name in ports]
        self._ovn.nbctl("add", "Port_Group", group_name(tenant), "ports", *ids)


def _port(network: int, index: int) -> dict[str, object]:
    mac, address = filler(network, index)
    place = f"absent{index % HOSTS}"
    return {"mac_address": mac, "fixed_ips": [{"ip_address": address}], "binding:host_id": place}
