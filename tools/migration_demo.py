"""`make demo-migration`: a real machine with TCP sessions, a 5 ms ping and a writing disk moves between two sites over
a 50 ms round trip and back, as different movers would move it. Its security group is stateful: most of the sessions are
let in by nothing but connection tracking, and say nothing while the machine moves.

    qmp           the controller, by QEMU's monitors: `overlace machine move`
    libvirt       the controller, by the hosts' libvirt
    unannounced   `virsh migrate`, of which the controller is not told: the network finds out from the interface that
                  appears, and from the first frame

Prints a line for each move and writes build/migration.json. MOVES=2 in the environment makes it short.
"""

import json
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tools.cloud import ROOT, Cloud, until
from tools.echo_stream import EchoStream
from tools.frame_watch import PEER, Account, FrameWatch, described
from tools.guest_session import GuestSession
from tools.stateful_sessions import Knocking, SilentSessions

from overlace.lab.guest import LIBVIRT, QEMU
from overlace.lab.guests.guests import Guests
from overlace.lab.guests.libvirt import daemon
from overlace.lab.guests.migration import move
from overlace.lab.lab import Lab

ROUND_TRIPS = 10
PROCEDURES = "/v2.0/overlace/procedures"
HERE, THERE, PEER_HOST = "h1", "h3", "h2"
PEER_NAME, PEER_OCTET = "red1", 11
STRANGER, STRANGER_OCTET, STRANGER_HOST = "red9", 19, "h4"
PEER_ADDRESSES = ("192.168.0.11", "fd00::b")
SILENT = 20
"""So many connections a guest has opened, to both addresses of its peer, and says nothing in."""
ONE_WAY_MS = 25.0
DISK = "32M"
SETTLED = 1.0
"""So long frames are watched before and after a move, in seconds."""


class Journey:
    """A guest, what is done to it, and what is seen meanwhile.

    Each mode has a guest of its own, so that none profits from what another's move has left behind.
    """

    def __init__(self, cloud: Cloud, mode: str, octet: int, disk: str) -> None:
        self.cloud, self.mode = cloud, mode
        self.guests = Guests.of(cloud.lab)
        self.name, self.mac, self.address = f"red{octet - 10}", mac(octet), f"192.168.0.{octet}"
        served = (("tcp", 5000), ("udp", 5001), ("icmp", 0))
        group = cloud.group(self.name, "red", *served)
        self.port = str(cloud.port(self.name, octet, device_id=self.name, security_groups=[group])["id"])
        self.guests.create(
            self.name,
            HERE,
            mac=self.mac,
            iface_id=self.port,
            addresses=(f"{self.address}/24", f"fd00::{octet:x}/64"),
            disk=disk,
            writer=20,
            hypervisor=QEMU if mode == "qmp" else LIBVIRT,
            progress=lambda message: print(message, file=sys.stderr),
        )
        until(lambda: cloud.status(self.name) == "ACTIVE", "the guest's port stays down", 20)
        if mode != "unannounced":
            machine = {"id": self.name, "host_id": HERE, "project_id": "red", "own_disks": True}
            cloud.api("POST", "/v2.0/overlace/machines", {"machine": machine | {"driver": mode}})
        peer = cloud.namespace(PEER_NAME)
        self.session = GuestSession(peer, self.address)
        self.silent = SilentSessions(self.guests, self.name, peer, PEER_ADDRESSES, SILENT // 2)

    def move(self, mode: str = "") -> dict[str, Any]:
        """One move to the other site, by the guest's own mode or another that its hypervisor has."""
        mode = mode or self.mode
        source = self.guests.get(self.name).host
        destination = THERE if source == HERE else HERE
        watch = FrameWatch(self._points(), self.mac, mac(PEER_OCTET))
        ping = EchoStream(self.cloud.namespace(PEER_NAME), self.address, 600)
        with Knocking(self.cloud.namespace(STRANGER), self.address) as knocking:
            time.sleep(SETTLED)
            cost = MOVERS[mode](self, destination)
            until(lambda: self._bindings() == {destination: "active"}, "the port has not moved", 30)
            time.sleep(SETTLED)
        last = datetime.now(UTC).timestamp()
        ping.stop()
        echoes = ping.outcome()
        seen = watch.account(watch.stop(), destination, last)
        return {
            "mode": mode,
            "from": source,
            "to": destination,
            "session_intact": self.session.intact(),
            "silent_sessions": SILENT,
            "silent_sessions_alive": self.silent.arrive(),
            "unsolicited": knocking.attempts,
            "unsolicited_let_in": knocking.opened,
            "disk_verified": self._disk_verified(),
            "network_lost": seen.lost,
            "network_gap_ms": seen.gap_ms,
            "missing": self._missing(seen),
            "guest_stop_ms": cost["stop_ms"],
            "frames": seen.entered,
            "misdelivered": seen.misdelivered,
            "pings_lost": echoes.lost,
            "ping_gap_ms": round(echoes.longest_gap * 1000, 1),
            "memory_mb": round(cost["memory_bytes"] / 1e6, 1),
            "receipt": self._receipt(),
        }

    def by_procedure(self, destination: str) -> dict[str, int]:
        """The controller moves it."""
        wish = {"procedure": {"machine_id": self.name, "to_host": destination}}
        path = f"{PROCEDURES}/{self.cloud.api('POST', PROCEDURES, wish)['procedure']['id']}"
        until(lambda: self.cloud.api("GET", path)["procedure"]["state"] != "running", "the move does not end", 300)
        done = self.cloud.api("GET", path)["procedure"]
        if done["state"] != "done":
            raise SystemExit(f"the move came to nothing: {done['reason']}")
        if self.mode == LIBVIRT:
            self.guests.found_at(self.name, destination)
        return {"stop_ms": done["stop_ms"], "memory_bytes": done["copied_bytes"]}

    def unannounced(self, destination: str) -> dict[str, int]:
        """Nobody tells the controller."""
        done = move(self.guests, self.name, destination)
        return {"stop_ms": done.stop_ms, "memory_bytes": done.memory_bytes}

    def _points(self) -> dict[str, tuple[str, str]]:
        lab = self.cloud.lab
        tap = self.guests.get(self.name).host_interface
        points = {host: (lab.host(host).namespace, tap) for host in (HERE, THERE)}
        return points | {PEER: (lab.host(PEER_HOST).namespace, lab.workload(PEER_NAME).host_interface)}

    def _missing(self, seen: Account) -> list[dict[str, Any]]:
        """Each frame that was lost: what it was, where it entered, and when, as from the guest's first word there."""
        return [
            {"frame": described(each.frame), "at": each.point, "ms": round((each.at - seen.went_on) * 1000, 1)}
            for each in seen.missing
        ]

    def _bindings(self) -> dict[str, str]:
        path = f"/v2.0/overlace/ports/{self.port}/realisation"
        return dict(self.cloud.api("GET", path)["realisation"]["bindings"])

    def _disk_verified(self) -> bool:
        """The guest reads again all that it has ever written."""
        told = self.guests.command(self.name, ["nc", "127.0.0.1", "5002"], timeout=60).stdout
        found = re.search(r"blocks=(\d+) writes=(\d+) wrong=(\d+)", told)
        return found is not None and int(found[1]) > 0 and int(found[3]) == 0

    def _receipt(self) -> dict[str, Any]:
        moves = self.cloud.api("GET", f"/v2.0/overlace/moves?port_id={self.port}")["moves"]
        newest = max(moves, key=lambda move: int(move["generation"]))
        kept = ("from_host", "to_host", "generation", "state", "prepared_by", "activated_by", "reason")
        return {field: newest[field] for field in kept}


MOVERS: dict[str, Callable[[Journey, str], dict[str, int]]] = {
    "qmp": Journey.by_procedure,
    LIBVIRT: Journey.by_procedure,
    "unannounced": Journey.unannounced,
}


def mac(octet: int) -> str:
    """The MAC of a port, as `Cloud.port` gives it."""
    return f"02:00:00:00:00:{octet:02x}"


def movers(lab: Lab) -> tuple[str, ...]:
    """What the controller has to be told that it can move guests."""
    libvirt, peers = daemon.uris(lab.directory)
    # The same as `overlace lab vm launcher`, which loads all other commands, too.
    launcher = f"{ROOT}/.venv/bin/python -m overlace.lab vm launcher --name {lab.name}"
    return ("--launcher", launcher, "--libvirt", libvirt, "--libvirt-peers", peers)


def furnish(
    cloud: Cloud, modes: Sequence[str], disk: str = DISK, one_way_ms: float = ONE_WAY_MS
) -> list[Journey]:
    """A peer and a guest for each mode, which talk, and a stranger."""
    cloud.tenant("red")
    reachable = cloud.group("reachable", "red", ("tcp", 0), ("udp", 0), ("icmp", 0))
    for name, host, octet in (
        (PEER_NAME, PEER_HOST, PEER_OCTET),
        (STRANGER, STRANGER_HOST, STRANGER_OCTET),
    ):
        port = cloud.port(name, octet, security_groups=[reachable])
        cloud.workload(name, host, octet, port["id"])
    journeys = [Journey(cloud, mode, PEER_OCTET + 1 + number, disk) for number, mode in enumerate(modes)]
    cloud.lab.wan(delay_ms=one_way_ms)
    return journeys


def main() -> int:
    """Run it all; exit 0 when every figure is as promised."""
    count = int(os.environ.get("MOVES") or 2 * ROUND_TRIPS)
    directory = Path(tempfile.mkdtemp(prefix="overlace-migration-"))
    Lab.remove("migration")
    cloud = Cloud(Lab.up(None, "migration"), directory)
    moves: list[dict[str, Any]] = []
    try:
        cloud.serve_options = movers(cloud.lab)
        cloud.start()
        cloud.join_hosts()
        journeys = furnish(cloud, tuple(MOVERS))
        for number in range(count):
            # One guest goes there and back before the next has its turn.
            journey = journeys[number // 2 % len(journeys)]
            moves.append(journey.move())
            print(line(moves[-1]), flush=True)
            for each in moves[-1]["missing"]:
                print(f"lost: {each['frame']}, entered at {each['at']}, {each['ms']:+g} ms", file=sys.stderr)
            if journey.session.fault:
                print(f"the session: {journey.session.fault}", file=sys.stderr)
    finally:
        cloud.kill()
        cloud.lab.down()
        (ROOT / "build").mkdir(exist_ok=True)
        (ROOT / "build/migration.json").write_text(json.dumps({"moves": moves}, indent=1) + "\n")
    shutil.rmtree(directory)
    wrong = broken(moves, count)
    print(f"NOT as promised: {'; '.join(wrong)}" if wrong else "all as promised", file=sys.stderr)
    return 1 if wrong else 0


def line(move: dict[str, Any]) -> str:
    """A move for people."""
    receipt = move["receipt"]
    session = "intact" if move["session_intact"] else "BROKEN"
    silent = f"{move['silent_sessions_alive']} of {move['silent_sessions']} silent ones alive"
    disk = "verified" if move["disk_verified"] else "WRONG"
    return (
        f"{move['mode']:12} {move['from']} -> {move['to']}  session {session}, {silent}  "
        f"unsolicited let in {move['unsolicited_let_in']} of {move['unsolicited']}  disk {disk}  "
        f"network lost {move['network_lost']} of "
        f"{move['frames']} in {move['network_gap_ms']:g} ms, {move['misdelivered']} to the old place  "
        f"guest stood still {move['guest_stop_ms']:g} ms  pings lost {move['pings_lost']}, longest gap "
        f"{move['ping_gap_ms']:g} ms  receipt: {receipt['state']}, prepared by {receipt['prepared_by']}, activated by "
        f"{receipt['activated_by']}"
    )


def broken(moves: list[dict[str, Any]], count: int) -> list[str]:
    """The promises that the figures do not keep."""
    kept = {
        f"all {count} moves are made": len(moves) == count,
        "the session outlives every move": all(move["session_intact"] for move in moves),
        "every silent session outlives every move": all(
            move["silent_sessions_alive"] == move["silent_sessions"] > 0 for move in moves
        ),
        "what nobody asked for is never let in": all(
            move["unsolicited_let_in"] == 0 < move["unsolicited"] for move in moves
        ),
        "the disk holds what was written after every move": all(move["disk_verified"] for move in moves),
        "frames are watched in every move": all(move["frames"] > 200 for move in moves),
        "the network loses at most one frame a move": all(move["network_lost"] <= 1 for move in moves),
        "every move leaves its receipt": all(
            (move["receipt"]["from_host"], move["receipt"]["to_host"]) == (move["from"], move["to"])
            and move["receipt"]["state"] in ("activated", "done")
            for move in moves
        ),
    }
    return [promise for promise, holds in kept.items() if not holds]


if __name__ == "__main__":
    sys.exit(main())
