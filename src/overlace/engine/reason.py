"""Why a port, a network or a host is not as it is wanted: one cause, with its cure, as a value."""

from dataclasses import dataclass
from enum import Enum


class Ground(Enum):
    """The kinds of causes. The value is what programs see, and stays."""

    PORT_DOWN = "port_down"
    NETWORK_DOWN = "network_down"
    NOT_PLUGGED = "not_plugged"
    HOST_NOT_ALLOWED = "host_not_allowed"
    ANNOUNCED_TWICE = "announced_twice"
    DUPLICATE = "duplicate"
    NO_OFPORT = "no_ofport"
    BINDING_PENDING = "binding_pending"
    PREPARED = "prepared"
    FENCED = "fenced"
    HOST_AWAY = "host_away"
    HOST_SILENT = "host_silent"
    SWITCH_HELD = "switch_held"
    WAITING = "waiting"
    REFUSED = "refused"
    NO_SEGMENT = "no_segment"
    UNREACHABLE_HOST = "unreachable_host"
    NO_ADDRESS = "no_address"
    MTU = "mtu"
    PENDING = "pending"
    NOT_HEARD = "not_heard"
    PATH = "path"


@dataclass(frozen=True, slots=True)
class Reason:
    """One cause. `blocking` is what keeps it from being ACTIVE (or in sync); the rest is worth knowing.

    `host` is the host or switch concerned, "" for none. `text` and `cure` are for administrators and name hosts.
    """

    ground: Ground
    text: str
    cure: str = ""
    host: str = ""
    blocking: bool = True
