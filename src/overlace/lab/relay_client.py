"""Starts the relay of a laboratory and changes its links while it runs."""

import json
import socket
import sys
from pathlib import Path
from typing import Any

import msgspec

from overlace.lab.errors import LabError
from overlace.lab.execution import run
from overlace.lab.fabric import relay_links
from overlace.lab.plan import Plan
from overlace.lab.process import ProcessId, read_pidfile


class DirectionStatus(msgspec.Struct, frozen=True, rename={"sender": "from"}):
    """One direction of a link, seen from the site or node that sends."""

    sender: str
    delay_ms: float
    rate_mbit: float
    loss_pct: float
    cut: bool
    queued_bytes: int
    counters: dict[str, int]


class _Reply(msgspec.Struct, frozen=True):
    links: dict[str, tuple[DirectionStatus, ...]] = {}
    error: str = ""


def control_path(directory: Path) -> Path:
    """The relay's control socket below a laboratory's state directory."""
    return directory / "relay.sock"


def start_relay(plan: Plan, directory: Path) -> ProcessId:
    """Start the relay in its namespace; it works when this returns.  Raises `CommandFailed`."""
    wan = plan.topology.wan
    config = {
        "links": relay_links(plan),
        "delay_ms": wan.delay_ms,
        "rate_mbit": wan.rate_mbit,
        "loss_pct": wan.loss_pct,
        "control": str(control_path(directory)),
        "pidfile": str(directory / "relay.pid"),
        "log": str(directory / "relay.log"),
    }
    (directory / "relay.json").write_text(json.dumps(config))
    run(
        [sys.executable, "-m", "overlace.lab.relay", str(directory / "relay.json")],
        netns=plan.wan_namespace,
    )
    process = read_pidfile(directory / "relay.pid")
    if process is None:
        raise LabError(f"the wide-area relay ended at once; its last words are in {directory / 'relay.log'}")
    return process


def ask_relay(directory: Path, request: dict[str, Any]) -> dict[str, tuple[DirectionStatus, ...]]:
    """Send one request to a running relay; the state of all its links.  Raises `LabError`."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as client:
        client.settimeout(5.0)
        try:
            client.connect(str(control_path(directory)))
            client.send(json.dumps(request).encode())
            reply = msgspec.json.decode(client.recv(1 << 16), type=_Reply)
        except OSError as error:
            raise LabError(
                f"the wide-area relay does not answer ({error}); see {directory / 'relay.log'}, then bring "
                "the laboratory down and up again"
            ) from error
    if reply.error:
        raise LabError(f"the wide-area relay refused the request: {reply.error}")
    return reply.links
