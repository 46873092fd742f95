"""The server to which switches connect over OpenFlow (`ovs-vsctl set-controller <bridge> ssl:<address>:<port>`).

A connection knows nothing of plans: it answers requests, carries one transaction at a time, and passes on what
the switch says by itself. Which switch it is of, its owner decides.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

import structlog

from overlace.datapath.actions import CONTROLLER, Action
from overlace.kit.clock import Clock
from overlace.southbound.encoding import FIRST_XID, USUAL_ANSWERS, EncodedBatch
from overlace.southbound.failures import (
    NotConnectedError,
    PassiveError,
    RequestTimeoutError,
    SwitchRefusedError,
)
from overlace.southbound.outbox import Outbox
from overlace.southbound.refusals import Refusals
from overlace.southbound.shell import Channel, Shell
from overlace.southbound.transaction import Refusal, Transaction
from overlace.wire.openflow.messages import (
    Error,
    FeaturesReply,
    FlowRemoved,
    Malformed,
    Message,
    PacketIn,
    PacketOut,
    PortStatus,
    Role,
    RoleReply,
    RoleRequest,
    RoleStatus,
)
from overlace.wire.openflow.session import Closed, Event, MessageReceived, Ready, Session

log = structlog.get_logger(__name__)

DEFAULT_TIMEOUT = 10.0
"""Seconds that a switch has for an answer."""
MOST_ANSWER = 16 << 20
"""Bytes of one answer, some hundred thousand flows at most: it may announce for ever that there is more of it."""


class ConnectionOwner(Protocol):
    """Who is told about OpenFlow connections."""

    def switch_ready(self, connection: "SwitchConnection") -> None:
        """A switch has said hello and who it is."""
        ...

    def switch_lost(self, connection: "SwitchConnection", reason: str) -> None:
        """A connection that was ready is gone."""
        ...

    def switch_said(self, connection: "SwitchConnection", message: Message) -> None:
        """A message that answers nothing: packet-in, port status, flow removed, role status, stray error."""
        ...


class _Request:
    """A request under way: the parts of its answer so far, and who waits for it."""

    def __init__(self, future: "asyncio.Future[list[Message]]", heard: int) -> None:
        """`heard`: bytes that the switch had sent when it was asked."""
        self.future = future
        self.heard = heard
        self.parts: list[Message] = []


class SwitchConnection(Shell[Event]):
    """One switch's OpenFlow connection."""

    def __init__(self, clock: Clock, channel: Channel[Event], owner: ConnectionOwner) -> None:
        self._session = Session(clock.monotonic())
        super().__init__(self._session, clock, channel)
        self._owner = owner
        self._features: FeaturesReply | None = None
        self._requests: dict[int, _Request] = {}
        self._transaction: Transaction | None = None
        self._done: Callable[[list[Refusal]], None] = lambda _: None
        self._commit: asyncio.Future[list[Refusal]] | None = None
        self.busy_since: float | None = None
        self.connected_at = clock.monotonic()
        self.bytes_sent = 0
        self._heard = 0
        self.packet_outs_dropped = 0

    @property
    def datapath_id(self) -> int:
        """What the switch calls itself. Raises NotConnectedError before it has."""
        if self._features is None:
            raise NotConnectedError("the switch has not said its datapath id")
        return self._features.datapath_id

    @property
    def tables(self) -> int:
        """How many tables the switch says it has. Raises NotConnectedError before it has."""
        if self._features is None:
            raise NotConnectedError("the switch has not said how many tables it has")
        return self._features.n_tables

    @property
    def busy(self) -> bool:
        """True while a transaction is under way."""
        return self._transaction is not None

    def begin(
        self, batch: EncodedBatch, done: Callable[[list[Refusal]], None], *, careful: bool = False
    ) -> None:
        """Send a batch; `done` is called with the refusals when the switch has answered.

        Raises RuntimeError when one is under way. When the connection is lost, `done` is never called.
        """
        if self._transaction is not None:
            raise RuntimeError("one transaction at a time")
        self._done = done
        self._transaction = Transaction(batch, self._finished, careful=careful)
        self.busy_since = self._clock.monotonic()
        self.write(self._transaction.first_bytes())

    def _finished(self, refusals: list[Refusal]) -> None:
        self._transaction = self.busy_since = None
        self._done(refusals)

    async def commit(self, batch: EncodedBatch, *, careful: bool = False) -> list[Refusal]:
        """As `begin`, but wait. Raises NotConnectedError when the connection is lost."""
        if not self.is_open:
            raise NotConnectedError(f"{self.peer} is not connected")
        self._commit = asyncio.get_running_loop().create_future()
        self.begin(batch, self._commit.set_result, careful=careful)
        return await self._commit

    async def request(self, message: Message, timeout: float = DEFAULT_TIMEOUT) -> list[Message]:
        """Send a request and wait for its answer, which may come in several parts.

        Raises NotConnectedError, RequestTimeoutError (seconds) or SwitchRefusedError.
        """
        if not self.is_open:
            raise NotConnectedError(f"{self.peer} is not connected")
        request = _Request(asyncio.get_running_loop().create_future(), self._heard)
        xid = self._session.send(message)
        self._requests[xid] = request
        self.flush()
        try:
            async with asyncio.timeout(timeout):
                return await request.future
        except TimeoutError as error:
            raise RequestTimeoutError(f"no answer to {type(message).__name__} in {timeout:g} s") from error
        finally:
            self._requests.pop(xid, None)

    def tell(self, message: Message) -> None:
        """Send a message that has no answer."""
        if self.is_open:
            self._session.send(message)
            self.flush()

    async def become_master(self, generation_id: int) -> None:
        """Take the switch. Raises PassiveError when a newer generation has it (OpenFlow 1.5, 6.3.7)."""
        try:
            replies = await self.request(RoleRequest(Role.MASTER, generation_id))
        except SwitchRefusedError as error:
            raise PassiveError(f"generation {generation_id} is stale: {error.reason}") from error
        if not any(isinstance(reply, RoleReply) and reply.role is Role.MASTER for reply in replies):
            raise PassiveError(f"the switch did not grant the master role to generation {generation_id}")

    def packet_out(self, frame: bytes, actions: tuple[Action, ...], in_port: int = CONTROLLER) -> bool:
        """Let the switch send a frame. False when it was dropped because the switch does not keep up."""
        if self.congested or not self.is_open:
            self.packet_outs_dropped += 1
            return False
        self.tell(PacketOut(frame, actions, in_port))
        return True

    def read(self, data: bytes, now: float) -> Sequence[Event]:
        """Shell: bytes to the session, but for an answer that hundreds of switches give in just these bytes."""
        if (
            self._transaction is not None
            and data in USUAL_ANSWERS
            and self._session.pass_over(now)
            and self._transaction.take_usual_answer()
        ):
            return ()
        self._heard += len(data)
        return self._session.receive(data, now)

    def on_event(self, event: Event) -> None:
        """Shell: an event of the session."""
        match event:
            case MessageReceived(xid, message):
                self._on_message(xid, message)
            case Ready(features):
                self._features = features
                self._owner.switch_ready(self)
            case Closed(reason):
                log.info("openflow session ended", peer=self.peer, reason=reason)
                if self._features is None:
                    self.refuse(reason)
                self.close()

    def on_lost(self, reason: str) -> None:
        """Shell: the connection is gone."""
        self._transaction = self.busy_since = None
        waiting: list[asyncio.Future[list[Message]] | asyncio.Future[list[Refusal]] | None]
        waiting = [self._commit, *(request.future for request in self._requests.values())]
        for future in waiting:
            if future is not None and not future.done():
                future.set_exception(NotConnectedError(reason))
        if self._features is not None:
            self._owner.switch_lost(self, reason)

    def write(self, data: bytes) -> None:
        """Shell: send bytes, and count them."""
        self.bytes_sent += len(data)
        super().write(data)

    def _on_message(self, xid: int, message: Message) -> None:
        if isinstance(message, Malformed):
            log.warning(
                "malformed openflow message", peer=self.peer, type=message.type, reason=message.reason
            )
            self.close()
        elif isinstance(message, PacketIn | PortStatus | FlowRemoved | RoleStatus):
            self._owner.switch_said(self, message)
        elif (request := self._requests.get(xid)) is not None:
            self._on_answer(request, message)
        elif xid >= FIRST_XID and self._transaction is not None:
            if more := self._transaction.answer(xid, message):
                self.write(more)
        else:
            self._owner.switch_said(self, message)

    def _on_answer(self, request: _Request, message: Message) -> None:
        if request.future.done():
            return
        if isinstance(message, Error):
            request.future.set_exception(SwitchRefusedError(str(message), ""))
            return
        if self._heard - request.heard > MOST_ANSWER:
            log.warning("openflow answer without end", peer=self.peer, most=MOST_ANSWER)
            self.close()
            return
        request.parts.append(message)
        if not getattr(message, "more", False):
            request.future.set_result(request.parts)


class OpenFlowChannel(Channel[Event]):
    """Where switches connect."""

    def __init__(
        self,
        clock: Clock,
        tasks: asyncio.TaskGroup,
        refusals: Refusals,
        outbox: Outbox,
        owner: ConnectionOwner,
    ) -> None:
        super().__init__(tasks, "openflow", refusals, outbox)
        self._clock = clock
        self._owner = owner

    def connection(self) -> SwitchConnection:
        """Channel: a new connection."""
        return SwitchConnection(self._clock, self, self._owner)
