"""The wide-area relay: carries frames between interfaces with delay, rate and loss.

Theory of operation.  Stock kernels of small machines lack netem, so a process does its work.  It owns one
raw socket for each interface of each link.  A frame is read, given to the `Direction` of the interface it
came from, and sent when it is due on the other interface of its link (with more than two, by learning
source addresses like a bridge).  One `select` loop serves all: sockets, the control socket, and the next
deadline; select(2) is used since its timeout has microseconds, epoll's has milliseconds.  Run as `python -m
overlace.lab.relay CONFIG`; it returns when the relay, now a daemon, works.
"""

import contextlib
import gc
import json
import os
import random
import select
import socket
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from overlace.lab.frame_socket import FrameSocket
from overlace.lab.shaping import Direction, Shape

BATCH = 64
IDLE_SECONDS = 60.0
PRIORITY = -10


class Ports:
    """The interfaces of one link, and where frames between them go."""

    def __init__(self, name: str, interfaces: list[tuple[str, str]], mtu: int, shape: Shape) -> None:
        self.name = name
        self.sides = [side for _, side in interfaces]
        self.sockets = [FrameSocket(interface, mtu, tagged=name != "wan") for interface, _ in interfaces]
        self.directions = [
            Direction(random.random, Shape(shape.delay, shape.rate, shape.loss)) for _ in interfaces
        ]
        self.learned: dict[bytes, int] = {}

    def take(self, port: int) -> None:
        """Read what has arrived at a port into its delay line."""
        receive, direction = self.sockets[port].recv, self.directions[port]
        two = len(self.sockets) == 2
        with contextlib.suppress(BlockingIOError):
            for _ in range(BATCH):
                frame = receive()
                now = time.monotonic()
                for target in (1 - port,) if two else self.targets(frame, port):
                    direction.offer(now, frame, target)

    def targets(self, frame: bytes, port: int) -> list[int]:
        """The ports a frame goes to: the one its destination was seen at, or all but its own."""
        self.learned[frame[6:12]] = port
        known = self.learned.get(frame[:6])
        if known is None:
            return [other for other in range(len(self.sockets)) if other != port]
        return [] if known == port else [known]

    def deliver(self, now: float) -> float | None:
        """Send what is due; the next deadline, None when nothing is under way."""
        nearest: float | None = None
        for direction in self.directions:
            for port, frame in direction.due(now):
                # A full device queue or an interface that is down loses the frame, as a router would.
                with contextlib.suppress(OSError):
                    self.sockets[port].send(frame)
            deadline = direction.deadline()
            if deadline is not None and (nearest is None or deadline < nearest):
                nearest = deadline
        return nearest

    def status(self) -> list[dict[str, Any]]:
        """Shape and counters of each direction, named by the side that sends."""
        return [
            {
                "from": side,
                "delay_ms": round(direction.shape.delay * 1e3, 6),
                "rate_mbit": direction.shape.rate / 1e6,
                "loss_pct": round(direction.shape.loss * 100, 9),
                "cut": direction.shape.cut,
                "queued_bytes": direction.queued,
                "counters": asdict(direction.counters),
            }
            for side, direction in zip(self.sides, self.directions, strict=True)
        ]


class Relay:
    """All links, and the control socket at `control`."""

    def __init__(self, links: list[Ports], control: Path) -> None:
        self.links = {link.name: link for link in links}
        self.by_socket = {
            frame_socket.fileno(): (link, port)
            for link in links
            for port, frame_socket in enumerate(link.sockets)
        }
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.listener.bind(str(control))
        self.listener.listen(8)
        self.listener.setblocking(False)
        self.clients: dict[int, socket.socket] = {}

    def serve(self) -> None:
        """Run until killed."""
        links = list(self.links.values())
        frame_sockets = list(self.by_socket)
        while True:
            now = time.monotonic()
            deadlines = [d for d in (link.deliver(now) for link in links) if d is not None]
            wait = min(deadlines) - time.monotonic() if deadlines else IDLE_SECONDS
            watched = [*frame_sockets, self.listener.fileno(), *self.clients]
            for ready in select.select(watched, [], [], max(0.0, wait))[0]:
                if ready in self.by_socket:
                    link, port = self.by_socket[ready]
                    with contextlib.suppress(OSError):  # the interface went down; it is read again when up
                        link.take(port)
                elif ready in self.clients:
                    self.answer(self.clients.pop(ready))
                else:
                    self.accept()

    def accept(self) -> None:
        client, _ = self.listener.accept()
        client.setblocking(False)
        self.clients[client.fileno()] = client

    def answer(self, client: socket.socket) -> None:
        """Serve one request of a client and hang up."""
        with client, contextlib.suppress(OSError):
            try:
                reply: dict[str, Any] = {"links": self.carry_out(json.loads(client.recv(4096)))}
            except (ValueError, KeyError, TypeError) as error:
                reply = {"error": f"{type(error).__name__}: {error}"}
            client.send(json.dumps(reply).encode())

    def carry_out(self, request: dict[str, Any]) -> dict[str, Any]:
        """Change the directions a request names (all without `link` and `from`) and tell the state of all."""
        names = [request["link"]] if "link" in request else list(self.links)
        for link in [self.links[name] for name in names]:
            for side, direction in zip(link.sides, link.directions, strict=True):
                if request.get("from", side) == side:
                    change(direction, request)
        return {name: link.status() for name, link in self.links.items()}


def change(direction: Direction, request: dict[str, Any]) -> None:
    """Apply delay_ms, rate_mbit, loss_pct and cut where the request has them."""
    if "delay_ms" in request:
        direction.shape.delay = float(request["delay_ms"]) / 1e3
    if "rate_mbit" in request:
        direction.shape.rate = float(request["rate_mbit"]) * 1e6
        direction.free_at = 0.0
    if "loss_pct" in request:
        direction.shape.loss = float(request["loss_pct"]) / 100
    if "cut" in request:
        direction.set_cut(bool(request["cut"]))


def daemonize(pidfile: Path) -> None:
    """Leave the terminal and the parent; the parent's caller continues now."""
    if os.fork():
        os._exit(0)
    os.setsid()
    if os.fork():
        os._exit(0)
    os.chdir("/")
    null = os.open("/dev/null", os.O_RDWR)
    for descriptor in (0, 1):
        os.dup2(null, descriptor)
    pidfile.write_text(f"{os.getpid()}\n")


def main(config_path: str) -> None:
    """Start the relay as the JSON file says: links, shape, paths of control socket, pid file and log."""
    config = json.loads(Path(config_path).read_text())
    shape = Shape(config["delay_ms"] / 1e3, config["rate_mbit"] * 1e6, config["loss_pct"] / 100)
    links = [Ports(name, interfaces, mtu, shape) for name, interfaces, mtu in config["links"]]
    relay = Relay(links, Path(config["control"]))
    log = os.open(config["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    daemonize(Path(config["pidfile"]))
    os.dup2(log, 2)
    with contextlib.suppress(OSError):  # a better place in the scheduler makes the jitter small, no more
        os.setpriority(os.PRIO_PROCESS, 0, PRIORITY)
    # Frames make no reference cycles; a collection in between would only delay them.
    gc.disable()
    relay.serve()


if __name__ == "__main__":
    main(sys.argv[1])
