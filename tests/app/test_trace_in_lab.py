"""Traces over real switches: held against ofproto/trace, over flows that somebody has tampered with, and why."""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tools.cloud import OFCTL, Cloud, until

from overlace.compiler.pipeline import TUNNEL_OFPORT
from overlace.lab.lab import Lab

pytestmark = pytest.mark.lab

BRIDGE = "br-overlace"
_TABLE = re.compile(r"^\s*(\d+)\. ")


class TracedCloud(Cloud):
    """The commands, run where the controller is. Audits come only when they are asked for."""

    serve_options = ("--audit-interval", "3600")

    def overlace(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "overlace.cli", *arguments]
        inside = ["ip", "netns", "exec", self.lab.controller_namespace, *command]
        return subprocess.run(inside, capture_output=True, text=True, timeout=60)

    def trace(self, *arguments: str) -> dict[str, Any]:
        done = self.overlace("trace", *arguments, "--json")
        assert done.returncode in (0, 1), done.stderr
        return dict(json.loads(done.stdout))

    def why(self, name: str) -> dict[str, Any]:
        done = self.overlace("why", name, "--json")
        assert done.returncode == 0, done.stderr
        return dict(json.loads(done.stdout))

    def on(self, host: str, *command: str) -> str:
        return self.lab.host_run(host, list(command)).stdout


@pytest.fixture(scope="module")
def cloud() -> Iterator[TracedCloud]:
    with tempfile.TemporaryDirectory(prefix="ovl-") as directory, Lab.up(None, "tracing") as lab:
        cloud = TracedCloud(lab, Path(directory))
        try:
            cloud.start()
            cloud.join_hosts()
            cloud.tenant("red")
            for number in range(1, 4):
                port = cloud.port(f"red{number}", 10 + number)
                cloud.workload(f"red{number}", f"h{number}", 10 + number, port["id"])
            until(lambda: all(cloud.status(name) == "ACTIVE" for name in cloud.ports), "ports stay down", 30)
            yield cloud
        finally:
            cloud.kill()


SAMPLES = {
    "tcp": (
        ("--tcp", "80"),
        "tcp,nw_src=192.168.0.11,nw_dst=192.168.0.13,tcp_src=40000,tcp_dst=80,tcp_flags=syn",
    ),
    "udp6": (("--udp", "53", "-6"), "udp6,ipv6_src=fd00::b,ipv6_dst=fd00::d,udp_src=40000,udp_dst=53"),
    "icmp": ((), "icmp,nw_src=192.168.0.11,nw_dst=192.168.0.13,icmp_type=8,icmp_code=0"),
    "spoofed": (
        ("--source-ip", "192.168.0.99"),
        "icmp,nw_src=192.168.0.99,nw_dst=192.168.0.13,icmp_type=8,icmp_code=0",
    ),
}
STATES = {
    "new": ((), "new,trk"),
    "established": (("--established",), "est,trk"),
    "reply": (("--reply",), "est,rpl,trk"),
}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("kind", SAMPLES)
def test_the_trace_crosses_the_tables_that_the_switches_say(
    cloud: TracedCloud, kind: str, state: str
) -> None:
    options, packet = SAMPLES[kind]
    more, ct_state = STATES[state]
    if state == "reply":
        packet = _as_reply(packet)
    if state == "established":
        packet = packet.replace("tcp_flags=syn", "tcp_flags=ack")
    told = cloud.trace("red1", "red3", *options, *more)["forward"]
    packet += ",dl_src=02:00:00:00:00:0b,dl_dst=02:00:00:00:00:0d,nw_ttl=64"
    entries = [f"in_port={_ofport(cloud, 'h1', 'red1')}"]
    if len(told["hops"]) == 2:
        tunnel = _tunnel(cloud)
        entries.append(f"in_port={TUNNEL_OFPORT},{tunnel}")
    assert len(told["hops"]) == (1 if kind == "spoofed" else 2)
    for hop, entry in zip(told["hops"], entries, strict=True):
        text = cloud.on(
            hop["host"],
            *("ovs-appctl", "ofproto/trace", BRIDGE, f"{entry},{packet}"),
            *("--ct-next", ct_state, "--ct-next", ct_state),
        )
        assert [step["number"] for step in hop["steps"]] == _tables(text), text
        assert ("sent to" in str(hop["outcomes"])) == ("vxlan_sys" in text or "tnl_push" in text), text


def test_a_flow_that_somebody_deleted_is_named_and_the_audit_brings_it_back(cloud: TracedCloud) -> None:
    cloud.on("h3", *OFCTL, "del-flows", BRIDGE, "table=70")
    told = cloud.trace("red1", "red3")["forward"]
    assert (told["verdict"], told["planned"], told["reason"]) == ("dropped", "delivered", "unlike_the_plan")
    assert told["summary"] == "h3 lacks a flow of interface of port red3"
    assert told["cure"] == "overlace host audit h3"
    assert cloud.overlace(*told["cure"].split()[1:]).returncode == 0
    assert cloud.trace("red1", "red3")["forward"]["verdict"] == "delivered"


def test_a_flow_that_somebody_added_is_blamed(cloud: TracedCloud) -> None:
    flow = "table=40,priority=999,cookie=0xbad,ip,nw_dst=192.168.0.12,actions=drop"
    cloud.on("h1", *OFCTL, "add-flow", BRIDGE, flow)
    told = cloud.trace("red1", "red2")["forward"]
    assert told["summary"] == (
        "h1 has a flow that is not in the plan: a flow that Overlace did not make (cookie 0xbad)"
    )
    assert cloud.trace("red1", "red3")["forward"]["differences"] == []
    cloud.overlace("host", "audit", "h1")
    assert cloud.trace("red1", "red2")["forward"]["verdict"] == "delivered"


def test_a_flow_that_somebody_changed_is_told_as_it_should_be(cloud: TracedCloud) -> None:
    cloud.on("h2", *OFCTL, "mod-flows", BRIDGE, "table=70,actions=drop")
    told = cloud.trace("red1", "red2")["forward"]
    assert [each["kind"] for each in told["differences"]] == ["changed"]
    assert told["summary"] == "h2 has another flow in place of that of interface of port red2"
    cloud.overlace("host", "audit", "h2")


def test_the_trace_reads_for_people(cloud: TracedCloud) -> None:
    done = cloud.overlace("trace", "red1", "red3", "--tcp", "80", "--flows")
    assert done.returncode == 0
    assert "  hop 2: h3, from h1\n" in done.stdout
    assert "security group default, rule any protocol from members of default" in done.stdout
    assert "DELIVERED: delivered to port red3 at h3" in done.stdout
    assert cloud.overlace("trace", "red1", "red3", "--source-mac", "02:00:00:00:00:99").returncode == 1
    assert cloud.overlace("trace", "nobody", "red3").returncode == 5
    assert cloud.overlace("trace", "red1", "red3", "--tcp", "80", "--udp", "53").returncode == 2


def test_all_flows_of_a_port_are_found_where_they_are(cloud: TracedCloud) -> None:
    done = cloud.overlace("flows", "red2", "--json")
    assert done.returncode == 0, done.stderr
    for switch in json.loads(done.stdout)["switches"]:
        assert len(switch["flows"]) == switch["wanted"] > 0
    assert "interface of port red2" in cloud.overlace("flows", "red2").stdout


def test_why_names_each_obstacle_on_the_way_to_active(cloud: TracedCloud) -> None:
    port = cloud.port("red9", 19)
    assert [each["kind"] for each in cloud.why("red9")["reasons"]] == ["not_plugged"]
    assert cloud.trace("red9", "red1")["forward"]["verdict"] == "not_sent"
    cloud.on("h2", "ovs-vsctl", "add-port", BRIDGE, "ghost", "--", "set", "interface", "ghost",
             f"external_ids:iface-id={port['id']}")  # fmt: skip
    _until_why(cloud, "red9", "no_ofport")
    cloud.on("h2", "ovs-vsctl", "del-port", BRIDGE, "ghost")
    cloud.workload("red9", "h2", 19, port["id"])
    until(lambda: cloud.status("red9") == "ACTIVE", "the port is not bound", 10)
    assert cloud.why("red9")["reasons"] == []
    cloud.api("PUT", f"/v2.0/ports/{port['id']}", {"port": {"admin_state_up": False}})
    assert [each["kind"] for each in cloud.why("red9")["reasons"]] == ["port_down"]
    assert cloud.trace("red9", "red1")["forward"]["reason"] == "port_down"
    cloud.lab.detach("red9")


def test_why_tells_two_interfaces_and_a_host_that_is_gone(cloud: TracedCloud) -> None:
    iface_id = f"external_ids:iface-id={cloud.ports['red2']['id']}"
    cloud.on("h2", "ovs-vsctl", "add-port", BRIDGE, "twin", "--", "set", "interface", "twin", "type=internal",
             iface_id)  # fmt: skip
    _until_why(cloud, "red2", "announced_twice")
    cloud.on("h2", "ovs-vsctl", "del-port", BRIDGE, "twin")
    until(lambda: cloud.status("red2") == "ACTIVE", "the port does not come back", 10)
    cloud.lab.cut("mgmt-h2")
    _until_why(cloud, "red2", "host_away")
    told = cloud.trace("red1", "red2")["forward"]
    assert (told["verdict"], told["reason"]) == ("unknown", "unreadable")
    assert cloud.why("h2")["reasons"][0]["kind"] == "host_away"
    cloud.lab.heal("mgmt-h2")


def _until_why(cloud: TracedCloud, name: str, kind: str) -> None:
    def told() -> bool:
        return kind in [each["kind"] for each in cloud.why(name)["reasons"]]

    until(told, f"why {name} does not say {kind}", 60)


def _as_reply(packet: str) -> str:
    swapped = (
        packet.replace("_src=40000", "_src=X")
        .replace("_dst=80", "_dst=40000")
        .replace("_dst=53", "_dst=40000")
    )
    service = "80" if "tcp" in packet else "53"
    changed = swapped.replace("_src=X", f"_src={service}").replace("tcp_flags=syn", "tcp_flags=ack")
    return changed.replace("icmp_type=8", "icmp_type=0")


def _tables(text: str) -> list[int]:
    """The tables of our bridge that ofproto/trace says it looked up, misses included, in order."""
    tables, ours = [], True
    for line in text.splitlines():
        if line.startswith("bridge("):
            ours = BRIDGE in line
        elif ours and (found := _TABLE.match(line)):
            tables.append(int(found[1]))
    return tables


def _ofport(cloud: TracedCloud, host: str, name: str) -> int:
    iface_id = cloud.ports[name]["id"]
    find = (
        "ovs-vsctl",
        "--bare",
        "--columns=ofport",
        "find",
        "interface",
        f"external_ids:iface-id={iface_id}",
    )
    return int(cloud.on(host, *find).split()[0])


def _tunnel(cloud: TracedCloud) -> str:
    """The fields of a packet of network red that has come from h1 to h3."""
    flows = cloud.on("h3", *OFCTL, "dump-flows", BRIDGE, "table=2")
    networks = set(re.findall(r"priority=100,tun_id=(0x[0-9a-f]+)", flows))
    assert len(networks) == 1, flows
    one, other = (cloud.lab.host(name).endpoints[0] for name in ("h1", "h3"))
    return f"tun_id={networks.pop()},tun_src={one},tun_dst={other}"
