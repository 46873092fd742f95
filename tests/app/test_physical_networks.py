"""Given machines on a VLAN between hosts, when a network is bridged to it, then both sides reach each other: over IPv4
and IPv6, by one host at a time, without a circle, as security groups permit; and all can be taken back."""

import subprocess
import tempfile
from collections.abc import Iterator
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from tools.cloud import BRIDGE, Cloud, until
from tools.host_state import state_of
from tools.isolation import MAGIC, arrivals, packet_socket

from overlace.cli.join import Place, leave_script
from overlace.kit.addresses import BROADCAST, Mac
from overlace.lab.lab import Lab
from overlace.lab.topology import Link, Site, Topology
from overlace.wire.frames import udp_frame
from overlace.wire.udp import UdpDatagram

pytestmark = pytest.mark.lab

RACK, VLAN = "br-rack", 100
THREE_HOSTS = Topology(
    sites=(Site("site-a", ("h1", "h2", "h3"), ipv4="10.1.0.0/24"),),
    underlay="ipv4",
    links=(Link(("h1", "h3")), Link(("h2", "h3"))),
)
OCTETS = {"metal": 51, "mover": 52, "red2": 12, "red3": 13}


class Rack:
    """A VLAN over the bridges of three hosts, in which `metal` stays and `mover` begins; h1 and h2 may bridge it."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud, self.lab = cloud, cloud.lab
        for host in ("h1", "h2", "h3"):
            self.vsctl(host, "add-br", RACK, "--", "set", "bridge", RACK, "datapath_type=netdev")
            for cable in self.lab.link_interfaces(host).values():
                self.vsctl(host, "add-port", RACK, cable)
        for name in ("metal", "mover"):
            self.plug(name, "h3", RACK, name)
            self.vsctl("h3", "set", "port", self.interface(name), f"tag={VLAN}")

    def vsctl(self, host: str, *words: str) -> str:
        return self.lab.host_run(host, ["ovs-vsctl", *words]).stdout.strip()

    def plug(self, name: str, host: str, bridge: str, iface_id: str) -> None:
        octet = OCTETS[name]
        ips = [f"192.168.0.{octet}/24", f"fd00::{octet:x}/64"]
        self.lab.attach(host, name, mac=mac(name), iface_id=iface_id, ips=ips, bridge=bridge)

    def interface(self, name: str) -> str:
        find = ["--bare", "--columns=name", "find", "interface", f"external_ids:vm-id={name}"]
        return self.vsctl("h3", *find)

    def bridges(self, host: str, *names: str) -> None:
        """Where the host may bridge, and where it may not any more."""
        given = [{"physical_network": name, "bridge": RACK} for name in names]
        self.cloud.api("PUT", f"/v2.0/overlace/hosts/{host}", {"host": {"physical_networks": given}})

    def gateways(self) -> list[str]:
        """The hosts whose switch lets the network's broadcasts out."""
        return [host for host in ("h1", "h2", "h3") if "push_vlan" in self.flows(host)]

    def flows(self, host: str) -> str:
        done = self.lab.host_run(host, ["ovs-ofctl", "-O", "OpenFlow15", "dump-flows", BRIDGE, "table=45"])
        return done.stdout

    def reaches(self, name: str, target: str) -> bool:
        """Over both versions of IP, after at most a few tries."""
        addresses = (f"192.168.0.{OCTETS[target]}", f"fd00::{OCTETS[target]:x}")
        return all(self.answers(name, address) for address in addresses)

    def answers(self, name: str, address: str, tries: int = 5) -> bool:
        ping = ["ip", "netns", "exec", self.cloud.namespace(name), "ping", "-c", "1", "-W", "1", address]
        return any(
            subprocess.run(ping, capture_output=True, check=False).returncode == 0 for _ in range(tries)
        )

    def is_cut_off(self, name: str, target: str) -> bool:
        """Over either version of IP."""
        addresses = (f"192.168.0.{OCTETS[target]}", f"fd00::{OCTETS[target]:x}")
        return not any(self.answers(name, address, tries=1) for address in addresses)

    def hear(self, speaker: str, **expected: int) -> bool:
        """Whether just so many of 20 broadcasts of one come to each of the others, and none back to itself."""
        names = ["metal", "mover", "red2", "red3"]
        ears = {name: packet_socket(self.cloud, name) for name in names}
        mine, everyone = IPv4Address(f"192.168.0.{OCTETS[speaker]}"), IPv4Address("255.255.255.255")
        datagram = UdpDatagram(4000, 4001, MAGIC)
        frame = udp_frame(Mac(int(mac(speaker).replace(":", ""), 16)), BROADCAST, mine, everyone, datagram)
        mouth = packet_socket(self.cloud, speaker)
        for _ in range(20):
            mouth.send(frame)
        return arrivals(ears, expected) == dict.fromkeys(names, 0) | expected


def mac(name: str) -> str:
    return f"02:00:00:00:00:{OCTETS[name]:02x}"


@pytest.fixture(scope="module")
def rack() -> Iterator[Rack]:
    with tempfile.TemporaryDirectory(prefix="ovl-") as directory, Lab.up(THREE_HOSTS, "rack") as lab:
        cloud = Cloud(lab, Path(directory))
        rack = Rack(cloud)
        try:
            cloud.start()
            cloud.join_hosts()
            yield rack
        finally:
            cloud.kill()


def network(cloud: Cloud) -> dict[str, object]:
    provider = {
        "provider:network_type": "vlan",
        "provider:physical_network": "rack",
        "provider:segmentation_id": VLAN,
    }
    body = {"name": "red", "project_id": "red", **provider}
    made: dict[str, object] = cloud.api("POST", "/v2.0/networks", {"network": body})["network"]
    cloud.networks["red"] = str(made["id"])
    for version, cidr in ((4, "192.168.0.0/24"), (6, "fd00::/64")):
        subnet = {"network_id": made["id"], "ip_version": version, "cidr": cidr, "project_id": "red"}
        cloud.api("POST", "/v2.0/subnets", {"subnet": subnet})
    return made


def test_given_a_vlan_when_a_network_is_bridged_to_it_then_both_sides_reach_each_other(rack: Rack) -> None:
    cloud = rack.cloud
    with pytest.raises(SystemExit, match="physical_network 'rack' unknown for VLAN provider network"):
        network(cloud)
    rack.bridges("h1", "rack")
    rack.bridges("h2", "rack")
    made = network(cloud)
    assert (made["provider:network_type"], made["provider:segmentation_id"]) == ("vlan", VLAN)
    for name, host in (("red2", "h2"), ("red3", "h3")):
        port = cloud.port(name, OCTETS[name])
        rack.plug(name, host, BRIDGE, port["id"])
    until(lambda: all(cloud.status(name) == "ACTIVE" for name in cloud.ports), "ports are not ACTIVE", 30)
    assert rack.gateways() == ["h1"]
    # on a host of its own, and on one beside the machine; neither is the gateway
    for name in ("red2", "red3"):
        assert rack.reaches(name, "metal")


def test_given_security_groups_then_what_comes_in_is_judged_like_all_else(rack: Rack) -> None:
    assert rack.is_cut_off("metal", "red2")  # the default group admits its own members alone
    (group,) = rack.cloud.ports["red2"]["security_groups"]
    for ethertype, protocol in (("IPv4", "icmp"), ("IPv6", "ipv6-icmp")):
        given = {
            "security_group_id": group,
            "direction": "ingress",
            "ethertype": ethertype,
            "protocol": protocol,
        }
        rack.cloud.api("POST", "/v2.0/security-group-rules", {"security_group_rule": given})
    until(
        lambda: rack.reaches("metal", "red2") and rack.reaches("metal", "red3"), "metal does not come in", 10
    )


def test_given_a_broadcast_then_it_comes_to_everybody_once_and_to_nobody_again(rack: Rack) -> None:
    assert rack.hear("metal", mover=20)  # the groups admit ICMP alone
    assert rack.hear("red3", metal=20, mover=20, red2=20)
    assert rack.hear("red2", metal=20, mover=20, red3=20)


def test_given_a_machine_on_the_vlan_when_it_moves_over_then_it_and_those_left_behind_go_on(
    rack: Rack,
) -> None:
    assert rack.reaches("mover", "metal") and rack.reaches("mover", "red2")
    interface = rack.interface("mover")
    port = rack.cloud.port("red52", OCTETS["mover"])
    move = ["del-port", RACK, interface, "--", "add-port", BRIDGE, interface]
    rack.vsctl("h3", *move, "--", "set", "interface", interface, f"external_ids:iface-id={port['id']}")
    until(lambda: rack.cloud.status("red52") == "ACTIVE", "the port is not ACTIVE", 20)
    assert rack.reaches("mover", "metal") and rack.reaches("mover", "red2") and rack.reaches("metal", "mover")

    # nobody on the VLAN speaks in its name any more
    ears = {"red2": packet_socket(rack.cloud, "red2")}
    me, other = IPv4Address(f"192.168.0.{OCTETS['mover']}"), IPv4Address(f"192.168.0.{OCTETS['red2']}")
    sender, target = (Mac(int(mac(name).replace(":", ""), 16)) for name in ("mover", "red2"))
    forged = udp_frame(sender, target, me, other, UdpDatagram(4000, 4001, MAGIC))
    for _ in range(20):
        packet_socket(rack.cloud, "metal").send(forged)
    assert arrivals(ears, {}) == {"red2": 0}


def test_given_a_gateway_that_is_lost_then_another_takes_over_and_gives_back(rack: Rack) -> None:
    for interface in ("mgmt0", "eth0"):
        rack.lab.host_run("h1", ["ip", "link", "set", interface, "down"])
    # h1 itself knows nothing of it, and has no way into the overlay
    until(lambda: "h2" in rack.gateways(), "h2 does not take over", 60)
    until(lambda: rack.reaches("red3", "metal") and rack.reaches("red2", "metal"), "the way out is lost", 30)
    until(lambda: rack.reaches("metal", "red2") and rack.reaches("metal", "red3"), "the way in is lost", 30)
    assert rack.hear("red2", metal=20, mover=20, red3=20)

    for interface in ("mgmt0", "eth0"):
        rack.lab.host_run("h1", ["ip", "link", "set", interface, "up"])
    until(lambda: rack.gateways() == ["h1"], "h1 does not take it back", 60)
    everybody = {"metal": 20, "mover": 20, "red3": 20}
    until(lambda: rack.hear("red2", **everybody), "broadcasts are doubled or lost", 30)
    assert rack.reaches("red3", "metal") and rack.reaches("metal", "red3")


def test_given_a_bridge_that_is_needed_then_it_stays_and_goes_without_a_trace_afterwards(rack: Rack) -> None:
    rack.bridges("h2")
    with pytest.raises(SystemExit, match="PhysicalNetworkInUse"):
        rack.bridges("h1")
    segments = rack.cloud.api("GET", f"/v2.0/segments?network_id={rack.cloud.networks['red']}")["segments"]
    (vlan,) = [each for each in segments if each["network_type"] == "vlan"]
    rack.cloud.api("DELETE", f"/v2.0/segments/{vlan['id']}")
    rack.bridges("h1")
    until(lambda: "ovl-phy" not in rack.vsctl("h1", "list-ports", RACK), "h1's patch port stays", 20)
    until(lambda: "ovl-phy" not in rack.vsctl("h2", "list-ports", RACK), "h2's patch port stays", 20)
    assert rack.is_cut_off("red3", "metal")
    assert rack.reaches("red3", "red2")


def test_given_a_host_that_bridges_when_it_leaves_then_its_database_is_as_before(rack: Rack) -> None:
    with_overlace = state_of(rack.lab, "h1")
    rack.lab.host_run("h1", ["sh", "-c", leave_script("h1")])
    before = state_of(rack.lab, "h1")
    rack.cloud.join(Place("h1", rack.lab.controller_address, BRIDGE, "netdev"))
    until(lambda: bool(rack.cloud.switch("h1").get("acknowledged")), "h1 does not come back", 30)
    rack.bridges("h1", "rack")
    until(lambda: "ovl-phy1x" in rack.vsctl("h1", "list-ports", RACK), "there is no patch port", 20)
    assert state_of(rack.lab, "h1") not in (before, with_overlace)
    rack.lab.host_run("h1", ["sh", "-c", leave_script("h1")])
    assert state_of(rack.lab, "h1") == before
