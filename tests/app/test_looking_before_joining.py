"""Given hosts that nobody has registered, when the operator looks before joining, then what is there, what would change
and what is in the way is told, and a host that refuses to join is as it was."""

import json
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from tools.cloud import Cloud, until
from tools.host_state import state_of

from overlace.cli.main import main
from overlace.lab.description import decode_topology
from overlace.lab.execution import Completed
from overlace.lab.lab import Lab

pytestmark = pytest.mark.lab

SITE = "{underlay: dual, sites: [{name: site-a, ipv4: 10.1.0.0/24, ipv6: 'fd01::/64', hosts: [h1]}]}"
Seed = Callable[["Site"], object]


class Site:
    """A host and a controller which does not know it."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.lab = cloud.lab
        self.address = str(self.lab.controller_address)

    def script(self, *words: str) -> str:
        given = [*words, "--controller", self.address, "--pki", f"{self.cloud.directory}/pki"]
        if "--datapath" not in words:
            given += ["--datapath", "netdev"]
        done = CliRunner().invoke(main, given)
        assert done.exit_code == 0, done.stderr
        return done.stdout

    def run(self, script: str, host: str = "h1") -> Completed:
        return self.lab.host_run(host, ["sh"], stdin=script, check=False)

    def look(self, *more: str, clock: int = 0) -> dict[str, Any]:
        """What is told to programs; the host's clock is so many seconds off."""
        done = self.run(with_clock(self.script("host", "add", "h1", "--check", "--json", *more), clock))
        told: dict[str, Any] = json.loads(done.stdout)
        assert done.status == int(told["refused"])
        return told

    def vsctl(self, *words: str) -> str:
        return self.lab.host_run("h1", ["ovs-vsctl", *words]).stdout.strip()

    def ip(self, *words: str) -> None:
        self.lab.host_run("h1", ["ip", *words])


def with_clock(script: str, seconds: int) -> str:
    """As it runs on a machine whose clock is off: nothing but the program's look at it is changed."""
    now = "return datetime.now(timezone.utc).timestamp()"
    assert now in script
    return script.replace(now, f"{now} + {seconds}")


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with (
        tempfile.TemporaryDirectory(prefix="ovl-") as directory,
        Lab.up(decode_topology(SITE), "looking") as lab,
    ):
        cloud = Cloud(lab, Path(directory))
        try:
            cloud.start()
            yield Site(cloud)
        finally:
            cloud.kill()


def test_a_host_that_nobody_knows_tells_what_is_there_and_is_not_changed(site: Site) -> None:
    before = state_of(site.lab, "h1")
    four, six = map(str, site.lab.host("h1").endpoints)
    done = site.run(site.script("host", "add", "h1", "--check", "--endpoint", four, "--endpoint", six))

    assert done.status == 0, done.stdout + done.stderr
    for words in (
        r"\(Open vSwitch\) \d+\.\d+.*, Python 3\.\d+",
        r"bridge br-phy: datapath netdev, 2 ports, no controller",
        r"MTU: .*eth0 1600",
        r"UDP ports in use: none",
        r"a new bridge br-overlace, datapath netdev, fail-mode secure",
        rf"one manager more, ssl:{re.escape(site.address)}:6640",
        r"external_ids:overlace-host=h1",
        r"the host may join",
    ):
        assert re.search(words, done.stdout), words
    assert "error" not in done.stdout
    assert state_of(site.lab, "h1") == before


def test_what_others_have_here_is_noted_and_in_nobodys_way(site: Site) -> None:
    site.vsctl("set-manager", "ptcp:6639:127.0.0.1")
    site.vsctl("add-br", "br-int", "--", "set", "bridge", "br-int", "datapath_type=netdev")
    site.vsctl("add-br", "br-tun", "--", "set", "bridge", "br-tun", "datapath_type=netdev")
    site.vsctl("set-controller", "br-int", "tcp:127.0.0.1:6633")
    site.vsctl("set", "open_vswitch", ".", "external_ids:ovn-remote=tcp:192.0.2.9:6642")
    site.vsctl("set-ssl", "/their/key", "/their/certificate", "/their/authority")
    try:
        told = site.look()
        kinds = {each["kind"]: each for each in told["findings"]}
        assert not told["refused"]
        assert set(kinds) >= {
            *("manager_of_another", "controller_of_another", "ovn_here", "neutron_here", "tls_identity")
        }
        assert "tcp:127.0.0.1:6633" in kinds["controller_of_another"]["seen"]
        assert "manager ptcp:6639:127.0.0.1" in told["found"]
    finally:
        site.vsctl("del-ssl", "--", "del-manager", "--", "del-br", "br-int", "--", "del-br", "br-tun")
        site.vsctl("remove", "open_vswitch", ".", "external_ids", "ovn-remote")


@contextmanager
def seeded(site: Site, seed: Seed, mend: Seed) -> Iterator[None]:
    seed(site)
    try:
        yield
    finally:
        mend(site)


def nothing(_: Site) -> None:
    pass


def vsctl(*lines: str) -> Seed:
    return lambda site: [site.vsctl(*line.split()) for line in lines]


def ip(*lines: str) -> Seed:
    def work(site: Site) -> None:
        for line in lines:
            site.ip(*line.split())

    return work


def add(bridge: str, name: str, *settings: str) -> Seed:
    made = ("--", "set", "bridge", bridge, "datapath_type=netdev", "--", "add-port", bridge, name)
    return lambda site: site.vsctl("add-br", bridge, *made, "--", "set", "interface", name, *settings)


BLOCKING = (
    ("tunnel_port_taken", ("vxlan interface vx of bridge br-tun", "--tunnel-port"), (),
     add("br-tun", "vx", "type=vxlan", "options:remote_ip=192.0.2.7"), vsctl("del-br br-tun")),
    ("tunnel_port_taken", ("UDP port 6081", "geneve interface gv of bridge br-tun"), ("--tunnel-port", "6081"),
     add("br-tun", "gv", "type=geneve", "options:remote_ip=192.0.2.7"), vsctl("del-br br-tun")),
    ("tunnel_port_taken", ("the kernel's interface vxk",), (),
     ip("link add vxk type vxlan id 7 dstport 4789 dev eth0"), ip("link del vxk")),
    ("tunnel_port_taken", ("OVN, which tunnels by vxlan",), (),
     vsctl("set open_vswitch . external_ids:ovn-encap-type=geneve,vxlan"),
     vsctl("remove open_vswitch . external_ids ovn-encap-type")),
    ("bridge_taken", ("bridge br-phy exists and is not Overlace's", "--bridge"), ("--bridge", "br-phy"),
     nothing, nothing),
    ("bridge_taken", ("interface mgmt0 exists",), ("--bridge", "mgmt0"), nothing, nothing),
    ("joined_as_another", ("joined as h9 already", "overlace leave h9"), (),
     vsctl("set open_vswitch . external_ids:overlace-host=h9"),
     vsctl("remove open_vswitch . external_ids overlace-host")),
    ("restoring", ("flow-restore-wait",), (),
     vsctl("--no-wait set open_vswitch . other_config:flow-restore-wait=true"),
     vsctl("remove open_vswitch . other_config flow-restore-wait")),
    ("datapath_missing", ("datapath type system", "--datapath netdev"), ("--datapath", "system"), nothing, nothing),
    ("mtu_too_small", ("has an MTU of 1300", "1280"), (), ip("link set mgmt0 mtu 1300"), ip("link set mgmt0 mtu 1500")),
    ("fabric_interface", ("there is no interface eth7",), ("--fabric-interface", "eth7"), nothing, nothing),
    ("fabric_interface", ("eth0 is in bridge br-phy",), ("--fabric-interface", "eth0"), nothing, nothing),
)  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "words", "options", "seed", "mend"), BLOCKING, ids=[words[0] for _, words, *_ in BLOCKING]
)
def test_what_is_in_the_way_is_named_and_the_host_that_refuses_is_as_it_was(
    site: Site, kind: str, words: tuple[str, ...], options: tuple[str, ...], seed: Seed, mend: Seed
) -> None:
    with seeded(site, seed, mend):
        told = site.look(*options)
        (found,) = [each for each in told["findings"] if each["severity"] == "error"]
        assert told["refused"]
        assert found["kind"] == kind
        text = " ".join(found[part] for part in ("seen", "cause", "cure"))
        assert all(word in text for word in words), text

        before = state_of(site.lab, "h1")
        refused = site.run(site.script("join", "h1", *options))
        assert refused.status == 1
        assert f"[{kind}]" in refused.stderr and found["cure"] in refused.stderr
        assert "nothing was changed" in refused.stderr
        assert state_of(site.lab, "h1") == before
        if not found["forceable"]:
            assert site.run(site.script("join", "h1", "--force", *options)).status == 1
            assert state_of(site.lab, "h1") == before
    assert not site.look()["refused"]


def test_an_endpoint_that_the_host_does_not_have_is_in_the_way(site: Site) -> None:
    (found,) = [
        each for each in site.look("--endpoint", "10.1.0.77")["findings"] if each["severity"] == "error"
    ]
    assert found["kind"] == "endpoint_missing"
    assert "10.1.0.77" in found["seen"]


CLOCKS = [
    *((-1800, "warning", "s behind"), (1800, "warning", "s ahead")),
    *((-7200, "error", "s behind"), (7200, "error", "s ahead")),
]


@pytest.mark.parametrize(("seconds", "severity", "words"), CLOCKS)
def test_a_clock_that_is_off_is_told_from_the_controllers_and_is_in_the_way_where_certificates_go_by_it(
    site: Site, seconds: int, severity: str, words: str
) -> None:
    assert all(each["kind"] != "clock_apart" for each in site.look()["findings"])
    (found,) = [each for each in site.look(clock=seconds)["findings"] if each["kind"] == "clock_apart"]
    assert found["severity"] == severity
    off = re.search(r"is (\d+) s", found["seen"])
    assert off is not None and abs(int(off[1]) - abs(seconds)) < 30
    assert words in found["seen"]

    # over plain TCP nobody is asked: when the script was printed is known, and is never in the way
    plain = [
        each for each in site.look("--plaintext", clock=seconds)["findings"] if each["kind"] == "clock_apart"
    ]
    assert [each["severity"] for each in plain] == (["warning"] if seconds < 0 else [])


def test_a_disk_that_is_full_is_in_the_way(site: Site) -> None:
    # on a disk of its own, in a mount namespace that ends with the command
    directory = site.lab.node("h1").directory / "etc"
    script = site.script("host", "add", "h1", "--check", "--json")
    small = f"mount -t tmpfs -o size=1m tmpfs {directory} && exec sh"
    done = site.lab.host_run("h1", ["unshare", "--mount", "sh", "-c", small], stdin=script, check=False)
    (found,) = [each for each in json.loads(done.stdout)["findings"] if each["severity"] == "error"]
    assert done.status == 1
    assert found["kind"] == "disk_full"
    assert str(directory) in found["seen"]


def test_a_program_that_has_the_port_is_in_the_way(site: Site) -> None:
    bind = "import socket; s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM); s.bind(('::', 4789))"
    holder = site.lab.host_popen(
        "h1", ["python3", "-c", f"{bind}; print(1, flush=True); __import__('time').sleep(60)"]
    )
    try:
        assert holder.stdout is not None
        holder.stdout.readline()
        (found,) = [each for each in site.look()["findings"] if each["severity"] == "error"]
        assert "a program" in found["seen"]
    finally:
        holder.kill()
        holder.communicate()


def test_an_open_vswitch_that_is_old_or_half_there_is_in_the_way(site: Site) -> None:
    def findings(appctl: str) -> list[str]:
        """With another ovs-appctl in the path: what it answers is all that is known of ovs-vswitchd."""
        directory = site.lab.node("h1").directory / "bin"
        directory.mkdir(exist_ok=True)
        (directory / "ovs-appctl").write_text(f"#!/bin/sh\n{appctl}\n")
        (directory / "ovs-appctl").chmod(0o755)
        script = site.script("host", "add", "h1", "--check", "--json")
        done = site.run(f"PATH={directory}:$PATH; export PATH\n{script}")
        return [each["kind"] for each in json.loads(done.stdout)["findings"] if each["severity"] == "error"]

    assert findings("echo 'ovs-vswitchd (Open vSwitch) 2.13.8'") == ["switch_too_old"]
    assert findings("exit 1") == ["vswitchd_down"]
    assert findings("echo 'ovs-vswitchd (Open vSwitch) 2.17.0'") == []


def test_a_controller_that_does_not_answer_is_a_warning(site: Site) -> None:
    told = site.look("--ovsdb-port", "7", "--enrolment-port", "9")
    kinds = [each["kind"] for each in told["findings"] if each["severity"] == "warning"]
    assert kinds == ["controller_unreachable", "clock_unknown"]
    assert not told["refused"]


def test_a_host_joins_by_force_and_is_not_in_its_own_way_afterwards(site: Site) -> None:
    # given somebody else's tunnels on the port
    add("br-tun", "vx", "type=vxlan", "options:remote_ip=192.0.2.7")(site)
    assert site.run(site.script("join", "h1")).status == 1

    # when it is forced, then it joins
    forced = site.run(site.script("join", "h1", "--force"))
    assert forced.status == 0, forced.stderr
    assert "[tunnel_port_taken]" in forced.stderr
    site.vsctl("del-br", "br-tun")
    endpoints = [{"address": str(each)} for each in site.lab.host("h1").endpoints]
    site.cloud.api("POST", "/v2.0/overlace/sites", {"site": {"id": "site-a", "mtu": 1600}})
    host = {"id": "h1", "site_id": "site-a", "endpoints": endpoints}
    site.cloud.api("POST", "/v2.0/overlace/hosts", {"host": host})
    until(lambda: bool(site.cloud.switch("h1").get("acknowledged")), "h1 does not connect", 20)

    # and now that its own tunnels are there, they are not in the way, and joining would change nothing
    until(lambda: "vxlan" in site.vsctl("--columns=type", "list", "interface"), "there are no tunnels", 20)
    told = site.look()
    assert not told["refused"]
    assert told["changes"] == []
    assert site.run(site.script("join", "h1")).status == 0


def test_a_clock_that_is_off_without_harm_is_told_by_the_doctor_until_it_is_set_right(site: Site) -> None:
    def finding() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = site.cloud.api("GET", "/v2.0/overlace/doctor")["findings"]
        return [each for each in found if each["kind"] == "host_clock_apart"]

    renewal = ("pki", "renew", "h1", "--controller", site.address, "--pki", f"{site.cloud.directory}/pki")
    assert finding() == []
    renewed = CliRunner().invoke(main, renewal)
    assert site.run(with_clock(renewed.stdout, 1800)).status == 0
    (found,) = finding()
    assert re.search(r"the clock of h1 was 1[78]\d\d s ahead of", found["seen"])
    assert "overlace pki renew h1" in found["cure"]
    assert site.run(CliRunner().invoke(main, renewal).stdout).status == 0
    assert finding() == []
