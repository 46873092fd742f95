"""Networks of type `hop` in a laboratory: a ring of transit switches, a real controller, real packets."""

import re
import socket
import struct
import tempfile
import time
from collections.abc import Iterator
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest
from tools.cloud import OFCTL, Cloud, until
from tools.demo import move, received
from tools.isolation import MAGIC, count, isolation, packet_socket

from overlace.cli.join import Place
from overlace.engine.reason import Ground
from overlace.kit.addresses import Mac
from overlace.lab.description import decode_topology
from overlace.lab.lab import Lab
from overlace.lab.namespace import entered
from overlace.wire.frames import udp_frame
from overlace.wire.udp import UdpDatagram

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
            into_fabric = f"to-t{name[1:]}"
            controller = self.lab.controller_address
            self.cloud.join(Place(name, controller, "br-overlace", "netdev", fabric_interface=into_fabric))
        for name in SWITCHES:
            self.cloud.join(Place(name, self.lab.controller_address, "br-transit", transit=True))
        self._reconnect_quickly()
        until(self.all_acknowledge, "not joined", 30)
        for tenant in TENANTS:
            self.network(tenant, "hop")
            for number in (1, 2, 3):
                self.workload(f"{tenant}{number}", f"h{number}", 10 + number)
        self.settle()

    def all_acknowledge(self) -> bool:
        return all(self.cloud.switch(each).get("acknowledged") for each in (*HOSTS, *SWITCHES))

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

    def _reconnect_quickly(self) -> None:
        """Open vSwitch waits up to 8 seconds between attempts to reach a controller that is not there."""
        manager = f"ssl:{self.lab.controller_address}:6640"
        for name in HOSTS:
            command = f"ovs-vsctl set controller br-overlace max_backoff=1000 -- set manager {manager}"
            self.lab.host_run(name, [*command.split(), "max_backoff=1000"])
        for name in SWITCHES:
            self.lab.host_run(name, ["ovs-vsctl", "set", "controller", "br-transit", "max_backoff=1000"])

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

    def unreached(self, *tenants: str) -> list[tuple[str, str]]:
        """Which workload does not reach which address of its tenant, over IPv4 and IPv6, all tried at once."""
        ways = [
            (f"{tenant}{source}", address)
            for tenant in tenants
            for source in (1, 2, 3)
            for target in {1, 2, 3} - {source}
            for address in (f"192.168.0.{10 + target}", f"fd00::{10 + target:x}")
        ]
        ping = ["ping", "-c", "3", "-i", "0.2", "-W", "2"]
        running = [self.lab.popen(name, [*ping, address]) for name, address in ways]
        answered = [received(each.communicate()[0]) for each in running]
        return [way for way, count in zip(ways, answered, strict=True) if count == 0]

    def flows(self, switch: str) -> list[str]:
        """The flows of a transit switch that send somewhere."""
        dump = self.lab.host_run(switch, [*OFCTL, "dump-flows", "br-transit", "--no-stats"]).stdout
        return sorted(line.strip() for line in dump.splitlines() if "output:" in line)

    def obstacles(self, port: str) -> set[str]:
        """What stands in the way between the hosts of the port's network."""
        reasons = self.realisation(port)["reasons"]
        return {each["text"] for each in reasons if each["kind"] == Ground.UNREACHABLE_HOST.value}

    def realisation(self, port: str) -> dict[str, Any]:
        path = f"/v2.0/overlace/ports/{self.cloud.ports[port]['id']}/realisation"
        answer: dict[str, Any] = self.cloud.api("GET", path)["realisation"]
        return answer


def comparisons(log: str) -> dict[str, list[str]]:
    """What a controller found when a switch connected: flows to add, to change and to remove."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", log)
    lines = [line for line in plain.splitlines() if "switch in sync" in line]
    said = [dict(re.findall(r"(\w+)=(\w+)", line)) for line in lines]
    return {each["switch"]: [each["added"], each["changed"], each["removed"]] for each in said}


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
    assert ring.unreached(*TENANTS) == []
    assert [ring.obstacles(name) for name in ring.cloud.ports] == [set()] * 6


def test_frames_cross_the_fabric_under_labels_and_nothing_else_does(ring: Ring) -> None:
    # given a pair of ears on the cable of h1, and a host that says something there by itself
    listen = ["tcpdump", "-i", "to-h1", "-c", "8", "-e", "-n", "-t", "ether", "proto", "0x8847"]
    ears = ring.lab.host_popen("t1", listen)
    assert ears.stderr is not None
    assert "listening" in "".join(ears.stderr.readline() for _ in range(2))
    # when red speaks
    ring.lab.exec("red1", ["ping", "-c", "4", "-i", "0.1", "192.168.0.12"])
    heard = ears.communicate(timeout=10)[0]
    # then both hosts are named by their labels, and the network by its own
    network = ring.cloud.api("GET", f"/v2.0/networks/{ring.cloud.networks['red']}")["network"]
    assert "02:4f:00:00:00:01 > 02:4f:00:00:00:02" in heard
    assert f"MPLS (label {network['provider:segmentation_id']}," in heard


def test_transit_tables_grow_with_hosts_and_not_with_ports(ring: Ring) -> None:
    before = {switch: ring.flows(switch) for switch in SWITCHES}
    assert {switch: len(flows) for switch, flows in before.items()} == {"t1": 3, "t2": 3, "t3": 3}
    for octet in range(50, 60):
        ring.workload(f"red{octet}", f"h{1 + octet % 3}", octet)
    ring.settle()
    ring.lab.exec("red1", ["ping", "-c", "1", "-W", "2", "192.168.0.52"])
    assert {switch: ring.flows(switch) for switch in SWITCHES} == before


def test_nothing_of_one_tenant_reaches_the_other(ring: Ring) -> None:
    figures = isolation(ring.cloud, rounds=20)
    assert figures["leaked"] == 0
    assert figures["heard_by_own_tenant"] > 0


def test_a_host_takes_nothing_from_the_fabric_that_no_host_labelled(ring: Ring) -> None:
    # given a stranger who can send into the cable between h3 and its switch, and knows the labels
    label = {name: bytes.fromhex(f"024f0000000{name[1:]}") for name in HOSTS}
    number = ring.cloud.api("GET", f"/v2.0/networks/{ring.cloud.networks['red']}")["network"]
    shim = struct.pack("!I", int(number["provider:segmentation_id"]) << 12 | 0x1FF)
    inner = udp_frame(
        Mac(0x02000000000B),
        Mac(0x02000000000D),
        IPv4Address("192.168.0.11"),
        IPv4Address("192.168.0.13"),
        UdpDatagram(4000, 4001, MAGIC),
    )
    stranger, mpls = bytes.fromhex("024f00000063"), b"\x88\x47"
    tagged = inner[:12] + b"\x81\x00\x00\x05" + inner[12:]
    refused = [
        inner,
        label["h3"] + stranger + mpls + shim + inner,
        label["h2"] + label["h1"] + mpls + shim + inner,
        label["h3"] + label["h1"] + mpls + struct.pack("!I", 0xFFFFE << 12 | 0x1FF) + inner,
        label["h3"] + label["h1"] + mpls + struct.pack("!I", 0x1FF) + inner,
        label["h3"] + label["h1"] + mpls + shim + tagged,
        label["h3"] + label["h1"] + mpls + shim[:2],
    ]
    ears = [packet_socket(ring.cloud, name) for name in ("red3", "blue3")]
    with entered(ring.lab.node("t3").namespace):
        mouth = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    mouth.bind(("to-h3", 0))
    for frame in refused:
        mouth.send(frame.ljust(60, b"\0"))
    time.sleep(1)
    # then none is delivered, and the one that the label of a known host vouches for is
    assert [count(ear) for ear in ears] == [0, 0]
    mouth.send(label["h3"] + label["h1"] + mpls + shim + inner)
    time.sleep(1)
    assert [count(ear) for ear in ears] == [1, 0]


def test_a_workload_moves(ring: Ring) -> None:
    # of 600 frames; how many the cut-over itself costs, `make demo` measures
    assert move(ring.cloud, "h3") < 250
    ring.lab.exec("red3", ["ping", "-c", "2", "-i", "0.1", "-W", "2", "fd00::c"])


def test_a_workload_moves_while_no_controller_runs(ring: Ring) -> None:
    # given a move that is prepared, and then no controller
    ring.lab.prepare_move("red2", "h1")
    until(lambda: ring.realisation("red2")["bindings"].get("h1") == "prepared", "not prepared", 10)
    time.sleep(0.3)
    ring.cloud.kill()
    # when the workload starts at its new host, then the data path alone has moved it
    ring.lab.complete_move("red2")
    for name in ("red1", "red3"):
        for address in ("192.168.0.12", "fd00::c"):
            ring.lab.exec(name, ["ping", "-c", "2", "-i", "0.1", "-W", "2", address])
    # when the controller comes back, then every switch is as it should be until one of them tells of the move
    log = ring.cloud.directory / "controller.log"
    before = log.stat().st_size
    ring.cloud.start()
    until(ring.all_acknowledge, "not back", 30)
    said = log.read_bytes()[before:].decode()
    untold = comparisons(said.partition("port has moved")[0])
    assert untold
    assert untold == dict.fromkeys(untold, ["0"] * 3)
    # and a transit switch has nothing to do with it at all
    assert {name: comparisons(said)[name] for name in SWITCHES} == dict.fromkeys(SWITCHES, ["0"] * 3)
    # when the workload goes on speaking, then the controller learns of the move
    speak = ring.lab.popen("red3", ["ping", "-i", "0.2", "-c", "200", "192.168.0.12"])
    until(lambda: ring.realisation("red2")["bindings"].get("h1") == "active", "the port has not moved", 30)
    ring.lab.release_move("red2")
    until(lambda: ring.realisation("red2")["bindings"] == {"h1": "active"}, "the old binding stays", 10)
    speak.terminate()


def test_a_cut_link_is_routed_around_and_used_again_when_mended(ring: Ring) -> None:
    before = {switch: ring.flows(switch) for switch in SWITCHES}
    ring.lab.cut("t1-t3")
    until(lambda: ring.flows("t1") != before["t1"], "t1 keeps sending into the cut link", 10)
    until(lambda: ring.flows("t3") != before["t3"], "t3 keeps sending into the cut link", 10)
    assert ring.unreached(*TENANTS) == []
    ring.lab.heal("t1-t3")
    until(
        lambda: {switch: ring.flows(switch) for switch in SWITCHES} == before, "the old routes are gone", 10
    )
    assert ring.unreached(*TENANTS) == []


def test_a_host_that_is_cut_off_is_named(ring: Ring) -> None:
    ring.lab.cut("h2-t2")
    until(lambda: bool(ring.obstacles("blue1")), "nothing stands in the way of blue1", 10)
    assert ring.obstacles("blue1") == {"interface to-t2 of host h2 is not in its bridge, or has no carrier"}
    ring.lab.heal("h2-t2")
    until(lambda: not ring.obstacles("blue1"), "h2 stays away", 10)


def test_networks_of_both_types_live_side_by_side(ring: Ring) -> None:
    hop, vxlan = (
        ring.cloud.api("GET", f"/v2.0/networks/{ring.network(name, kind)['id']}")["network"]
        for name, kind in (("green", "hop"), ("grey", "vxlan"))
    )
    assert (hop["mtu"], vxlan["mtu"]) == (1600 - 18, 1600 - 50)
    for number in (1, 2, 3):
        ring.workload(f"grey{number}", f"h{number}", 10 + number)
    ring.settle()
    assert ring.unreached("red", "grey") == []
