"""Answering what a switch has handed over: whose packet it is, what is known about that port, what to send back."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import structlog

from overlace.compiler.pipeline import SOURCE_PORT
from overlace.datapath.actions import Output
from overlace.datapath.fields import Field
from overlace.model.port import Binding, Port
from overlace.model.snapshot import Snapshot
from overlace.wire.errors import MalformedError
from overlace.wire.openflow.messages import PacketIn, PacketOut

log = structlog.get_logger(__name__)
F = TypeVar("F")


@dataclass(frozen=True, slots=True)
class Reply:
    """The frame to send back, if any, what was decided, and why."""

    frame: bytes | None
    outcome: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Service(Generic[F]):
    """One kind of question. `facts_of` is None where there is nothing to say to a port; `respond` raises
    MalformedError."""

    name: str
    facts_of: Callable[[Snapshot, Port], F | None]
    respond: Callable[[bytes, F], Reply]

    def answer(
        self, snapshot: Snapshot, host: str, packet: PacketIn, outcomes: Counter[str]
    ) -> PacketOut | None:
        """The packet-out that answers a port on `host`, or None when nothing is sent; counts outcomes."""
        port = requesting_port(snapshot, host, packet)
        facts = None if port is None else self.facts_of(snapshot, port)
        if port is None or facts is None:
            outcomes["unknown port"] += 1
            return None
        try:
            reply = self.respond(packet.frame, facts)
        except MalformedError as error:
            outcomes["malformed"] += 1
            log.info(f"{self.name} request cannot be read", host=host, port=port.id, reason=str(error))
            return None
        outcomes[reply.outcome] += 1
        log.debug(self.name, host=host, port=port.id, outcome=reply.outcome, reason=reply.reason)
        return None if reply.frame is None else _back(packet, reply.frame)


def requesting_port(snapshot: Snapshot, host: str, packet: PacketIn) -> Port | None:
    """The port whose key the pipeline put on the packet."""
    key = packet.metadata.get(SOURCE_PORT)
    if key is None:
        return None
    for binding in snapshot.members(Binding, "host", host):
        port = snapshot.get(Port, binding.port_id)
        if port is not None and port.key == key.value:
            return port
    return None


def _back(packet: PacketIn, frame: bytes) -> PacketOut | None:
    """Out of the OpenFlow port that the packet came in by; None where the switch did not tell."""
    in_port = packet.metadata.get(Field.IN_PORT)
    return None if in_port is None else PacketOut(frame, (Output(in_port.value),))
