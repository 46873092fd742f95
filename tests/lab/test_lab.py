"""Given the default laboratory, when hosts talk, then the underlay, the WAN and the management work as drawn."""

import os
import re
import signal
import time

import pytest
from msgspec.structs import replace

from overlace.lab.errors import CommandFailed, LabError
from overlace.lab.lab import Lab
from overlace.lab.process import read_pidfile

pytestmark = pytest.mark.lab


def reaches(lab: Lab, source: str, address: str, count: int = 3) -> bool:
    """Whether one of a few pings is answered; the first may be lost to address resolution."""
    once = ["ping", "-c", "1", "-W", "1", address]
    return any(lab.host_run(source, once, check=False).status == 0 for _ in range(count))


@pytest.mark.parametrize("family", [0, 1], ids=["ipv4", "ipv6"])
@pytest.mark.parametrize("target", ["h2", "h3", "h4"])
def test_hosts_reach_each_others_tunnel_endpoints(lab: Lab, target: str, family: int) -> None:
    assert reaches(lab, "h1", lab.host(target).endpoints[family])


def test_a_host_answers_for_its_address_with_one_mac_alone(lab: Lab) -> None:
    """Open vSwitch believes what it hears last of where a tunnel's next hop is."""
    asked = ["busybox", "arping", "-c", "2", "-I", "br-phy", lab.host("h2").endpoints[0]]
    told = re.findall(r"reply from \S+ \[(\S+)\]", lab.host_run("h1", asked).stdout)
    own = lab.host_run("h2", ["cat", "/sys/class/net/br-phy/address"]).stdout.strip()
    assert told == [own, own]


def test_a_full_size_packet_in_a_tunnel_fits_the_underlay(lab: Lab) -> None:
    size = str(1600 - 28)
    command = ["ping", "-c", "2", "-i", "0.2", "-M", "do", "-s", size, lab.host("h3").endpoints[0]]
    assert "2 received" in lab.host_run("h1", command).stdout


def test_the_controller_reaches_every_node_and_is_reached(lab: Lab) -> None:
    for node in lab.hosts:
        assert reaches(lab, node.name, lab.controller_address)
        assert lab.controller_run(["ping", "-c", "1", "-W", "1", node.management]).status == 0


def test_the_management_network_leads_nowhere_else(lab: Lab) -> None:
    underlay = lab.host("h1").endpoints[0]
    assert not reaches(lab, "h1", lab.host("h2").management, count=1)
    assert lab.controller_run(["ping", "-c", "1", "-W", "1", underlay], check=False).status != 0


def test_the_controller_is_still_reached_when_only_the_wan_is_cut(lab: Lab) -> None:
    far = lab.host("h3").endpoints[0]
    lab.cut("wan")
    try:
        assert not reaches(lab, "h1", far, count=1)
        assert reaches(lab, "h3", lab.controller_address)
        assert lab.state.cut == ("wan",)
    finally:
        lab.heal("wan")
    assert reaches(lab, "h1", far)


def test_a_cut_uplink_takes_the_carrier_and_healing_restores_it(lab: Lab) -> None:
    near = lab.host("h2").endpoints[0]
    lab.cut("uplink-h1")
    try:
        assert "NO-CARRIER" in lab.host_run("h1", ["ip", "link", "show", "eth0"]).stdout
        assert not reaches(lab, "h1", near, count=1)
    finally:
        lab.heal("uplink-h1")
    assert reaches(lab, "h1", near, count=10)


def test_a_cut_management_link_takes_the_controller_from_one_host_only(lab: Lab) -> None:
    lab.cut("mgmt-h1")
    try:
        assert not reaches(lab, "h1", lab.controller_address, count=1)
        assert reaches(lab, "h2", lab.controller_address)
    finally:
        lab.heal("mgmt-h1")
    assert reaches(lab, "h1", lab.controller_address)


def test_an_unknown_link_is_told_with_the_known_ones(lab: Lab) -> None:
    with pytest.raises(LabError, match="no link is called 'moon'; this laboratory has wan, uplink-h1"):
        lab.cut("moon")


def test_every_host_is_told_apart_by_its_own_open_vswitch(lab: Lab) -> None:
    query = ["ovs-vsctl", "get", "Open_vSwitch", ".", "external_ids:system-id"]
    told = {node.name: lab.host_run(node.name, query).stdout.strip().strip('"') for node in lab.hosts}
    assert told == {"h1": "h1", "h2": "h2", "h3": "h3", "h4": "h4"}
    assert lab.host_run("h1", ["ovs-vsctl", "list-br"]).stdout.split() == ["br-phy"]


def test_a_failing_command_says_what_failed(lab: Lab) -> None:
    with pytest.raises(
        CommandFailed, match="ovs-vsctl list-ports nowhere: exited with status 1: .*no bridge"
    ):
        lab.host_run("h1", ["ovs-vsctl", "list-ports", "nowhere"])


def test_a_crashed_switch_comes_back_with_its_addresses(lab: Lab) -> None:
    pidfile = lab.host("h4").rundir / "ovs-vswitchd.pid"
    before = read_pidfile(pidfile)
    assert before is not None
    os.kill(before.pid, signal.SIGSEGV)
    deadline = time.monotonic() + 15
    while (now := read_pidfile(pidfile)) in (None, before) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert now not in (None, before)
    assert reaches(lab, "h2", lab.host("h4").endpoints[0], count=20)
    assert reaches(lab, "h2", lab.host("h4").endpoints[1], count=20)


def test_another_process_finds_the_laboratory(lab: Lab) -> None:
    assert lab.name in Lab.names(lab.directory.parent)
    again = Lab.open(lab.name, base=lab.directory.parent)
    assert replace(again.state) == lab.state
    assert again.host("h1").db_socket.is_socket()
