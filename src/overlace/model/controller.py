"""What an operator has said of the controller as a whole."""

from dataclasses import dataclass
from typing import Final, Protocol

from overlace.model.declaration import api, resource

CONTROLLER: Final = "controller"
"""There is one, of this id, once anything was said."""
TUNNEL_PORT: Final = 4789
"""VXLAN's own UDP port (RFC 7348 section 5)."""


@resource("controller", "controllers")
@dataclass(frozen=True, slots=True, kw_only=True)
class Controller:
    """`observe_only`: differences of all switches are computed and shown, and nothing is written to any.

    `tunnel_port`: the UDP port of all hosts' tunnels, for hosts where VXLAN's own is somebody else's."""

    id: str = CONTROLLER
    observe_only: bool = api(put=True, kind="bool", default=False, value=False)
    tunnel_port: int = api(put=True, kind="int", default=TUNNEL_PORT, value=TUNNEL_PORT)


class Stored(Protocol):
    """Where stored values are looked up: a snapshot, or a reader of one."""

    def get(self, cls: type[Controller], key: str) -> Controller | None:
        """See `Snapshot.get`."""
        ...


def controller_of(stored: Stored) -> Controller:
    """What was said, or what holds while nothing was."""
    return stored.get(Controller, CONTROLLER) or Controller()
