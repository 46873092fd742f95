"""Telling the service manager how far the process is: sd_notify(3), without its library.

The manager names a datagram socket in NOTIFY_SOCKET; where it does not, nobody is told.
"""

import os
import socket
from collections.abc import Mapping

import structlog

log = structlog.get_logger(__name__)

READY = "READY=1"
STOPPING = "STOPPING=1"


def tell_manager(state: str, environment: Mapping[str, str] = os.environ) -> None:
    """Say it; a manager that cannot be told changes nothing else."""
    name = environment.get("NOTIFY_SOCKET", "")
    if not name:
        return
    # A name that begins with @ is of the abstract namespace, unix(7).
    address = f"\0{name[1:]}" if name.startswith("@") else name
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
            channel.connect(address)
            channel.sendall(state.encode())
    except OSError as error:
        log.warning("service manager not told", state=state, reason=str(error))
