"""What the southbound tells those who wire it: the fate of plans, and what switches say by themselves."""

from collections.abc import Sequence
from typing import Protocol

from overlace.compiler.plan import SwitchName
from overlace.datapath.flow import Flow
from overlace.southbound.failures import PlanFailure
from overlace.wire.openflow.messages import PacketIn


class PlanListener(Protocol):
    """Called on the event loop's thread; must return soon and must not raise."""

    def connected(self, switch: SwitchName, connected: bool) -> None:
        """The switch has come under control over OpenFlow, or is so no more (lost, or another is master)."""
        ...

    def acknowledged(self, switch: SwitchName, sequence: int) -> None:
        """Everything up to `sequence` is in the tables, save fragments that an earlier `failed` named.

        Told again, for the same sequence, after every reconnection.
        """
        ...

    def failed(self, switch: SwitchName, sequence: int, failure: PlanFailure) -> None:
        """Instead of `acknowledged`: all up to `sequence` is in the tables but the fragments of the failure."""
        ...

    def held(self, switch: SwitchName, reason: str) -> None:
        """Nothing is written to this switch until an operator says so; `reason` says what to do."""
        ...

    def learned(self, switch: SwitchName, flows: Sequence[Flow]) -> None:
        """What the data path had made for itself when the switch came under control."""
        ...


class PacketListener(Protocol):
    """Who answers packets that a flow sent to the controller."""

    def packet_in(self, switch: SwitchName, packet: PacketIn) -> None:
        """A packet has come. Called on the event loop's thread."""
        ...
