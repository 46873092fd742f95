"""`make demo-hosts`: Overlace comes to two hosts whose guests are at work, has its accidents, and leaves.

Guests `plain1` and `plain2` stay on a VLAN of their own bridge throughout; `one` and `two` move over, one by one,
into a network that is bridged to that VLAN; `late` is younger than the backup. In every step 5 ms echo streams run,
and what they lose is counted. Writes build/hosts.json.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tools.cloud import BRIDGE, OFCTL, ROOT, Cloud, host_names, until
from tools.echo_stream import EchoStream
from tools.host_state import State, state_of

from overlace.app.clock import SystemClock
from overlace.cli.join import Place, leave_script, renewal_script
from overlace.compiler.pipeline import PIPELINE_VERSION, Cookie, CookieClass, Table
from overlace.lab.lab import Lab
from overlace.lab.topology import Link, Site, Topology
from overlace.pki.issuer import TOKEN_LIFETIME, Issuer

PLAIN, VLAN = "br-plain", 100
OCTETS = {"plain1": 51, "plain2": 52, "one": 11, "two": 12, "late": 13}
PLACES = {"plain1": "h1", "plain2": "h2", "one": "h1", "two": "h2", "late": "h1"}
TWO_HOSTS = Topology(
    sites=(Site("site-a", ("h1", "h2"), ipv4="10.1.0.0/24"),), underlay="ipv4", links=(Link(("h1", "h2")),)
)
PROMISED: dict[str, object] = {
    "differences_when_observed": 0,
    "newer_than_the_backup": [["192.168.0.13"]],
    "versions_after_the_upgrade": [1],
    "versions_after_the_roll_back": [0],
    "authorities": [2],
    "database_as_before": True,
}
"""The facts that hold whatever else the machine has to do."""


class Hosts:
    """The two hosts, their guests, and what was lost in each step."""

    def __init__(self, cloud: Cloud, *, watched: bool = True) -> None:
        """Without being watched, nothing is lost and no time is taken."""
        self.watched = watched
        self.cloud = cloud
        self.lab = cloud.lab
        self.streams: list[tuple[str, str]] = [("plain1", "plain2")]
        self.lost: dict[str, int] = {}
        self.facts: dict[str, Any] = {}

    def step(self, name: str, seconds: float, work: Callable[[], object]) -> None:
        """Do it under traffic, `seconds` being enough for it."""
        running = [
            EchoStream(self.cloud.namespace(source), f"192.168.0.{OCTETS[target]}", seconds)
            for source, target in self.streams
            if self.watched
        ]
        work()
        self.lost[name] = sum(each.outcome().lost for each in running)
        print(f"{name:28} {self.lost[name]} of {len(running)} streams' packets lost", flush=True)

    def overlace(self, *arguments: str) -> Any:
        """The command line, as the operator of the controller's machine would; its JSON."""
        command = ["ip", "netns", "exec", self.lab.controller_namespace, f"{ROOT}/.venv/bin/overlace"]
        done = subprocess.run([*command, *arguments, "--json"], capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"overlace {' '.join(arguments)}: {done.stdout}{done.stderr}")
        return json.loads(done.stdout)

    def at_work(self) -> None:
        """What is there before: a bridge with guests in a VLAN, which a cable of its own carries to the other host."""
        for host in host_names(self.lab):
            bridge = ["add-br", PLAIN, "--", "set", "bridge", PLAIN, "datapath_type=netdev"]
            (cable,) = self.lab.link_interfaces(host).values()
            self.lab.host_run(host, ["ovs-vsctl", *bridge, "--", "add-port", PLAIN, cable])
        for name in ("plain1", "plain2", "one", "two"):
            self.guest(name, PLAIN, name)

    def guest(self, name: str, bridge: str, iface_id: str) -> None:
        octet = OCTETS[name]
        mac, address = f"02:00:00:00:00:{octet:02x}", f"192.168.0.{octet}/24"
        self.lab.attach(PLACES[name], name, mac=mac, iface_id=iface_id, ips=[address], bridge=bridge)
        if bridge == PLAIN:
            self.lab.host_run(PLACES[name], ["ovs-vsctl", "set", "port", self.interface(name), f"tag={VLAN}"])

    def phases(self) -> dict[str, str]:
        shown = self.cloud.api("GET", "/v2.0/overlace/status")["status"]["switches"]
        return {name: str(each["phase"]) for name, each in shown.items()}

    def until_all(self, phase: str) -> None:
        until(lambda: set(self.phases().values()) == {phase}, f"hosts are not {phase}: {self.phases()}", 30)

    def into_the_overlay(self, name: str) -> None:
        """Re-plug a guest: its interface from the one bridge to the other, in one transaction."""
        interface = self.interface(name)
        port = self.cloud.ports[name]["id"]
        move = ["del-port", PLAIN, interface, "--", "add-port", BRIDGE, interface]
        say = ["--", "set", "interface", interface, f"external_ids:iface-id={port}"]
        self.lab.host_run(PLACES[name], ["ovs-vsctl", *move, *say])

    def interface(self, name: str) -> str:
        find = ["ovs-vsctl", "--bare", "--columns=name", "find", "interface", f"external_ids:vm-id={name}"]
        return self.lab.host_run(PLACES[name], find).stdout.strip()

    def active(self, *names: str) -> None:
        until(
            lambda: all(self.cloud.status(name) == "ACTIVE" for name in names), f"{names} are not ACTIVE", 20
        )


def come(hosts: Hosts) -> None:
    """Join, look, re-plug."""
    cloud = hosts.cloud

    def join() -> None:
        cloud.start()
        cloud.join_hosts()

    hosts.step("join", 12, join)
    hosts.step("observe and back", 5, lambda: _observe(hosts))
    hosts.overlace("host", "set", "h1", "--physical-network", f"rack={PLAIN}")
    vlan = {"network_type": "vlan", "physical_network": "rack", "segmentation_id": VLAN}
    cloud.tenant("one", **{f"provider:{word}": value for word, value in vlan.items()})
    cloud.networks["two"] = cloud.networks["one"]
    # one by one: the other is still on the VLAN, and later in the overlay
    hosts.facts["lost_by_the_replugged_guest"] = [move_over(hosts, name) for name in ("one", "two")]
    hosts.streams.append(("one", "plain2"))
    hosts.streams.append(("one", "two"))


def move_over(hosts: Hosts, name: str) -> int:
    """Re-plug a guest; what is lost of what it says to the other, and to one that stays on the VLAN."""
    other = {"one": "two", "two": "one"}[name]
    seconds = 6 if hosts.watched else 0.1
    own = [
        EchoStream(hosts.cloud.namespace(name), f"192.168.0.{OCTETS[target]}", seconds)
        for target in (other, "plain2")
    ]

    def move() -> None:
        _port(hosts.cloud, name)
        hosts.into_the_overlay(name)
        hosts.active(name)

    hosts.step(f"{name} moves over: the others", 6, move)
    return max(each.outcome().lost for each in own)


def accidents(hosts: Hosts) -> None:
    """The disk goes, an empty database starts, yesterday's backup comes back."""
    cloud, directory = hosts.cloud, hosts.cloud.directory
    database, archive = f"{directory}/overlace.db", f"{directory}/backup.tar"
    hosts.step("backup", 4, lambda: hosts.overlace("backup", archive, "--database", database))
    cloud.networks["late"] = cloud.networks["one"]
    _port(cloud, "late")
    hosts.guest("late", BRIDGE, cloud.ports["late"]["id"])
    hosts.active("late")
    hosts.streams.append(("late", "two"))
    hosts.step("a guest after the backup", 4, lambda: None)

    def lose_the_disk() -> None:
        cloud.kill()
        for file in directory.glob("overlace.db*"):
            file.unlink()

    hosts.step("database deleted", 4, lose_the_disk)
    hosts.step("empty database", 12, lambda: _start_empty(hosts))

    def put_back() -> None:
        cloud.kill()
        hosts.overlace("restore", archive, "--database", database)
        cloud.start()
        hosts.until_all("held")

    hosts.step("backup restored", 12, put_back)
    unknown = hosts.overlace("recover", "h1")
    hosts.facts["newer_than_the_backup"] = [each["fixed_ips"] for each in unknown]

    def adopt() -> None:
        hosts.overlace("recover", "h1", "--all")
        for host in host_names(hosts.lab):
            hosts.overlace("adopt", host, "--yes")
        hosts.until_all("in_sync")

    hosts.step("recovered and adopted", 8, adopt)
    hosts.active("one", "two", "late")


def upgrade(hosts: Hosts) -> None:
    """The next release takes over, and this one again: each writes every flow anew, for the version in its cookies."""
    cloud = hosts.cloud
    following = next_release(cloud.directory / "next")

    def change(release: Path | None) -> None:
        cloud.kill()
        cloud.release = release
        cloud.start()
        hosts.until_all("in_sync")

    hosts.step("upgraded", 10, lambda: change(following))
    hosts.facts["versions_after_the_upgrade"] = versions(hosts)
    hosts.step("rolled back", 10, lambda: change(None))
    hosts.facts["versions_after_the_roll_back"] = versions(hosts)


def next_release(directory: Path) -> Path:
    """This release in all but the version of its pipeline, and its tables, all of which mean something else."""
    shutil.copytree(ROOT / "src/overlace", directory / "overlace")
    file = directory / "overlace/compiler/pipeline.py"
    present = f"PIPELINE_VERSION = {PIPELINE_VERSION}\n"
    text = file.read_text()
    if present not in text:
        raise SystemExit(f"{file} does not say {present.strip()}")
    text = text.replace(present, f"PIPELINE_VERSION = {PIPELINE_VERSION + 1}\n")
    for table in set(Table) - {Table.CLASSIFY, Table.MARKER}:
        # the first table has to stay so; all others come to be where another was, or none
        text = text.replace(f"    {table.name} = {table}\n", f"    {table.name} = {table + 1}\n")
    file.write_text(text)
    return directory


def versions(hosts: Hosts) -> list[int]:
    """The pipeline versions, beyond the present one, of all flows of all hosts."""
    found: set[int] = set()
    for host in host_names(hosts.lab):
        dump = hosts.lab.host_run(host, [*OFCTL, "--no-stats", "dump-flows", BRIDGE]).stdout
        for cookie in re.findall(r"cookie=(0x[0-9a-f]+)", dump):
            parsed = Cookie.parse(int(cookie, 16))
            if parsed is not None and parsed.cookie_class is not CookieClass.LEARNED:
                found.add(parsed.version - PIPELINE_VERSION)
    return sorted(found)


def renew(hosts: Hosts) -> None:
    """A new authority, from which both hosts get new keys and certificates; then one of these is revoked, and its host
    joins anew."""
    directory = hosts.cloud.directory / "pki"
    places = {
        host: Place(host, hosts.lab.controller_address, BRIDGE, "netdev") for host in host_names(hosts.lab)
    }

    def pki(*words: str) -> Any:
        return hosts.overlace("pki", *words, "--pki", str(directory))

    def roll_over() -> None:
        pki("rollover", "begin")
        issuer = Issuer.open(directory, SystemClock())
        for host, place in places.items():
            hosts.lab.host_run(host, ["sh", "-c", renewal_script(place, issuer, TOKEN_LIFETIME)])
        pki("rollover", "finish")

    def revoke() -> None:
        pki("revoke", "h2")
        until(lambda: not hosts.cloud.switch("h2"), "h2 stays connected", 20)
        hosts.cloud.join(places["h2"])
        hosts.until_all("in_sync")

    hosts.step("authority and keys renewed", 8, roll_over)
    hosts.facts["authorities"] = sorted(
        {each["authority"] for each in pki("list") if each["subject"][:5] == "host:"}
    )
    hosts.step("revoked and joined anew", 12, revoke)


def go(hosts: Hosts, before: State) -> None:
    """Host h2 leaves; its guests of the overlay have gone, those of its own bridge stay."""
    hosts.streams = [("plain1", "plain2")]
    hosts.lab.detach("two")
    until(lambda: hosts.cloud.status("two") == "DOWN", "the port outlives its guest", 10)

    def leave() -> None:
        hosts.lab.host_run("h2", ["sh", "-c", leave_script("h2")])
        hosts.overlace("host", "remove", "h2")

    hosts.step("host removed", 5, leave)
    after = state_of(hosts.lab, "h2")
    hosts.facts["database_as_before"] = after == before
    hosts.facts["rows_compared"] = sum(map(len, before.values()))
    for table in sorted(each for each in before | after if before.get(each) != after.get(each)):
        print(f"{table} before: {before.get(table)}\n{table} after:  {after.get(table)}", file=sys.stderr)


def _port(cloud: Cloud, name: str) -> None:
    port = {
        "name": name,
        "network_id": cloud.networks[name],
        "project_id": "one",
        "mac_address": f"02:00:00:00:00:{OCTETS[name]:02x}",
        "fixed_ips": [{"ip_address": f"192.168.0.{OCTETS[name]}"}],
    }
    cloud.ports[name] = cloud.api("POST", "/v2.0/ports", {"port": port})["port"]


def _observe(hosts: Hosts) -> None:
    hosts.overlace("observe")
    hosts.until_all("held")
    hosts.facts["differences_when_observed"] = sum(
        each[what] for each in hosts.overlace("diff") for what in ("missing", "changed", "foreign")
    )
    hosts.overlace("observe", "--off")
    hosts.until_all("in_sync")


def _start_empty(hosts: Hosts) -> None:
    hosts.cloud.start()
    hosts.cloud.declare_hosts()
    hosts.until_all("held")


def main() -> int:
    """Run it all; exit 0 when every figure is as promised."""
    directory = Path(tempfile.mkdtemp(prefix="overlace-hosts-"))
    name = os.environ.get("LAB", "hosts")
    Lab.remove(name)
    lab = Lab.up(TWO_HOSTS, name)
    cloud = Cloud(lab, directory)
    hosts = Hosts(cloud)
    try:
        live(hosts)
    finally:
        cloud.kill()
        lab.down()
    shutil.rmtree(directory)
    results = {"interval_ms": 5, "lost": hosts.lost, **hosts.facts}
    (ROOT / "build").mkdir(exist_ok=True)
    (ROOT / "build/hosts.json").write_text(json.dumps(results, indent=1) + "\n")
    print(json.dumps(hosts.facts))
    good = not any(hosts.lost.values()) and hosts.facts.items() >= PROMISED.items()
    print("all as promised" if good else "NOT as promised", file=sys.stderr)
    return 0 if good else 1


def live(hosts: Hosts) -> None:
    """From the day before Overlace came to the day after it left."""
    hosts.at_work()
    hosts.step("before", 4, lambda: None)
    before = without_guest(hosts)
    come(hosts)
    accidents(hosts)
    upgrade(hosts)
    renew(hosts)
    go(hosts, before)


def without_guest(hosts: Hosts) -> State:
    """The database of h2 as it is without the guest that will be gone at the end."""
    hosts.lab.detach("two")
    before = state_of(hosts.lab, "h2")
    hosts.guest("two", PLAIN, "two")
    return before


if __name__ == "__main__":
    sys.exit(main())
