"""`make demo-rescue`: a real machine's disk is kept replicated at the other site, 50 ms away; its host is cut off, and
the machine starts at the other site from its last replicated disk. When the old host returns, its guest is fenced.

Prints what comes and a summary with recovery point and recovery time; writes build/rescue.json.
"""

import json
import re
import shutil
import sys
import tempfile
import threading
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from tools.cloud import ROOT, Cloud, until
from tools.evacuation_demo import address_of, answers
from tools.guest_session import GuestSession
from tools.migration_demo import PROCEDURES, mac, movers
from tools.written_disk import newest_write_on, writes_on

from overlace.lab.guests.guests import Guests
from overlace.lab.lab import Lab

HOME, AWAY, PEER_HOST = "h1", "h3", "h4"
NAME, OCTET, PEER, PEER_OCTET = "red21", 21, "red1", 11
ONE_WAY_MS = 25.0
EVERY = 10
"""Seconds that the replica may be old."""
WATCHED = 60.0
"""Seconds for which its age is watched."""
FENCED_FOR = 5.0
REPLICA = f"/v2.0/overlace/replicas/{NAME}"


def furnish(cloud: Cloud) -> None:
    """A peer at the other site, and the machine, whose guest writes to its disk all the time."""
    cloud.tenant("red")
    reachable = cloud.group("reachable", "red", ("tcp", 0), ("udp", 0), ("icmp", 0))
    port = cloud.port(PEER, PEER_OCTET, security_groups=[reachable])
    cloud.workload(PEER, PEER_HOST, PEER_OCTET, port["id"])
    served = cloud.group("served", "red", ("tcp", 5000), ("udp", 5001))
    port = cloud.port(NAME, OCTET, device_id=NAME, security_groups=[served])
    Guests.of(cloud.lab).create(
        NAME,
        HOME,
        mac=mac(OCTET),
        iface_id=port["id"],
        addresses=(f"{address_of(NAME)}/24",),
        disk="64M",
        writer=20,
    )
    machine = {"id": NAME, "host_id": HOME, "project_id": "red", "own_disks": True}
    cloud.api("POST", "/v2.0/overlace/machines", {"machine": machine})
    until(lambda: cloud.status(NAME) == "ACTIVE", "the port stays down", 60)
    cloud.lab.wan(delay_ms=ONE_WAY_MS)


def replicate(cloud: Cloud) -> dict[str, Any]:
    """Have the replica kept, and watch how old it gets; the figures of that."""
    began = time.monotonic()
    wish = {"id": NAME, "host_id": AWAY, "every": EVERY}
    cloud.api("POST", "/v2.0/overlace/replicas", {"replica": wish})
    until(lambda: shown(cloud)["as_of"] is not None, "no whole round", 120)
    seeded = round(time.monotonic() - began, 1)
    print(f"{seeded:6.1f} s  the replica at {AWAY} is whole for the first time", flush=True)
    ages, sizes = [], {}
    end = time.monotonic() + WATCHED
    while time.monotonic() < end:
        now = shown(cloud)
        ages.append(float(now["age"]))
        sizes[now["whole"]] = (now["sent_bytes"], now["round_ms"])
        time.sleep(0.2)
    rounds = sorted(sizes.items())[1:]
    print(f"{len(rounds)} rounds in {WATCHED:.0f} s, at most {max(ages):.1f} s old of {EVERY} s", flush=True)
    return {
        "promised_s": EVERY,
        "first_whole_s": seeded,
        "rounds": len(rounds),
        "oldest_s": max(ages),
        "largest_round_bytes": max(size for _, (size, _) in rounds),
        "longest_round_ms": max(took for _, (_, took) in rounds),
    }


def shown(cloud: Cloud) -> dict[str, Any]:
    """The replica, as the API shows it."""
    found: dict[str, Any] = cloud.api("GET", REPLICA)["replica"]
    return found


def rescue(cloud: Cloud) -> dict[str, Any]:
    """Its host is cut off while the guest runs on, and an operator says that it is dead; the figures of that."""
    for link in (f"uplink-{HOME}", f"mgmt-{HOME}"):
        cloud.lab.cut(link)
    lost = datetime.now().astimezone()
    until(lambda: not cloud.switch(HOME), f"{HOME} is still heard", 60)
    print(f"{HOME} is cut off and not heard any more", flush=True)
    until(lambda: shown(cloud)["state"] != "merging", "the last round is not put together", 30)
    guests = Guests.of(cloud.lab)
    there = writes_on(guests.place(NAME, AWAY).disk)
    written = newest_write_on(guests.place(NAME, HOME).disk)  # its guest writes on
    print(f"the replica shows the disk after {there} of the guest's writes, {written} by now", flush=True)
    began = time.monotonic()
    wish = {"kind": "rescue", "machine_id": NAME, "host_is_dead": True}
    made = cloud.api("POST", PROCEDURES, {"procedure": wish})["procedure"]
    answered = answers(cloud.namespace(PEER), NAME)
    seconds = round(time.monotonic() - began, 1)
    until(lambda: step_of(cloud, made["id"])["step"] in ("finishing", "closed"), "it does not start", 60)
    done = step_of(cloud, made["id"])
    point = (lost - datetime.fromisoformat(done["data_as_of"])).total_seconds()
    print(f"{seconds:6.1f} s  {NAME} answers at {done['to_host']}", flush=True)
    print(f"recovery point: {point:.0f} s before the host was lost", flush=True)
    return {
        "procedure": made["id"],
        "at": done["to_host"],
        "answers": answered,
        "recovery_point_s": point,
        "writes_on_the_replica": there,
        "recovery_s": seconds,
        "recovery_s_by_the_controller": done["recovery_s"],
        **disk(cloud),
    }


def step_of(cloud: Cloud, procedure: str) -> dict[str, Any]:
    """A procedure as it stands."""
    found: dict[str, Any] = cloud.api("GET", f"{PROCEDURES}/{procedure}")["procedure"]
    return found


def disk(cloud: Cloud) -> dict[str, Any]:
    """What the guest finds on its disk."""
    told = Guests.of(cloud.lab).command(NAME, ["nc", "127.0.0.1", "5002"], timeout=60).stdout
    found = re.search(r"blocks=(\d+) writes=\d+ wrong=(\d+)", told)
    return {"blocks": int(found[1]), "blocks_wrong": int(found[2])} if found else {"blocks": 0, "blocks_wrong": -1}


def fence(cloud: Cloud, procedure: str) -> dict[str, Any]:
    """The old host returns with its guest running; the figures of that."""
    guests = Guests.of(cloud.lab)
    ran = guests.run_state(NAME, HOME)
    session = GuestSession(cloud.namespace(PEER), address_of(NAME))
    began = time.monotonic()
    mending = [threading.Thread(target=cloud.lab.heal, args=(f"{kind}-{HOME}",)) for kind in ("uplink", "mgmt")]
    for each in mending:
        each.start()
    for each in mending:
        each.join()
    until(lambda: step_of(cloud, procedure)["state"] == "done", "the old host is not cleared", 120)
    cleared = round(time.monotonic() - began, 1)
    print(f"{cleared:6.1f} s  {HOME} has returned and is cleared of its guest", flush=True)
    time.sleep(FENCED_FOR)
    key = cloud.ports[NAME]["id"]
    bound = cloud.api("GET", f"/v2.0/overlace/bindings?port_id={key}")["bindings"]
    return {
        "old_guest_ran": ran == "running",
        "old_host_cleared_s": cleared,
        "old_guest_now": guests.run_state(NAME, HOME),
        "session_intact": session.intact(30),
        "active_at": [each["host_id"] for each in bound if each["state"] == "active"],
    }


def broken(figures: dict[str, Any]) -> list[str]:
    """The promises that the figures do not keep."""
    kept = {
        "the replica is never older than promised": figures["oldest_s"] <= figures["promised_s"],
        "the machine starts where its replica is": figures["at"] == AWAY,
        "its service answers there": figures["answers"],
        "no more is lost than was promised": figures["recovery_point_s"] <= figures["promised_s"] + 1,
        "the replica shows one moment of a disk in use": figures["writes_on_the_replica"] > 0,
        "its disk holds what it should": figures["blocks"] > 0 and figures["blocks_wrong"] == 0,
        "the old guest ran when its host returned": figures["old_guest_ran"],
        "it does not any more": figures["old_guest_now"] == "stopped",
        "its return breaks no session": figures["session_intact"],
        "the port stays where it was rescued to": figures["active_at"] == [AWAY],
    }
    return [promise for promise, holds in kept.items() if not holds]


def main() -> int:
    """Run it all; exit 0 when every figure is as promised."""
    directory = Path(tempfile.mkdtemp(prefix="overlace-rescue-"))
    Lab.remove("rescue")
    cloud = Cloud(Lab.up(None, "rescue"), directory)
    try:
        cloud.serve_options = movers(cloud.lab)
        cloud.start()
        cloud.join_hosts()
        furnish(cloud)
        figures = replicate(cloud)
        figures |= rescue(cloud)
        figures |= fence(cloud, figures.pop("procedure"))
    finally:
        cloud.kill()
        cloud.lab.down()
    (ROOT / "build").mkdir(exist_ok=True)
    (ROOT / "build/rescue.json").write_text(json.dumps(figures, indent=1) + "\n")
    shutil.rmtree(directory)
    print("  ".join(f"{key} {value}" for key, value in figures.items()))
    wrong = broken(figures)
    print(f"NOT as promised: {'; '.join(wrong)}" if wrong else "all as promised", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
