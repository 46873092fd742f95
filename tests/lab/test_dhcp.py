"""Given a DHCP server on the network, when a workload asks, then it has what the lease says."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from overlace.lab.errors import LabError
from overlace.lab.lab import Lab

from .overlay import join_by_hand, leave_by_hand, mac

pytestmark = pytest.mark.lab

SERVER = """
start 192.168.0.50
end 192.168.0.60
interface eth0
lease_file {directory}/udhcpd.leases
pidfile {directory}/udhcpd.pid
option subnet 255.255.255.0
option router 192.168.0.254
option dns 192.168.0.2
option mtu 1400
option lease 600
{more}
"""


@pytest.fixture
def network(lab: Lab) -> Iterator[Lab]:
    """The laboratory with h1 and h2 joined by hand."""
    join_by_hand(lab, "h1", "h2")
    yield lab
    for workload in lab.workloads:
        lab.detach(workload.name)
    leave_by_hand(lab, "h1", "h2")


def serve(lab: Lab, more: str = "") -> None:
    directory = lab.directory / "udhcpd"
    directory.mkdir(exist_ok=True)
    (directory / "udhcpd.leases").write_bytes(b"")
    config = directory / "udhcpd.conf"
    config.write_text(SERVER.format(directory=directory, more=more))
    lab.attach("h2", "server", mac=mac(2), iface_id="p2", ips=["192.168.0.2/24"])
    lab.exec("server", ["busybox", "udhcpd", str(config)])


def test_a_workload_takes_address_mtu_and_router_from_its_lease(network: Lab) -> None:
    serve(network)
    network.attach("h1", "client", mac=mac(1), iface_id="p1", dhcp=True)
    lease = network.lease("client")
    assert lease["router"] == "192.168.0.254"
    assert lease["dns"] == "192.168.0.2"
    shown = network.exec("client", ["ip", "addr", "show", "dev", "eth0"]).stdout
    assert f"inet {lease['ip']}/24" in shown
    assert "mtu 1400" in shown
    assert "default via 192.168.0.254" in network.exec("client", ["ip", "route"]).stdout
    network.exec("client", ["ping", "-c", "3", "-i", "0.2", "192.168.0.2"])


def test_classless_routes_replace_the_router(network: Lab) -> None:
    serve(network, "option staticroutes 10.9.0.0/16 192.168.0.9, 0.0.0.0/0 192.168.0.8")
    network.attach("h1", "client", mac=mac(1), iface_id="p1", dhcp=True)
    routes = network.exec("client", ["ip", "route"]).stdout
    assert "10.9.0.0/16 via 192.168.0.9" in routes
    assert "default via 192.168.0.8" in routes
    assert "192.168.0.254" not in routes


def test_without_a_server_the_error_says_so_and_nothing_stays(network: Lab) -> None:
    with pytest.raises(
        LabError,
        match="workload 'client' got no DHCP lease .udhcpc: no lease, failing.: check that its network has DHCP",
    ):
        network.attach("h1", "client", mac=mac(1), iface_id="p1", dhcp=True)
    assert network.workloads == ()
    assert not Path(f"/run/netns/{network.plan.workload_namespace('client')}").exists()
