"""`python -m tools.idle_sessions`: connections that a workload has opened, and in which nobody says anything for ten
minutes after it has moved, are alive then, and after the way back; what nobody asked for is refused all the time.

IDLE=30 in the environment makes it short. Prints what comes; exit 0 when all is as promised.
"""

import os
import socket
import sys
import tempfile
import time
from pathlib import Path

from tools.cloud import Cloud, until
from tools.stateful_sessions import KNOCK_AT, Knocking

from overlace.lab.lab import Lab
from overlace.lab.namespace import entered

IDLE = 605.0
EACH = 25
"""Connections over each family."""
PEER, MOVES_ABOUT = "blue1", "blue2"
PEER_ADDRESSES, ADDRESSES = ("192.168.0.11", "fd00::b"), ("192.168.0.12", "fd00::c")
HERE, THERE, PEER_HOST = "h1", "h3", "h2"
PATIENCE = 20.0
Pair = tuple[socket.socket, socket.socket]


def furnish(cloud: Cloud) -> None:
    """A peer that lets everything in, and a workload that may only begin connections."""
    cloud.tenant("blue")
    reachable = cloud.group("reachable", "blue", ("tcp", 0))
    begins = cloud.group("begins", "blue")
    for name, host, octet, group in ((PEER, PEER_HOST, 11, reachable), (MOVES_ABOUT, HERE, 12, begins)):
        cloud.workload(name, host, octet, cloud.port(name, octet, security_groups=[group])["id"])
    until(lambda: all(cloud.status(name) == "ACTIVE" for name in cloud.ports), "ports stay down", 30)


def connect(cloud: Cloud) -> list[Pair]:
    """Connections that the workload opens: its end, and the peer's."""
    pairs = []
    for address in PEER_ADDRESSES:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with entered(cloud.namespace(PEER)):
            listener = socket.socket(family)
        listener.bind((address, 0))
        listener.listen(EACH)
        for _ in range(EACH):
            with entered(cloud.namespace(MOVES_ABOUT)):
                own = socket.create_connection(listener.getsockname()[:2], PATIENCE)
            pairs.append((own, listener.accept()[0]))
        listener.close()
    return pairs


def move(cloud: Cloud, there: str) -> None:
    """The workload goes to another host, and nobody tells the controller."""
    cloud.lab.prepare_move(MOVES_ABOUT, there)
    until(lambda: bindings(cloud).get(there) == "prepared", "the destination is not prepared", PATIENCE)
    cloud.lab.complete_move(MOVES_ABOUT)
    until(lambda: bindings(cloud).get(there) == "active", "the port has not moved", PATIENCE)
    cloud.lab.release_move(MOVES_ABOUT)
    until(lambda: bindings(cloud) == {there: "active"}, "the old binding does not end", PATIENCE)


def bindings(cloud: Cloud) -> dict[str, str]:
    """The hosts of the moving port, and the state of each binding."""
    path = f"/v2.0/overlace/ports/{cloud.ports[MOVES_ABOUT]['id']}/realisation"
    return dict(cloud.api("GET", path)["realisation"]["bindings"])


def pushed(pairs: list[Pair], text: bytes) -> int:
    """How many get what the peer pushes."""
    for _, peer in pairs:
        peer.sendall(text)
    return sum(_gets(own, text) for own, _ in pairs)


def _gets(own: socket.socket, text: bytes) -> bool:
    own.settimeout(PATIENCE)
    try:
        return own.recv(len(text)) == text
    except OSError:
        return False


def run(cloud: Cloud, idle: float) -> bool:
    """All of it; whether all is as promised."""
    furnish(cloud)
    pairs = connect(cloud)
    with entered(cloud.namespace(MOVES_ABOUT)):
        tempting = socket.create_server(("::", KNOCK_AT), family=socket.AF_INET6, dualstack_ipv6=True)
    with (
        tempting,
        Knocking(cloud.namespace(PEER), ADDRESSES[0]) as four,
        Knocking(cloud.namespace(PEER), ADDRESSES[1]) as six,
    ):
        move(cloud, THERE)
        print(f"moved; {len(pairs)} connections are idle for {idle:g} s", flush=True)
        time.sleep(idle)
        after = pushed(pairs, b"after idling")
        move(cloud, HERE)
        back = pushed(pairs, b"on the way back")
    print(f"alive after idling {after} of {len(pairs)}, after the way back {back}")
    print(f"unsolicited let in {four.opened + six.opened} of {four.attempts + six.attempts}")
    return after == back == len(pairs) and not four.opened + six.opened


def main() -> int:
    """In a laboratory of its own."""
    Lab.remove("idle")
    with tempfile.TemporaryDirectory(prefix="overlace-idle-") as directory, Lab.up(None, "idle") as lab:
        cloud = Cloud(lab, Path(directory))
        try:
            cloud.start()
            cloud.join_hosts()
            kept = run(cloud, float(os.environ.get("IDLE") or IDLE))
        finally:
            cloud.kill()
    print("all as promised" if kept else "NOT as promised", file=sys.stderr)
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
