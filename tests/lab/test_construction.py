"""Given laboratories that come and go, or fail half-way, when they are down, then nothing of them remains."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from overlace.lab import namespace
from overlace.lab.description import decode_topology, load_topology
from overlace.lab.errors import LabError
from overlace.lab.lab import Lab

from .background import beside
from .overlay import join_by_hand, mac
from .residue import NOTHING, residue

pytestmark = pytest.mark.lab

SINGLE = "underlay: ipv6\nsites: [{name: a, ipv6: 'fd01::/64', mtu: 1500, hosts: [h1, h2]}]"
THREE = """
underlay: ipv4
wan: {delay_ms: 1}
sites:
  - {name: a, ipv4: 10.1.0.0/24, hosts: [h1]}
  - {name: b, ipv4: 10.2.0.0/24, hosts: [h2]}
  - {name: c, ipv4: 10.3.0.0/24, hosts: [h3]}
"""


def reaches(lab: Lab, source: str, address: str) -> bool:
    """Whether one of three pings is answered; the first may be lost to address resolution."""
    once = ["ping", "-c", "1", "-W", "1", address]
    return any(lab.host_run(source, once, check=False).status == 0 for _ in range(3))


def test_two_laboratories_side_by_side_do_not_know_each_other(base: Path, name: str) -> None:
    with Lab.up(name=name + "a", base=base) as first, Lab.up(name=name + "b", base=base) as second:
        assert first.host("h1").endpoints == second.host("h1").endpoints
        first.cut("wan")
        assert not reaches(first, "h1", first.host("h3").endpoints[0])
        assert reaches(second, "h1", second.host("h3").endpoints[0])
    assert residue(name + "a", base) == residue(name + "b", base) == NOTHING


def test_down_takes_workloads_and_their_processes_too(base: Path, name: str) -> None:
    lab = Lab.up(decode_topology(SINGLE), name, base=base)
    join_by_hand(lab, "h1", "h2")
    lab.attach("h1", "web", mac=mac(1), iface_id="port-1", ips=["192.168.0.1/24"])
    with (
        beside(lab.popen("web", ["sleep", "600"])) as sleeper,
        beside(lab.controller_popen(["sleep", "600"])) as controller,
    ):
        lab.down()
        assert sleeper.wait(timeout=5) == controller.wait(timeout=5) == -15
    assert residue(name, base) == NOTHING
    lab.down()


def test_a_site_alone_with_one_family_works_without_a_relay(base: Path, name: str) -> None:
    with Lab.up(decode_topology(SINGLE), name, base=base) as lab:
        assert lab.host("h2").endpoints == ("fd01::2",)
        assert reaches(lab, "h1", "fd01::2")
        with pytest.raises(LabError, match="no wide-area link: use a topology with two sites"):
            lab.wan(delay_ms=1)


def test_three_sites_share_one_wan(base: Path, name: str) -> None:
    with Lab.up(decode_topology(THREE), name, base=base) as lab:
        assert all(reaches(lab, *way) for way in (("h1", "10.2.0.1"), ("h2", "10.3.0.1"), ("h3", "10.1.0.1")))


def failing_program(directory: Path, program: str) -> Path:
    """A directory whose PROGRAM works like the real one for the first host and fails for the second."""
    real = subprocess.run(["which", program], capture_output=True, text=True, check=True).stdout.strip()
    fake = directory / program
    fake.write_text(
        f'#!/bin/sh\ncase "$*" in *h2/*) echo injected failure >&2; exit 3;; *) exec {real} "$@";; esac\n'
    )
    fake.chmod(0o755)
    return directory


@pytest.mark.parametrize("program", ["ovsdb-server", "ovs-vswitchd"])
def test_a_failure_half_way_up_leaves_nothing(
    base: Path, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    monkeypatch.setenv("PATH", f"{failing_program(tmp_path, program)}:{os.environ['PATH']}:/usr/sbin:/sbin")
    with pytest.raises(LabError, match=f"{program}.*exited with status 3: injected failure"):
        Lab.up(name=name, base=base)
    assert residue(name, base) == NOTHING


def test_a_laboratory_whose_maker_was_killed_can_be_removed(base: Path, name: str) -> None:
    script = (
        "import os; from pathlib import Path; from overlace.lab.lab import Lab\n"
        f"Lab.up(name={name!r}, base=Path({str(base)!r}), progress=lambda m: 'Open' in m and os._exit(9))"
    )
    done = subprocess.run([sys.executable, "-c", script], check=False)
    assert done.returncode == 9
    assert residue(name, base).namespaces
    assert Lab.open(name, base=base).state.phase == "starting"
    assert Lab.remove(name, base=base)
    assert residue(name, base) == NOTHING
    assert not Lab.remove(name, base=base)


def test_a_name_in_use_is_refused_and_its_laboratory_stays(base: Path, name: str) -> None:
    with Lab.up(decode_topology(SINGLE), name, base=base) as lab:
        with pytest.raises(LabError, match="exists already"):
            Lab.up(name=name, base=base)
        assert reaches(lab, "h1", "fd01::2")


def test_namespaces_of_strangers_are_not_touched(base: Path, name: str) -> None:
    stranger = f"ovl-{name}-h1"
    namespace.create([stranger])
    try:
        with pytest.raises(LabError, match=f"namespaces of a laboratory '{name}' exist .*--orphans"):
            Lab.up(name=name, base=base)
        assert not Lab.remove(name, base=base)
        assert namespace.existing(f"ovl-{name}-") == (stranger,)
        assert Lab.remove(name, base=base, orphans=True)
        assert namespace.existing(f"ovl-{name}-") == ()
    finally:
        namespace.remove([stranger])


def test_transit_switches_forward_tagged_frames_across_the_wan(base: Path, name: str) -> None:
    with Lab.up(load_topology("transit"), name, base=base) as lab:
        for host, uplink in (("h1", "to-t1"), ("h3", "to-t2")):
            command = ["ovs-vsctl", "add-br", "br-overlace", "--", "set", "Bridge", "br-overlace"]
            command += ["datapath_type=netdev", "--", "add-port", "br-overlace", uplink]
            lab.host_run(host, command)
        lab.attach("h1", "w1", mac=mac(1), iface_id="p1", ips=["192.168.0.1/24"])
        lab.attach("h3", "w3", mac=mac(3), iface_id="p3", ips=["192.168.0.3/24"])
        lab.host_run("h1", ["ovs-vsctl", "set", "Port", "vp1", "tag=42"])
        lab.host_run("h3", ["ovs-vsctl", "set", "Port", "vp2", "tag=42"])
        echo = ["ping", "-c", "3", "-i", "0.2", "-W", "1", "192.168.0.3"]
        assert lab.exec("w1", echo, check=False).status != 0
        for transit in lab.transit_switches:
            lab.host_run(transit.name, ["ovs-ofctl", "add-flow", "br-transit", "dl_vlan=42,actions=normal"])
        assert lab.exec("w1", echo, check=False).status == 0
        lab.cut("t1-t2")
        assert lab.exec("w1", echo, check=False).status != 0
        lab.heal("t1-t2")
        assert lab.exec("w1", echo, check=False).status == 0
