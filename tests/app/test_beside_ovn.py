"""Given hosts whose guests are OVN's, over VXLAN's own UDP port, when Overlace comes with a bridge of another name and
another port for its tunnels, then both networks work, OVN's loses nothing, and what leaves was never there."""

import tempfile
from pathlib import Path

import pytest
from bench.ovn import BRIDGE as OVN_BRIDGE, Ovn
from tools.cloud import Cloud, host_names, until
from tools.echo_stream import EchoStream
from tools.host_state import state_of

from overlace.cli.join import Place, leave_script
from overlace.lab.lab import Lab
from overlace.lab.topology import Site, Topology

pytestmark = pytest.mark.lab

SITE = Topology(sites=(Site("site-a", ("h1", "h2"), ipv4="10.1.0.0/24"),), underlay="ipv4")
BRIDGE, PORT = "br-cloud", 4790
OVN_GUESTS = {"ovn1": "h1", "ovn2": "h2"}


def start_ovn(lab: Lab) -> None:
    """One switch with a guest at each host."""
    ovn = Ovn(lab, encapsulation="vxlan")
    ovn.start(tuple(lab.host(name) for name in host_names(lab)))
    ovn.nbctl("ls-add", "theirs")
    for octet, (name, host) in enumerate(OVN_GUESTS.items(), 1):
        mac = f"02:00:00:00:01:{octet:02x}"
        ovn.nbctl("lsp-add", "theirs", name, "--", "lsp-set-addresses", name, f"{mac} 192.168.0.{octet}")
        lab.attach(host, name, mac=mac, iface_id=name, ips=[f"192.168.0.{octet}/24"], bridge=OVN_BRIDGE)
    ovn.nbctl("--wait=hv", "sync")


def come(cloud: Cloud) -> None:
    """Join with a bridge of another name, and give a tenant the addresses that OVN's has."""
    cloud.api("PUT", "/v2.0/overlace/controller", {"controller": {"tunnel_port": PORT}})
    cloud.api("POST", "/v2.0/overlace/sites", {"site": {"id": "site-a", "mtu": 1600}})
    for name in host_names(cloud.lab):
        endpoints = [{"address": str(cloud.lab.host(name).endpoints[0])}]
        host = {"id": name, "site_id": "site-a", "endpoints": endpoints, "bridge": BRIDGE}
        cloud.api("POST", "/v2.0/overlace/hosts", {"host": host})
        cloud.join(Place(name, cloud.lab.controller_address, BRIDGE, "netdev", tunnel_port=PORT))
    cloud.tenant("red")
    for octet, name in enumerate(host_names(cloud.lab), 1):
        port = cloud.port(f"red{octet}", octet)
        mac, ips = port["mac_address"], [f"192.168.0.{octet}/24"]
        cloud.lab.attach(name, f"red{octet}", mac=mac, iface_id=port["id"], ips=ips, bridge=BRIDGE)
    until(lambda: {cloud.status(name) for name in cloud.ports} == {"ACTIVE"}, "ports are not ACTIVE", 30)


def test_given_hosts_of_ovn_when_overlace_comes_and_goes_then_neither_minds_the_other() -> None:
    with tempfile.TemporaryDirectory(prefix="ovl-") as directory, Lab.up(SITE, "beside") as lab:
        # given OVN at work
        start_ovn(lab)
        cloud = Cloud(lab, Path(directory))
        reached = EchoStream(cloud.namespace("ovn1"), "192.168.0.2", 1).outcome()
        assert reached.lost < reached.sent
        before = state_of(lab, "h2")
        theirs = EchoStream(cloud.namespace("ovn1"), "192.168.0.2", 60, 0.02)
        try:
            # when Overlace comes, then its tenant's guests reach each other
            cloud.start()
            come(cloud)
            EchoStream(cloud.namespace("red1"), "192.168.0.2", 0.5).outcome()
            ours = EchoStream(cloud.namespace("red1"), "192.168.0.2", 1).outcome()
            tunnels = lab.host_run(
                "h2", ["ovs-vsctl", "--columns=options", "find", "interface", "type=vxlan"]
            )
            assert f'dst_port="{PORT}"' in tunnels.stdout
            # and when it leaves, the host is as before
            lab.detach("red2")
            lab.host_run("h2", ["sh", "-c", leave_script("h2")])
            assert state_of(lab, "h2") == before
        finally:
            cloud.kill()
            theirs.stop()
        assert (ours.lost, theirs.outcome().lost) == (0, 0)
