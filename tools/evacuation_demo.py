"""`make demo-evacuation`: a site with eight real machines is evacuated by one command, while the controller is killed
at one step of the moves after another; every service answers at the other site, and no session is broken.

Prints the dry run, what comes, and a summary; writes build/evacuation.json. GUESTS=2 in the environment makes it short.
"""

import json
import os
import re
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tools.cloud import ROOT, Cloud, until
from tools.guest_session import GuestSession
from tools.migration_demo import PROCEDURES, mac, movers
from tools.stateful_sessions import Asking

from overlace.lab.guests.guests import Guests
from overlace.lab.lab import Lab

GUESTS = 8
HERE, THERE, PEER_HOST = ("h1", "h2"), "site-b", "h4"
PEER_NAME, PEER_OCTET, FIRST_OCTET = "red1", 11, 21
ONE_WAY_MS = 25.0
LIMITS = {"host": 2, "link": 4}
"""What the controller allows where nobody says otherwise."""
KILLED_AT = ("preparing", "seeding", "transferring", "switching", "finishing")
STEPS = ("queued", "preparing", "seeding", "copying", "transferring", "switching", "finishing", "closed")
PATIENCE = 1200.0


def furnish(cloud: Cloud, count: int) -> list[str]:
    """A peer at the other site, and the guests; their names."""
    cloud.tenant("red")
    reachable = cloud.group("reachable", "red", ("tcp", 0), ("udp", 0), ("icmp", 0))
    cloud.workload(
        PEER_NAME, PEER_HOST, PEER_OCTET, cloud.port(PEER_NAME, PEER_OCTET, security_groups=[reachable])["id"]
    )
    group = cloud.group("served", "red", ("tcp", 5000), ("udp", 5001))
    names = []
    for number in range(count):
        octet = FIRST_OCTET + number
        name, host = f"red{octet}", HERE[number % len(HERE)]
        port = cloud.port(name, octet, device_id=name, security_groups=[group])
        Guests.of(cloud.lab).create(
            name,
            host,
            mac=mac(octet),
            iface_id=port["id"],
            addresses=(f"{address_of(name)}/24",),
            disk="4M",
            writer=100,
        )
        machine = {"id": name, "host_id": host, "project_id": "red", "own_disks": True}
        cloud.api("POST", "/v2.0/overlace/machines", {"machine": machine})
        names.append(name)
        print(f"{name} runs at {host}", file=sys.stderr)
    until(lambda: all(cloud.status(name) == "ACTIVE" for name in names), "ports stay down", 60)
    cloud.lab.wan(delay_ms=ONE_WAY_MS)
    return names


def address_of(name: str) -> str:
    """A guest's address, by its name."""
    return f"192.168.0.{name.removeprefix('red')}"


def evacuate(cloud: Cloud, names: list[str], kill_at: tuple[str, ...] = KILLED_AT) -> dict[str, Any]:
    """One command, with the controller killed at each step that a move reaches first."""
    peer, guests = cloud.namespace(PEER_NAME), Guests.of(cloud.lab)
    sessions = {name: GuestSession(peer, address_of(name)) for name in names}
    wish = {"kind": "evacuation", "from_site": "site-a", "to_site": THERE}
    dry = cloud.api("POST", PROCEDURES, {"procedure": wish | {"dry_run": True}})["procedure"]
    print(
        "dry run:",
        ", ".join(f"{each['machine_id']} {each['from_host']} -> {each['to_host']}" for each in dry["moves"]),
    )
    assert not cloud.api("GET", PROCEDURES)["procedures"], "a dry run does nothing"
    began = time.monotonic()
    made = cloud.api("POST", PROCEDURES, {"procedure": wish})["procedure"]
    killed: list[str] = []
    most, told = {"host": 0, "link": 0}, 0
    while True:
        moves = moves_of(cloud, made["id"])
        busiest(moves, most)
        done = [each for each in moves if each["state"] != "running"]
        if len(done) > told:
            told = len(done)
            print(f"{time.monotonic() - began:6.1f} s  {told} of {len(moves)} moved", flush=True)
        if told == len(moves) or time.monotonic() - began > PATIENCE:
            break
        step = kill_at[len(killed)] if len(killed) < len(kill_at) else ""
        if step and any(STEPS.index(each["step"]) >= STEPS.index(step) for each in moves):
            cloud.kill()
            cloud.start()
            killed.append(step)
            print(
                f"{time.monotonic() - began:6.1f} s  controller killed at {step}, and another started",
                flush=True,
            )
        time.sleep(0.1)
    seconds = round(time.monotonic() - began, 1)
    return {
        "machines": len(names),
        "seconds": seconds,
        "states": sorted(each["state"] for each in moves),
        "planned": sorted((each["machine_id"], each["to_host"]) for each in dry["moves"])
        == sorted((each["machine_id"], each["to_host"]) for each in moves),
        "controller_killed_at": killed,
        "most_at_a_time": most,
        "sessions_intact": sum(session.intact(30) for session in sessions.values()),
        "answering": sum(answers(peer, name) for name in names),
        "disks_verified": sum(disk_verified(guests, name) for name in names),
        "at_the_other_site": sum(
            cloud.lab.host(each["host_id"]).site == THERE
            for each in cloud.api("GET", "/v2.0/overlace/machines")["machines"]
        ),
        "faults": sorted(f"{name}: {session.fault}" for name, session in sessions.items() if session.fault),
    }


def moves_of(cloud: Cloud, evacuation: str) -> list[dict[str, Any]]:
    """The moves of an evacuation, as they stand."""
    found = cloud.api("GET", PROCEDURES)["procedures"]
    return [each for each in found if each["parent"] == evacuation]


def busiest(moves: list[dict[str, Any]], most: dict[str, int]) -> None:
    """Note how many moves there are at a time."""
    under_way = [each for each in moves if each["step"] not in ("queued", "closed")]
    places = [host for each in under_way for host in (each["from_host"], each["to_host"])]
    most["host"] = max([most["host"], *(places.count(host) for host in places)])
    most["link"] = max(most["link"], len(under_way))


def answers(peer: str, name: str) -> bool:
    """Whether a guest's service answers its peer."""
    with Asking(peer, address_of(name)) as asking:
        return asking.answered(30)


def disk_verified(guests: Guests, name: str) -> bool:
    """Whether the guest's disk holds all that it ever wrote."""
    told = guests.command(name, ["nc", "127.0.0.1", "5002"], timeout=60).stdout
    found = re.search(r"blocks=(\d+) writes=\d+ wrong=(\d+)", told)
    return found is not None and int(found[1]) > 0 and int(found[2]) == 0


def broken(figures: dict[str, Any], count: int, kill_at: tuple[str, ...] = KILLED_AT) -> list[str]:
    """The promises that the figures do not keep."""
    kept = {
        "the dry run says what then happens": figures["planned"],
        "every move is done": figures["states"] == ["done"] * count,
        "every machine is at the other site": figures["at_the_other_site"] == count,
        "every service answers there": figures["answering"] == count,
        "every session outlives the evacuation": figures["sessions_intact"] == count,
        "every disk holds what was written": figures["disks_verified"] == count,
        "the controller is killed at each step": figures["controller_killed_at"] == list(kill_at),
        "no limit is passed": all(figures["most_at_a_time"][each] <= LIMITS[each] for each in LIMITS),
    }
    return [promise for promise, holds in kept.items() if not holds]


def main() -> int:
    """Run it all; exit 0 when every figure is as promised."""
    count = int(os.environ.get("GUESTS") or GUESTS)
    directory = Path(tempfile.mkdtemp(prefix="overlace-evacuation-"))
    Lab.remove("evacuation")
    cloud = Cloud(Lab.up(None, "evacuation"), directory)
    try:
        cloud.serve_options = movers(cloud.lab)
        cloud.start()
        cloud.join_hosts()
        figures = evacuate(cloud, furnish(cloud, count))
    finally:
        cloud.kill()
        cloud.lab.down()
    (ROOT / "build").mkdir(exist_ok=True)
    (ROOT / "build/evacuation.json").write_text(json.dumps(figures, indent=1) + "\n")
    shutil.rmtree(directory)
    print("  ".join(f"{key} {value}" for key, value in figures.items()))
    wrong = broken(figures, count)
    print(f"NOT as promised: {'; '.join(wrong)}" if wrong else "all as promised", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
