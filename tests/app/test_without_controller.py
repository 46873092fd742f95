"""What works, and what does not, while no controller runs: docs/without-controller.md, row by row."""

import os
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tools.cloud import OFCTL, Cloud, interface_of, until
from tools.demo import received

from overlace.lab.errors import CommandFailed, LabError
from overlace.lab.lab import Lab
from overlace.lab.process import read_pidfile

pytestmark = pytest.mark.lab

LEASE_SECONDS = 60
"""Short, so that the client renews (at half of it) and the test need not wait for half a day."""
LEASE = {"opt_name": "lease-time", "opt_value": str(LEASE_SECONDS)}


@pytest.fixture(scope="module")
def alone() -> Iterator[Cloud]:
    """red1 to red4 on h1 to h4, red2 prepared at h3, red5 with a lease; then the controller is killed."""
    with tempfile.TemporaryDirectory(prefix="ovl-") as directory, Lab.up(None, "alone") as lab:
        cloud = Cloud(lab, Path(directory))
        try:
            cloud.start()
            cloud.join_hosts()
            cloud.tenant("red")
            for number in range(1, 5):
                port = cloud.port(f"red{number}", 10 + number)
                cloud.workload(f"red{number}", f"h{number}", 10 + number, port["id"])
            for number in (5, 6):
                cloud.port(f"red{number}", 10 + number, extra_dhcp_opts=[LEASE])
            expected = ("red1", "red2", "red3", "red4")
            until(lambda: all(cloud.status(name) == "ACTIVE" for name in expected), "ports stay down", 30)
            for octet in (11, 12, 13, 14):
                for name in expected:
                    ping(cloud, name, f"192.168.0.{octet}", count=1)
            lab.prepare_move("red2", "h3")
            until(lambda: len(bindings(cloud, "red2")) == 2, "the move is not prepared", 10)
            leased = cloud.ports["red5"]
            lab.attach("h1", "red5", mac=leased["mac_address"], iface_id=leased["id"], dhcp=True)
            cloud.kill()
            yield cloud
        finally:
            cloud.kill()


def ping(cloud: Cloud, source: str, address: str, count: int = 5) -> int:
    command = ["ping", "-c", str(count), "-i", "0.2", "-W", "1", address]
    return received(cloud.lab.exec(source, command, check=False).stdout)


def bindings(cloud: Cloud, name: str) -> dict[str, str]:
    path = f"/v2.0/overlace/ports/{cloud.ports[name]['id']}/realisation"
    return dict(cloud.api("GET", path)["realisation"]["bindings"])


def flows(cloud: Cloud, host: str) -> int:
    """How many flows a switch holds; -1 while it does not answer."""
    try:
        return cloud.lab.host_run(host, [*OFCTL, "dump-flows", "br-overlace"]).stdout.count("cookie=")
    except CommandFailed:
        return -1


def test_new_traffic_between_known_ports_and_their_neighbour_resolution(alone: Cloud) -> None:
    for address in ("192.168.0.13", "fd00::d"):
        alone.lab.exec("red1", ["ip", "neigh", "flush", "all"])
        assert ping(alone, "red1", address) > 0


def test_a_lease_outlives_a_renewal_that_nobody_answers(alone: Cloud) -> None:
    assert alone.lab.lease("red5")["lease"] == str(LEASE_SECONDS)
    # given that half of the lease is over, so that the client has asked in vain
    time.sleep(LEASE_SECONDS / 2 + 1)
    # then it still has its address, and is reached
    assert ping(alone, "red3", "192.168.0.15") > 0


def test_a_new_client_gets_no_lease(alone: Cloud) -> None:
    port = alone.ports["red6"]
    with pytest.raises(LabError, match="got no DHCP lease"):
        alone.lab.attach("h4", "red6", mac=port["mac_address"], iface_id=port["id"], dhcp=True)


def test_an_interface_plugged_anew_under_its_old_number_goes_on(alone: Cloud) -> None:
    name = interface_of(alone, "h1", alone.ports["red1"]["id"])
    number = alone.lab.host_run("h1", ["ovs-vsctl", "get", "interface", name, "ofport"]).stdout.strip()
    replug(alone, "h1", name, alone.ports["red1"]["id"], str(int(number) + 500))
    assert ping(alone, "red1", "192.168.0.13") == 0, "another number is nobody's until a controller says so"
    replug(alone, "h1", name, alone.ports["red1"]["id"], number)
    assert ping(alone, "red1", "192.168.0.13") > 0


def replug(cloud: Cloud, host: str, name: str, iface_id: str, number: str) -> None:
    plug = ["--", "add-port", "br-overlace", name, "--", "set", "interface", name]
    plug += [f"external_ids:iface-id={iface_id}", f"ofport_request={number}"]
    cloud.lab.host_run(host, ["ovs-vsctl", "del-port", name, *plug])


def test_a_prepared_move_completes_and_the_next_controller_hears_of_it(alone: Cloud) -> None:
    alone.lab.complete_move("red2")
    assert ping(alone, "red4", "192.168.0.12", count=10) > 0
    assert ping(alone, "red2", "fd00::e") > 0


def test_a_move_that_nobody_prepared_waits_for_a_controller(alone: Cloud) -> None:
    alone.lab.prepare_move("red4", "h1")
    alone.lab.complete_move("red4")
    assert ping(alone, "red4", "192.168.0.13") == 0
    alone.lab.release_move("red4")


def test_a_switch_that_restarts_holds_nothing_until_a_controller_comes_and_then_all_is_well(
    alone: Cloud,
) -> None:
    # given a host whose switch crashes and is started again
    process = read_pidfile(alone.lab.host("h1").rundir / "ovs-vswitchd.pid")
    assert process is not None
    os.kill(process.pid, signal.SIGSEGV)
    pidfile = alone.lab.host("h1").rundir / "ovs-vswitchd.pid"
    until(lambda: read_pidfile(pidfile) not in (None, process), "the switch is not restarted", 20)
    until(lambda: flows(alone, "h1") == 0, "the switch holds flows from before", 20)
    assert ping(alone, "red1", "192.168.0.13") == 0
    # when a controller runs again
    alone.start()
    until(lambda: bindings(alone, "red2").get("h3") == "active", "the move is not heard of", 30)
    until(lambda: bindings(alone, "red4").get("h1") == "active", "the other move is not made up for", 30)
    # then all that waited for it works
    expected = ("red1", "red2", "red3", "red4")
    until(lambda: all(alone.status(name) == "ACTIVE" for name in expected), "ports stay down", 30)
    until(lambda: ping(alone, "red1", "192.168.0.13") > 0, "the restarted switch does not serve", 30)
    assert ping(alone, "red4", "192.168.0.13") > 0
