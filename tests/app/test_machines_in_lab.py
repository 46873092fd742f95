"""Given real guests at two sites, when the controller moves them, then their sessions go on, their disks
hold what they wrote, their ports are where they are, the addresses that they were told stay theirs, and the receipts
say what it cost; also with a controller killed meanwhile, and for a whole site."""

import re
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.lab.guests.session import Session
from tools.cloud import Cloud, until
from tools.migration_demo import movers
from tools.stateful_sessions import Asking, Knocking, SilentSessions
from tools.written_disk import writes_on

from overlace.lab.guests.guests import Guests
from overlace.lab.lab import Lab

pytestmark = pytest.mark.lab
PROCEDURES = "/v2.0/overlace/procedures"
GUESTS = {"red1": "h1", "red2": "h4"}
ONLY_ANSWERS = "red2"
"""No rule lets it begin a connection: it sends what connection tracking lets out."""
DISKS = {"red1": "4M", "red2": "16M"}
"""The larger one goes in stripes over several connections."""
IS_TOLD = "red1"
"""It has no address but those that its network tells it."""
TOLD = ("192.168.0.11/24", "fd01::ff:fe00:b/64", "fd02::b/128")
"""By DHCP, of advertisements (SLAAC), by DHCPv6."""
MODES = {"fd01::/64": "slaac", "fd02::/64": "dhcpv6-stateful"}
ASKS_AGAIN = """
rm /run/lease
# busybox's client has a socket of its own to renew by: an answer that is quicker than its close gets lost
until [ -s /run/lease ]; do kill -USR1 $(pidof udhcpc); sleep 1; done
ip link set eth0 down; ip link set eth0 up  # what it knows of IPv6 goes with the link
until [ $(ip -6 -o addr show dev eth0 scope global | wc -l) = 2 ]; do kill -USR1 $(pidof dhcp6); sleep 1; done
cat /run/lease
"""


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    """Guests red1 at h1 and red2 at h4, with disks of their own; a workload that talks to them, red4 at h4."""
    with tempfile.TemporaryDirectory(prefix="ovl-") as directory, Lab.up(None, "machines") as lab:
        cloud = Cloud(lab, Path(directory))
        cloud.serve_options = movers(lab)
        try:
            cloud.start()
            cloud.join_hosts()
            cloud.tenant("red")
            reachable = cloud.group("reachable", "red", ("tcp", 0), ("udp", 0))
            given = [{"ip_address": address} for address in ("192.168.0.14", "fd00::e", "fd02::e")]
            learned_by(cloud)
            port = cloud.port("red4", 14, security_groups=[reachable], fixed_ips=given)
            cloud.workload("red4", "h4", 14, port["id"])
            cloud.lab.exec("red4", ["ip", "address", "add", "fd02::e/64", "dev", "eth0", "nodad"])
            for octet, (name, host) in enumerate(GUESTS.items(), start=11):
                create(cloud, name, host, octet)
            until(lambda: all(cloud.status(name) == "ACTIVE" for name in cloud.ports), "ports stay down", 30)
            lab.wan(delay_ms=5)
            yield cloud
        finally:
            print((Path(directory) / "controller.log").read_text())
            cloud.kill()


def learned_by(cloud: Cloud) -> None:
    """Subnets of IPv6 whose addresses are made, or leased."""
    for cidr, mode in MODES.items():
        known = {"network_id": cloud.networks["red"], "project_id": "red", "ip_version": 6, "cidr": cidr}
        modes = {"ipv6_ra_mode": mode, "ipv6_address_mode": mode}
        cloud.api("POST", "/v2.0/subnets", {"subnet": known | modes})


def create(cloud: Cloud, name: str, host: str, octet: int) -> None:
    key = cloud.group(name, "red", ("tcp", 5000), ("udp", 5001), begins=name != ONLY_ANSWERS)
    told = [{"ip_address": address.partition("/")[0]} for address in TOLD]
    wish: dict[str, Any] = {"fixed_ips": told} if name == IS_TOLD else {}
    port = cloud.port(name, octet, device_id=name, security_groups=[key], **wish)
    Guests.of(cloud.lab).create(
        name,
        host,
        mac=port["mac_address"],
        iface_id=port["id"],
        addresses=() if name == IS_TOLD else (f"192.168.0.{octet}/24", f"fd00::{octet:x}/64"),
        dhcp=name == IS_TOLD,
        memory=128,  # with less, an interface that is taken down finds none for its buffers when it is to come up
        disk=DISKS[name],
        writer=50,
    )
    machine = {"id": name, "host_id": host, "project_id": "red", "own_disks": True}
    cloud.api("POST", "/v2.0/overlace/machines", {"machine": machine})


def begin(cloud: Cloud, **wish: Any) -> dict[str, Any]:
    made: dict[str, Any] = cloud.api("POST", PROCEDURES, {"procedure": wish})["procedure"]
    return made


def shown(cloud: Cloud, made: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = cloud.api("GET", f"{PROCEDURES}/{made['id']}")["procedure"]
    return found


def ended(cloud: Cloud, made: dict[str, Any], seconds: float = 120) -> dict[str, Any]:
    until(lambda: shown(cloud, made)["state"] != "running", f"{shown(cloud, made)}", seconds)
    return shown(cloud, made)


def verified(cloud: Cloud, name: str) -> int:
    """How many blocks a guest has on its disk, all as it wrote them."""
    told = Guests.of(cloud.lab).command(name, ["nc", "127.0.0.1", "5002"]).stdout
    found = re.search(r"blocks=(\d+) writes=\d+ wrong=(\d+)", told)
    assert found is not None, told
    assert int(found[2]) == 0
    return int(found[1])


def addresses(cloud: Cloud, name: str) -> list[str]:
    """What a guest has, as it sees it."""
    shown = (
        Guests.of(cloud.lab)
        .command(name, ["ip", "-o", "addr", "show", "dev", "eth0", "scope", "global"])
        .stdout
    )
    return sorted(line.split()[3] for line in shown.splitlines())


def bindings(cloud: Cloud, name: str) -> dict[str, str]:
    found = cloud.api("GET", f"/v2.0/overlace/bindings?port_id={cloud.ports[name]['id']}")["bindings"]
    return {each["host_id"]: each["state"] for each in found if each["state"] != "releasing"}


def receipts(cloud: Cloud, name: str) -> list[dict[str, Any]]:
    found = cloud.api("GET", f"/v2.0/overlace/moves?port_id={cloud.ports[name]['id']}")["moves"]
    return sorted(found, key=lambda each: int(each["generation"]), reverse=True)


STEPS = ("queued", "preparing", "seeding", "copying", "transferring", "switching", "finishing", "closed")


def reached(cloud: Cloud, made: dict[str, Any], step: str) -> bool:
    """At it, or past it: some last a moment only."""
    return STEPS.index(shown(cloud, made)["step"]) >= STEPS.index(step)


def test_a_guest_moves_with_its_sessions_and_its_disk_and_nothing_else_comes_in(cloud: Cloud) -> None:
    peer, guests = cloud.namespace("red4"), Guests.of(cloud.lab)
    until(lambda: addresses(cloud, IS_TOLD) == sorted(TOLD), f"it has {addresses(cloud, IS_TOLD)} only", 30)
    with (
        Session(cloud.lab, "red4", "192.168.0.11") as session,
        Session(cloud.lab, "red4", "fd02::b") as other,
        SilentSessions(guests, "red1", peer, ("192.168.0.14", "fd02::e"), each=10) as silent,
        Knocking(peer, "192.168.0.11") as knocking,
        Knocking(peer, "fd02::b") as knocking_too,
    ):
        assert silent.arrive() == 20
        before = verified(cloud, "red1")
        done = ended(cloud, begin(cloud, machine_id="red1", to_site="site-b"))
        assert done["state"] == "done", done["reason"]
        assert done["to_host"] == "h3"
        assert verified(cloud, "red1") >= before > 0
        assert silent.arrive() == 20
        assert session.goes_on(beats=20)
        assert other.goes_on(beats=20)
        assert addresses(cloud, IS_TOLD) == sorted(TOLD)
        # and the switch at its new host hands its questions over as the old one did
        lease = guests.command(IS_TOLD, ["sh", "-c", ASKS_AGAIN]).stdout
        assert "ip=192.168.0.11" in lease
        assert addresses(cloud, IS_TOLD) == sorted(TOLD)
        assert session.goes_on(beats=20)
        assert other.goes_on(beats=20)
    assert min(knocking.attempts, knocking_too.attempts) > 20
    assert (knocking.opened, knocking_too.opened) == (0, 0)
    assert bindings(cloud, "red1") == {"h3": "active"}
    receipt = receipts(cloud, "red1")[0]
    assert (receipt["to_host"], receipt["event"], receipt["machine_id"]) == ("h3", "pre-switchover", "red1")
    assert receipt["copied_bytes"] > 10 << 20
    assert 0 < receipt["stop_ms"] < 10_000


def test_a_move_that_is_aborted_leaves_the_guest_as_it_was_and_nothing_at_the_other_host(
    cloud: Cloud,
) -> None:
    guests = Guests.of(cloud.lab)
    with (
        Session(cloud.lab, "red4", "192.168.0.11") as session,
        Session(cloud.lab, "red4", "fd02::b") as other,
    ):
        for step in ("preparing", "seeding", "transferring"):
            made = begin(cloud, machine_id="red1", to_host="h1", bandwidth_mbit=40)
            until(partial(reached, cloud, made, step), f"never {step}: {shown(cloud, made)}", 60)
            cloud.api("POST", f"{PROCEDURES}/{made['id']}/abort")
            assert ended(cloud, made)["state"] == "aborted", (step, shown(cloud, made))
            assert session.goes_on(beats=20), step
            assert other.goes_on(beats=20), step
            assert bindings(cloud, "red1") == {"h3": "active"}
            assert guests.run_state("red1") == "running"
            # then there is neither a guest at the destination, nor its disk, nor its interface, nor a flow of its port
            assert not guests.place("red1", "h1").directory.exists(), step
            key = cloud.ports["red1"]["id"]
            interfaces = ["ovs-vsctl", "--bare", "--columns=name", "find", "Interface"]
            assert not cloud.lab.host_run(
                "h1", [*interfaces, f"external_ids:iface-id={key}"]
            ).stdout.strip(), step
            until(lambda: not cloud.behind(), "switches are behind", 10)
            assert all(cloud.as_planned(host) for host in ("h1", "h3")), step
    assert verified(cloud, "red1") > 0


def test_a_site_is_evacuated_by_controllers_that_are_killed_at_one_step_after_another(cloud: Cloud) -> None:
    peer = cloud.namespace("red4")
    with (
        Session(cloud.lab, "red4", "192.168.0.11") as one,
        Session(cloud.lab, "red4", "fd00::c") as two,
        Asking(peer, "192.168.0.12") as asking,
    ):
        assert asking.answered()
        made = begin(cloud, kind="evacuation", from_site="site-b", to_site="site-a")
        move = next(each for each in made["moves"] if each["machine_id"] == "red2")
        for step in ("preparing", "seeding", "transferring", "finishing"):
            until(partial(reached, cloud, move, step), f"never {step}: {shown(cloud, move)}", 60)
            cloud.kill()
            cloud.start()
        assert ended(cloud, made, 200)["state"] == "done", shown(cloud, made)["reason"]
        assert one.goes_on(beats=20)
        assert two.goes_on(beats=20)
        assert asking.answered()
    assert min(verified(cloud, name) for name in GUESTS) > 0
    machines = cloud.api("GET", "/v2.0/overlace/machines")["machines"]
    assert {cloud.lab.host(each["host_id"]).site for each in machines} == {"site-a"}
    assert all(set(bindings(cloud, name).values()) == {"active"} for name in GUESTS)


def replica(cloud: Cloud, name: str) -> dict[str, Any]:
    found: dict[str, Any] = cloud.api("GET", f"/v2.0/overlace/replicas/{name}")["replica"]
    return found


def test_a_guest_whose_host_is_dead_starts_on_its_replica_and_the_old_one_is_fenced(cloud: Cloud) -> None:
    home = next(iter(bindings(cloud, "red1")))
    cloud.api("POST", "/v2.0/overlace/replicas", {"replica": {"id": "red1", "host_id": "h3", "every": 5}})
    until(lambda: replica(cloud, "red1")["whole"] >= 2, "no second round", 60)
    kept = replica(cloud, "red1")
    assert (kept["promise_kept"], kept["problem"]) == (True, "")
    for link in (f"uplink-{home}", f"mgmt-{home}"):
        cloud.lab.cut(link)  # the guest there runs on, and nobody hears it
    until(lambda: not heard(cloud, home), f"{home} is still heard", 60)
    guests = Guests.of(cloud.lab)
    until(lambda: replica(cloud, "red1")["state"] != "merging", "it is not put together", 30)
    assert writes_on(guests.place("red1", "h3").disk) > 100
    made = begin(cloud, kind="rescue", machine_id="red1", host_is_dead=True)
    until(lambda: reached(cloud, made, "finishing"), f"{shown(cloud, made)}", 60)
    done = shown(cloud, made)
    assert done["to_host"] == "h3"
    assert done["data_as_of"] >= kept["as_of"]
    assert 0 < done["recovery_s"] < 60
    assert verified(cloud, "red1") > 0
    with Session(cloud.lab, "red4", "192.168.0.11") as session:
        for link in (f"uplink-{home}", f"mgmt-{home}"):
            cloud.lab.heal(link)
        assert ended(cloud, made)["state"] == "done"
        assert guests.run_state("red1", home) == "stopped"
        assert session.goes_on(beats=20)
    assert bindings(cloud, "red1") == {"h3": "active"}


def heard(cloud: Cloud, host: str) -> bool:
    return any(each["alive"] for each in cloud.api("GET", f"/v2.0/agents?host={host}")["agents"])
