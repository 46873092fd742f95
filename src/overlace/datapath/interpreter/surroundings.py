"""What the meaning of a flow table depends on beyond its contents: ports, meters, connections, the time."""

from collections.abc import Callable, Container
from dataclasses import dataclass, field

from overlace.datapath.interpreter.conntrack import AssumedConntrack, ConntrackOracle
from overlace.datapath.interpreter.packet import Packet
from overlace.datapath.interpreter.selection import ChooseBucket, choose_by_flow_hash


def _every_port_is_live(port: int) -> bool:  # noqa: ARG001
    return True


def _every_meter_passes(meter_id: int, packet: Packet) -> bool:  # noqa: ARG001
    return True


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The state of a switch around its tables. Every default is the friendly one.

    `now` is in seconds, on the scale of the tables' `add()` and `expire()`. `ports` are those that exist, None
    for all.
    """

    conntrack: ConntrackOracle = field(default_factory=AssumedConntrack)
    port_is_live: Callable[[int], bool] = _every_port_is_live
    meter_passes: Callable[[int, Packet], bool] = _every_meter_passes
    choose_bucket: ChooseBucket = choose_by_flow_hash
    ports: Container[int] | None = None
    now: float = 0.0
