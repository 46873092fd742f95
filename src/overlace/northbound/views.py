"""What the API shows of things that the store does not hold; `app` binds the neighbours that know."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


class StatusView(Protocol):
    """The truth about "done"."""

    def port_status(self, port_id: str) -> str:
        """ACTIVE, BUILD, DOWN or ERROR."""
        ...


class HostView(Protocol):
    """Which hosts have a live channel."""

    def host_alive(self, host_id: str) -> bool:
        """Whether the controller hears the host now."""
        ...

    def host_heartbeat(self, host_id: str) -> datetime | None:
        """When the controller last heard it, None for never."""
        ...


class RealisationView(Protocol):
    """How far intents have come."""

    def status(self) -> Mapping[str, object]:
        """The controller in a few JSON values: revision compiled, revision acknowledged, hosts ..."""
        ...

    def port_realisation(self, port_id: str) -> Mapping[str, object]:
        """Why a port is what it is: JSON values by host, with what is pending or failed."""
        ...


class Tracer(Protocol):
    """Follows a packet through the installed flows."""

    async def trace(self, request: Mapping[str, object]) -> Mapping[str, object]:
        """The hops of the described packet. Raises ValueError when the description is unusable."""
        ...


@dataclass(frozen=True, slots=True)
class Views:
    """All of them."""

    status: StatusView
    hosts: HostView
    realisation: RealisationView
    tracer: Tracer
