"""Given a host whose kernel has the datapath, a machine of its own, when it joins as every host does, then workloads
there and at a host with the userspace datapath are in one network: with policies, moves, a controller that dies."""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.lab.names import unused_name
from tests.lab.residue import NOTHING, residue
from tools.cloud import Cloud, until
from tools.echo_stream import EchoStream

from overlace.lab.commands import lab_group
from overlace.lab.errors import LabError
from overlace.lab.guests.guests import Guests
from overlace.lab.lab import Lab
from overlace.lab.topology import Site, Topology

pytestmark = pytest.mark.lab
KERNEL, USERSPACE = "k1", "h1"
TOPOLOGY = Topology(
    sites=(
        Site("here", (USERSPACE,), "10.1.0.0/24", "fd01::/64"),
        Site("there", (KERNEL,), "10.2.0.0/24", "fd02::/64", kernel=(KERNEL,)),
    )
)
PLACES = {"red1": USERSPACE, "red2": KERNEL, "red3": USERSPACE, "blue4": KERNEL, "blue5": USERSPACE}
LISTEN = "import socket; s = socket.create_server(('::', {}), family=socket.AF_INET6, dualstack_ipv6=True); "
CONNECT = "import socket; print(socket.create_connection(('{}', {}), {}).recv(9).decode())"

TICKS = "for each in $(pidof commander); do cut -d ' ' -f 14,15 /proc/$each/stat; done"
"""The processor time, in hundredths of a second, of what carries out commands at the machine."""


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    """Of each tenant one at the machine, red2 and blue4, and others at the userspace host. red2 serves port 5000."""
    name = unused_name()
    with tempfile.TemporaryDirectory(prefix="ovl-") as directory:
        base = Path(directory)
        with Lab.up(TOPOLOGY, name, base=base) as lab:
            (base / "files").mkdir()
            cloud = Cloud(lab, base / "files")
            try:
                cloud.start()
                cloud.join_hosts()
                for tenant in ("red", "blue"):
                    cloud.tenant(tenant)
                serves = cloud.group("serves", "red", ("tcp", 5000), ("icmp", 0))
                all_are_let_in = cloud.group("open", "red", ("tcp", 0), ("icmp", 0))
                groups = {"red1": [all_are_let_in], "red2": [serves], "red3": [all_are_let_in]}
                groups["blue4"] = [cloud.group("open", "blue", ("tcp", 0), ("icmp", 0))]
                for octet, (workload, host) in enumerate(PLACES.items(), start=11):
                    group = {"security_groups": groups[workload]} if workload in groups else {}
                    cloud.workload(workload, host, octet, cloud.port(workload, octet, **group)["id"])
                until(
                    lambda: all(cloud.status(port) == "ACTIVE" for port in cloud.ports), "ports stay down", 30
                )
                yield cloud
            finally:
                print((base / "files/controller.log").read_text())
                cloud.kill()
        assert residue(name, base) == NOTHING


def ping(cloud: Cloud, source: str, address: str, count: int = 2, patience: str = "2") -> str:
    return cloud.lab.exec(
        source, ["ping", "-c", f"{count}", "-i", "0.2", "-W", patience, address], check=False
    ).stdout


def test_workloads_reach_each_other_across_the_datapaths(cloud: Cloud) -> None:
    for address in ("192.168.0.12", "fd00::c"):
        ping(cloud, "red1", address, 1)  # an unresolved neighbour of the tunnel costs the first
        assert " 0% packet loss" in ping(cloud, "red1", address)
    for address in ("192.168.0.11", "fd00::b"):
        assert " 0% packet loss" in ping(cloud, "red2", address)


def test_the_kernel_forwards_and_holds_what_is_planned(cloud: Cloud) -> None:
    lab = cloud.lab
    assert lab.host_run(KERNEL, ["ovs-appctl", "dpctl/show"]).stdout.startswith("system@ovs-system")
    ping(cloud, "red1", "192.168.0.12")
    flows = lab.host_run(KERNEL, ["ovs-appctl", "dpctl/dump-flows", "--names", "system@ovs-system"]).stdout
    port = lab.workload("red2").host_interface
    assert any("tunnel(" in flow and "0x0800" in flow and "recirc" in flow for flow in flows.splitlines())
    assert any(f"in_port({port})" in flow for flow in flows.splitlines())
    assert cloud.as_planned(KERNEL)
    assert cloud.as_planned(USERSPACE)
    status = cloud.api("GET", "/v2.0/overlace/status")["status"]
    assert not status["behind"]


def test_another_tenant_is_not_reached(cloud: Cloud) -> None:
    for family, address in (("-4", "192.168.0.14"), ("-6", "fd00::e")):
        neighbour = ["ip", family, "neigh", "replace", address, "lladdr", "02:00:00:00:00:0e", "dev", "eth0"]
        cloud.lab.exec("red2", neighbour)
        assert "100% packet loss" in ping(cloud, "red2", address, patience="0.5")
        ping(cloud, "blue5", address, 1)
        assert " 0% packet loss" in ping(cloud, "blue5", address)


def test_rules_are_stateful_in_the_kernel(cloud: Cloud) -> None:
    serving = [
        cloud.lab.popen(
            place, ["python3", "-c", LISTEN.format(port) + "\nwhile 1: s.accept()[0].send(b'served')"]
        )
        for place, port in (("red2", 5000), ("red2", 5001), ("red1", 5002))
    ]
    try:

        def asks(source: str, address: str, port: int, patience: float = 5) -> str:
            command = ["python3", "-c", CONNECT.format(address, port, patience)]
            return cloud.lab.exec(source, command, check=False, timeout=30).stdout.strip()

        until(lambda: asks("red1", "192.168.0.12", 5000) == "served", "nobody serves", 10)
        until(lambda: asks("red2", "192.168.0.11", 5002) == "served", "what red2 begins is not answered", 10)
        assert asks("red1", "fd00::c", 5000) == "served"
        assert asks("red2", "fd00::b", 5002) == "served"
        for address in ("192.168.0.12", "fd00::c"):
            assert asks("red1", address, 5001, patience=0.5) == ""
    finally:
        for each in serving:
            each.kill()
            each.communicate()


def test_nothing_is_lost_while_no_controller_runs(cloud: Cloud) -> None:
    for address in ("192.168.0.12", "fd00::c"):
        ping(cloud, "red1", address, 1)
    streams = [EchoStream(cloud.namespace("red1"), each, 60, 0.02) for each in ("192.168.0.12", "fd00::c")]
    cloud.kill()
    cloud.start()
    until(
        lambda: all(cloud.switch(host).get("acknowledged") for host in PLACES.values()), "no host returns", 30
    )
    for stream in streams:
        stream.stop()
    assert [stream.outcome().lost for stream in streams] == [0, 0]
    assert cloud.as_planned(KERNEL)


def bindings(cloud: Cloud, workload: str) -> dict[str, str]:
    path = f"/v2.0/overlace/ports/{cloud.ports[workload]['id']}/realisation"
    return dict(cloud.api("GET", path)["realisation"]["bindings"])


def move(cloud: Cloud, workload: str, there: str) -> None:
    cloud.lab.prepare_move(workload, there)
    until(lambda: bindings(cloud, workload).get(there) == "prepared", "the move is not prepared", 20)
    cloud.lab.complete_move(workload)
    until(lambda: bindings(cloud, workload).get(there) == "active", "the port has not moved", 20)
    cloud.lab.release_move(workload)
    until(lambda: bindings(cloud, workload) == {there: "active"}, "the old binding does not end", 20)


def test_a_workload_moves_to_the_machine_and_away(cloud: Cloud) -> None:
    for there in (KERNEL, USERSPACE):
        move(cloud, "red3", there)
        for address in ("192.168.0.13", "fd00::d"):
            assert " 0% packet loss" in ping(cloud, "red1", address)
            assert " 0% packet loss" in ping(cloud, "red2", address)
        until(lambda: not cloud.behind(), "the switches do not do what was published", 20)
        assert cloud.as_planned(KERNEL)
        assert cloud.as_planned(USERSPACE)


def test_the_laboratory_says_which_host_is_a_machine(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OVERLACE_LAB_DIR", str(cloud.lab.directory.parent))
    name = ["--name", cloud.lab.name]
    shown = CliRunner().invoke(lab_group, ["status", *name, "--json"])
    nodes = {each["name"]: each for each in json.loads(shown.output)["nodes"]}
    assert {each: (nodes[each]["datapath"], nodes[each]["running"]) for each in nodes} == {
        KERNEL: ("system", True),
        USERSPACE: ("netdev", True),
    }
    done = CliRunner().invoke(
        lab_group, ["exec", *name, KERNEL, "--", "sh", "-c", "echo out; echo err >&2; exit 3"]
    )
    assert (done.exit_code, done.stdout, done.stderr) == (3, "out\n", "err\n")
    assert cloud.lab.host_run(KERNEL, ["cat"], stdin="it's", env={"A": "b"}).stdout == "it's"
    spent = cloud.lab.host_run(KERNEL, ["sh", "-c", TICKS]).stdout.split()
    assert sum(map(int, spent)) < 500, "what waits for commands takes the processor meanwhile"
    with pytest.raises(LabError, match="runs no guests"):
        Guests.of(cloud.lab).create("web", KERNEL, mac="fa:16:3e:00:00:01", iface_id="web")
    with pytest.raises(LabError, match="to their end"):
        cloud.lab.host_popen(KERNEL, ["cat"])
