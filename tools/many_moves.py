"""`make demo-many-moves`: a workload moves 200 times to and fro between two sites under 1,000 echo requests a second.

Lost is what entered a switch and came out nowhere (`tools/frame_watch.py`); unanswered are the requests that never
had an answer, what falls into the moment in which the laboratory re-plugs the workload included. After each move every
switch is read and compared with the plan. Prints a summary and writes build/many-moves.json.
MOVES=10 in the environment makes it short.
"""

import json
import os
import shutil
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tools.cloud import ROOT, Cloud, host_names, until
from tools.echo_stream import EchoStream
from tools.frame_watch import PEER, FrameWatch

from overlace.lab.lab import Lab
from overlace.model.binder import FLIP_WINDOW, FLIPS

MOVES = 200
INTERVAL = 0.001
BEFORE, AFTER = 0.3, 0.5
"""How long the stream runs before and after the cut-over, in seconds."""
HERE, THERE, PEER_HOST = "h1", "h3", "h2"
TENANT, STAYS, MOVES_ABOUT = "blue", "blue1", "blue2"
STUCK = 20.0
PAUSE = FLIP_WINDOW.total_seconds() / FLIPS * 1.1
"""Seconds from one move to the next, at least: what speaks elsewhere more often than that is taken for two copies."""


def furnish(cloud: Cloud) -> None:
    """A peer and the workload that will move; they have talked."""
    cloud.tenant(TENANT)
    for name, host, octet in ((STAYS, PEER_HOST, 11), (MOVES_ABOUT, HERE, 12)):
        cloud.workload(name, host, octet, cloud.port(name, octet)["id"])
    until(lambda: all(cloud.status(name) == "ACTIVE" for name in cloud.ports), "ports stay down", 20)
    EchoStream(cloud.namespace(STAYS), "192.168.0.12", 1).outcome()


def move(cloud: Cloud, there: str) -> dict[str, Any]:
    """One move: what was lost, and at which switches the tables were not as planned afterwards."""
    cloud.lab.prepare_move(MOVES_ABOUT, there)
    until(lambda: bindings(cloud).get(there) == "prepared", "the destination is not prepared", STUCK)
    watch = FrameWatch(points(cloud), cloud.lab.workload(MOVES_ABOUT).mac, cloud.lab.workload(STAYS).mac)
    running = EchoStream(cloud.namespace(STAYS), "192.168.0.12", 60, INTERVAL)
    time.sleep(BEFORE)
    cloud.lab.complete_move(MOVES_ABOUT)
    time.sleep(AFTER)
    last = datetime.now(UTC).timestamp()
    running.stop()
    outcome = running.outcome()
    seen = watch.account(watch.stop(), there, last)
    until(lambda: bindings(cloud).get(there) == "active", "the port has not moved", STUCK)
    cloud.lab.release_move(MOVES_ABOUT)
    until(lambda: bindings(cloud) == {there: "active"}, "the old binding does not end", STUCK)
    until(lambda: not cloud.behind(), "the switches do not do what was published", STUCK)
    return {
        "to": there,
        "sent": outcome.sent,
        "lost": seen.lost,
        "unanswered": outcome.lost,
        "gap_ms": round(outcome.longest_gap * 1000, 1),
        "not_as_planned": [name for name in host_names(cloud.lab) if not cloud.as_planned(name)],
    }


def points(cloud: Cloud) -> dict[str, tuple[str, str]]:
    """Where frames enter and leave the switches."""
    interface = cloud.lab.workload(MOVES_ABOUT).host_interface
    found = {host: (cloud.lab.host(host).namespace, interface) for host in (HERE, THERE)}
    peer = cloud.lab.workload(STAYS).host_interface
    return found | {PEER: (cloud.lab.host(PEER_HOST).namespace, peer)}


def bindings(cloud: Cloud) -> dict[str, str]:
    """The hosts of the moving port, and the state of each binding."""
    path = f"/v2.0/overlace/ports/{cloud.ports[MOVES_ABOUT]['id']}/realisation"
    return dict(cloud.api("GET", path)["realisation"]["bindings"])


def main() -> int:
    """Run it all; exit 0 when every figure is as promised."""
    count = int(os.environ.get("MOVES") or MOVES)
    directory = Path(tempfile.mkdtemp(prefix="overlace-many-moves-"))
    Lab.remove("manymoves")
    cloud = Cloud(Lab.up(None, "manymoves"), directory)
    moves: list[dict[str, Any]] = []
    try:
        cloud.start()
        cloud.join_hosts()
        furnish(cloud)
        for number in range(count):
            due = time.monotonic() + PAUSE
            moves.append(move(cloud, THERE if number % 2 == 0 else HERE))
            time.sleep(max(0.0, due - time.monotonic()))
            if number % 20 == 19:
                print(f"{number + 1} moves, {sum(each['lost'] for each in moves)} lost", file=sys.stderr)
    finally:
        cloud.kill()
        cloud.lab.down()
    figures = summary(moves)
    (ROOT / "build").mkdir(exist_ok=True)
    (ROOT / "build/many-moves.json").write_text(
        json.dumps({"summary": figures, "moves": moves}, indent=1) + "\n"
    )
    shutil.rmtree(directory)
    print("  ".join(f"{key} {value}" for key, value in figures.items()))
    wrong = broken(figures, count)
    print(f"NOT as promised: {'; '.join(wrong)}" if wrong else "all as promised", file=sys.stderr)
    return 1 if wrong else 0


def summary(moves: list[dict[str, Any]]) -> dict[str, Any]:
    """The figures of all moves: `lost_p99` is what 99 of 100 moves do not exceed."""
    lost = sorted(each["lost"] for each in moves)
    return {
        "moves": len(moves),
        "requests": sum(each["sent"] for each in moves),
        "lost": sum(lost),
        "lost_p50": lost[len(lost) // 2],
        "lost_p99": lost[-(-len(lost) * 99 // 100) - 1],
        "lost_most": lost[-1],
        "unanswered": sum(each["unanswered"] for each in moves),
        "not_as_planned": sum(bool(each["not_as_planned"]) for each in moves),
    }


def broken(figures: dict[str, Any], count: int) -> list[str]:
    """The promises that the figures do not keep."""
    kept = {
        f"all {count} moves are made": figures["moves"] == count,
        "the stream runs under every move": figures["requests"] >= count * 400,
        "99 of 100 moves lose at most one": figures["lost_p99"] <= 1,
        "the tables are as planned after each": figures["not_as_planned"] == 0,
    }
    return [promise for promise, holds in kept.items() if not holds]


if __name__ == "__main__":
    sys.exit(main())
