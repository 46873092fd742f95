"""What the pipeline asks of connection tracking, and an oracle that always gives the answers it was told."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from overlace.datapath.actions import SetField
from overlace.datapath.fields import CtState
from overlace.datapath.interpreter.packet import Packet


@dataclass(frozen=True, slots=True)
class Tracked:
    """What ct() tells about a packet: `CtState` bits, and mark and label of its connection."""

    state: int
    mark: int = 0
    label: int = 0


class ConntrackOracle(Protocol):
    """Connection tracking of one switch; zones are separate worlds (ovs-actions(7), ct)."""

    def lookup(self, zone: int, packet: Packet) -> Tracked:
        """Send a packet through the tracker."""
        ...

    def commit(self, zone: int, packet: Packet, *, force: bool, set_fields: tuple[SetField, ...]) -> bool:
        """Remember the packet's connection; False when there is none to remember (an invalid packet)."""
        ...


class AssumedConntrack:
    """Answers the given states one after the other, the last for ever; as ``ofproto/trace --ct-next``.

    The default, also that of ofproto/trace, is a new connection. `TRK` is always set.
    """

    def __init__(self, states: int | Iterable[int] = CtState.NEW, *, mark: int = 0, label: int = 0) -> None:
        self._states = [states] if isinstance(states, int) else list(states)
        self._mark = mark
        self._label = label

    def lookup(self, zone: int, packet: Packet) -> Tracked:  # noqa: ARG002  an answer needs no question
        """The next state of the list."""
        state = self._states.pop(0) if len(self._states) > 1 else self._states[0]
        return Tracked(state | CtState.TRK, self._mark, self._label)

    def commit(
        self,
        zone: int,  # noqa: ARG002
        packet: Packet,  # noqa: ARG002
        *,
        force: bool,  # noqa: ARG002
        set_fields: tuple[SetField, ...],  # noqa: ARG002
    ) -> bool:
        """Accepts everything, remembers nothing."""
        return True
