"""Given a real machine in the laboratory, when it moves across the wide-area network, then its session goes
on, its disk holds what it wrote, and nothing of it stays where it was."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.lab.guests.session import Session
from tests.lab.names import unused_name
from tests.lab.overlay import join_by_hand, mac
from tests.lab.residue import NOTHING, residue

from overlace.lab.errors import CommandFailed, LabError
from overlace.lab.guests.commands import vm
from overlace.lab.guests.guests import Guests
from overlace.lab.guests.launcher import answer
from overlace.lab.guests.migration import move
from overlace.lab.guests.place import BLOCK_NODE
from overlace.lab.lab import Lab
from overlace.orchestration.launcher import Place

pytestmark = pytest.mark.lab
HOSTS = ("h1", "h2", "h3")


@pytest.fixture(scope="module")
def lab(base: Path) -> Iterator[Lab]:
    """A laboratory with a guest, `web` at h1, and a workload that talks to it, `peer` at h2."""
    name = unused_name()
    with Lab.up(name=name, base=base) as running:
        join_by_hand(running, *HOSTS)
        running.attach("h2", "peer", mac=mac(2), iface_id="peer", ips=["192.168.0.2/24", "fd00::2/64"])
        addresses = ("192.168.0.1/24", "fd00::1/64")
        Guests.of(running).create(
            "web", "h1", mac=mac(1), iface_id="web", addresses=addresses, disk="4M", writer=20
        )
        yield running
    assert residue(name, base) == NOTHING


def interfaces(lab: Lab, host: str) -> str:
    """The interfaces of the guest's port at a host."""
    command = ["ovs-vsctl", "--bare", "--columns=name", "find", "interface", "external_ids:iface-id=web"]
    return lab.host_run(host, command).stdout.strip()


def verified(lab: Lab) -> int:
    """How many blocks the guest has on its disk, all as it wrote them."""
    told = Guests.of(lab).command("web", ["nc", "127.0.0.1", "5002"]).stdout
    found = re.search(r"blocks=(\d+) writes=\d+ wrong=(\d+)", told)
    assert found is not None, told
    assert int(found[2]) == 0
    return int(found[1])


def test_a_destination_that_cannot_be_reached_leaves_the_guest_where_it_is(lab: Lab) -> None:
    with Session(lab, "peer", "192.168.0.1") as session:
        lab.cut("wan")
        try:
            with pytest.raises(LabError, match=r"10\.2\.0\.1 does not answer"):
                move(Guests.of(lab), "web", "h3")
        finally:
            lab.heal("wan")
        assert session.goes_on(beats=20)
    assert Guests.of(lab).get("web").receiving is None
    assert Guests.of(lab).run_state("web") == "running"
    assert interfaces(lab, "h3") == ""
    assert not Guests.of(lab).place("web", "h3").directory.exists()


def test_a_guest_moves_and_its_sessions_and_disk_come_along(lab: Lab) -> None:
    lab.wan(delay_ms=5)
    with Session(lab, "peer", "192.168.0.1") as session, Session(lab, "peer", "fd00::1") as other:
        before = verified(lab)
        moved = move(Guests.of(lab), "web", "h3")
        assert (moved.source, moved.destination) == ("h1", "h3")
        assert moved.memory_bytes > 10 << 20
        assert moved.disk_bytes > 0
        assert 0 < moved.stop_ms < 10_000
        assert verified(lab) >= before > 0
        assert session.goes_on(beats=20)
        assert other.goes_on(beats=20)
        assert Guests.of(lab).run_state("web") == "running"
        assert not Guests.of(lab).place("web", "h1").directory.exists()
        assert interfaces(lab, "h1") == ""
    assert "0% packet loss" in lab.exec("peer", ["ping", "-c", "2", "-i", "0.2", "192.168.0.1"]).stdout


def test_a_controller_starts_and_ends_machines_by_the_launcher(lab: Lab) -> None:
    guests = Guests.of(lab)
    assert answer(guests, "find", "web", "h1") == {}
    place = answer(guests, "receive", "web", "h1")
    assert place == Place(str(guests.place("web", "h1").qmp), lab.host("h1").endpoints[0], (BLOCK_NODE,))
    assert answer(guests, "receive", "web", "h1") == place == answer(guests, "find", "web", "h1")
    assert guests.run_state("web", "h1") == "inmigrate"
    with pytest.raises(LabError, match="is about to move to h1"):
        guests.receive("web", "h2")
    for _ in range(2):
        assert answer(guests, "remove", "web", "h1") == {}
    assert answer(guests, "find", "web", "h1") == {}
    assert interfaces(lab, "h3") != ""
    with pytest.raises(LabError, match="is at h3 already"):
        move(guests, "web", "h3")


def test_programs_run_in_the_guest_without_its_network(lab: Lab) -> None:
    done = Guests.of(lab).command("web", ["sh", "-c", "echo 'two words'; exit 3"], check=False)
    assert (done.status, done.stdout) == (3, "two words\n")
    with pytest.raises(CommandFailed, match="status 1"):
        Guests.of(lab).command("web", ["false"])


def test_a_guest_is_seen_and_used_from_the_command_line(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OVERLACE_LAB_DIR", str(lab.directory.parent))

    def shell(*arguments: str) -> str:
        command, *rest = arguments
        result = CliRunner().invoke(vm, [command, "--name", lab.name, *rest])
        assert result.exit_code == 0, result.output
        return result.output

    assert "running" in shell("list")
    assert json.loads(shell("list", "--json"))[0]["states"] == {"h3": "running"}
    assert shell("console", "web", "--", "hostname") == "web\n"


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"memory": 16}, "choose 80 or more"),
        ({"disk": "many"}, "like 128M"),
        ({"mac": "01:00:5e:00:00:01"}, "not a unicast MAC"),
        ({"addresses": ("192.168.0.9",)}, "has no prefix length"),
        ({"dirtier": (90, 5)}, "at most half of its memory"),
        ({"writer": -1}, "writer's interval"),
        ({"name": "peer"}, "'peer' is in use"),
        ({"name": "h1"}, "not the name of a host"),
        ({"host": "t9"}, "no host is called 't9'"),
        ({"bridge": "br-none"}, "join the host to the controller first"),
    ],
)
def test_what_cannot_be_is_refused_and_leaves_nothing(
    lab: Lab, wrong: dict[str, object], complaint: str
) -> None:
    wanted: dict[str, object] = {"name": "bad", "host": "h1", "mac": mac(9), "iface_id": "bad"} | wrong
    with pytest.raises(LabError, match=complaint):
        Guests.of(lab).create(**wanted)  # type: ignore[arg-type]
    assert [guest.name for guest in Guests.of(lab).all] == ["web"]


def test_a_removed_guest_leaves_nothing(lab: Lab) -> None:
    directory = Guests.of(lab).place("web").directory
    Guests.of(lab).remove("web")
    assert Guests.of(lab).all == ()
    assert not directory.exists()
    assert interfaces(lab, "h3") == ""
    with pytest.raises(LabError, match="no guest is called 'web'"):
        Guests.of(lab).remove("web")
