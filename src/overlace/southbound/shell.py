"""The thin I/O shell around a sans-IO session (bytes in and out, its deadlines on the event loop's timer), and the
channel of a port that accepts such connections.

A session that meets malformed bytes ends by itself; the shell then closes this one connection and no other. So it
does when the bytes set off a fault in what they are given to. A peer is a stranger until `admit` is called: an
address may have only so many of them, for so long, and nothing is kept for one that does not read. The
write buffer's high-water mark is reported through `congested`, so that whoever has droppable things to send
(packet-outs) can hold back; everything else is bounded by having one change under way per switch.
"""

import asyncio
from abc import abstractmethod
from collections.abc import Sequence
from ssl import SSLObject
from typing import ClassVar, Generic, Protocol, TypeVar, cast

import structlog

from overlace.kit.clock import Clock
from overlace.southbound.outbox import Outbox
from overlace.southbound.refusals import Refusals
from overlace.southbound.server import Credentials, Listen, Listener, PeerCertificate, peer_certificate

log = structlog.get_logger(__name__)

STRANGER_TIME = 60.0
"""Seconds that a peer has to show that it is expected."""
MOST_UNSENT = 128 * 1024 * 1024
"""Bytes that may wait for a peer which does not read."""

E_co = TypeVar("E_co", covariant=True)
E = TypeVar("E")


class Core(Protocol[E_co]):
    """What every sans-IO session of `wire` offers."""

    def data_to_send(self) -> bytes:
        """Take the bytes that wait."""
        ...

    def next_deadline(self) -> float | None:
        """When to call `tick`."""
        ...

    def tick(self, now: float) -> Sequence[E_co]:
        """Let time pass."""
        ...


class Channel(Generic[E]):
    """A port and its connections; every connection lives and dies for itself."""

    def __init__(self, tasks: asyncio.TaskGroup, what: str, refusals: Refusals, outbox: Outbox) -> None:
        """`what` is the protocol's name, for people."""
        self.what = what
        self.refusals = refusals
        self.outbox = outbox
        self._listener = Listener(tasks, what, refusals)
        self.connections: set[Shell[E]] = set()
        self.tls: Credentials | None = None

    @property
    def port(self) -> int:
        """The port listened on. Raises RuntimeError when not started."""
        return self._listener.port

    async def start(self, listen: Listen) -> None:
        """Begin to listen. Raises OSError when the address cannot be had."""
        self.tls = listen.tls
        await self._listener.start(listen, self.connection)

    async def stop(self) -> None:
        """Stop listening and drop all connections."""
        await self._listener.stop()
        for connection in tuple(self.connections):
            connection.close()

    def check_certificates(self) -> None:
        """Close the connections of peers whose certificates were revoked meanwhile."""
        for connection in tuple(self.connections):
            connection.check_certificate()

    @abstractmethod
    def connection(self) -> "Shell[E]":
        """A new connection."""


class Shell(asyncio.Protocol, Generic[E]):
    """One connection. Subclasses say how bytes are read and what events mean."""

    most_strangers: ClassVar[int] = 128
    """Connections of one address that have not been admitted."""

    def __init__(self, core: Core[E], clock: Clock, channel: "Channel[E]") -> None:
        """The connection adds itself to its channel's live ones."""
        self._core = core
        self._siblings = channel.connections
        self._what = channel.what
        self._refusals = channel.refusals
        self._outbox = channel.outbox
        self._tls = channel.tls
        self._clock = clock
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._patience: asyncio.TimerHandle | None = None
        self._address: str | None = None
        self.admitted = False
        self.congested = False
        self.certificate: PeerCertificate | None = None
        self.peer = "?"

    @abstractmethod
    def read(self, data: bytes, now: float) -> Sequence[E]:
        """Give bytes to the session."""

    @abstractmethod
    def on_event(self, event: E) -> None:
        """Act on one event of the session."""

    @abstractmethod
    def on_lost(self, reason: str) -> None:
        """The connection is gone; called once."""

    @property
    def is_open(self) -> bool:
        """True while bytes can be sent."""
        return self._transport is not None and not self._transport.is_closing()

    @property
    def common_name(self) -> str | None:
        """Whom the peer's certificate is made out to; None without TLS, empty when to nobody."""
        return self.certificate.common_name if self.certificate else None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio: the peer is there (and over TLS, has shown its certificate)."""
        self._transport = cast("asyncio.Transport", transport)
        self._siblings.add(self)
        peer = transport.get_extra_info("peername")
        self.peer = f"{peer[0]}:{peer[1]}" if isinstance(peer, tuple) else str(peer or "?")
        self._address = str(peer[0]) if isinstance(peer, tuple) else None
        ssl_object = transport.get_extra_info("ssl_object")
        self.certificate = peer_certificate(cast("SSLObject | None", ssl_object))
        if sum(each.is_stranger_of(self._address) for each in self._siblings) > self.most_strangers:
            self._turn_away("too many connections of its address are not admitted")
            return
        self.check_certificate()
        self._patience = asyncio.get_running_loop().call_later(STRANGER_TIME, self._lose_patience)
        self.flush()
        self._arm()

    def check_certificate(self) -> None:
        """Close a connection whose certificate is refused (by now)."""
        if self.certificate is None or self._tls is None:
            return
        refusal = self._tls.refusal(self.certificate.serial)
        if refusal is not None:
            log.warning("connection refused", peer=self.peer, reason=refusal)
            self.refuse(refusal)

    def is_stranger_of(self, address: str | None) -> bool:
        """Whether this is a connection of that address which has not been admitted."""
        return not self.admitted and self._address == address

    def admit(self) -> None:
        """The peer is one that was expected."""
        self.admitted = True
        self._refusals.admitted(self._what, self.peer)
        if self._patience is not None:
            self._patience.cancel()

    def refuse(self, reason: str) -> None:
        """The peer is not taken; what it did wrong is remembered for a while."""
        self._refusals.refused(self._what, self.peer, reason)
        self.close()

    def data_received(self, data: bytes) -> None:
        """asyncio: bytes have come."""
        if not self.is_open:
            return
        try:
            self._dispatch(self.read(data, self._clock.monotonic()))
        except Exception:
            log.exception("fault while reading what a peer has sent", peer=self.peer)
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio: the connection is over, whoever ended it."""
        self._transport = None
        self._siblings.discard(self)
        for timer in (self._timer, self._patience):
            if timer is not None:
                timer.cancel()
        self.on_lost(str(exc) if exc else "connection closed")

    def pause_writing(self) -> None:
        """asyncio: the peer does not keep up."""
        self.congested = True
        if not self.admitted:
            self._turn_away("it does not read what it asked for")

    def resume_writing(self) -> None:
        """asyncio: the peer has caught up."""
        self.congested = False

    def flush(self) -> None:
        """Send what the session has to say."""
        if self.is_open and (data := self._core.data_to_send()):
            self.write(data)

    def write(self, data: bytes) -> None:
        """Send bytes as they are, after whatever was flushed before, once what they say is durable."""
        self._outbox.send(self._write_now, data)

    def _write_now(self, data: bytes) -> None:
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        transport.write(data)
        if self.congested and transport.get_write_buffer_size() > MOST_UNSENT:
            self._turn_away(f"more than {MOST_UNSENT >> 20} MiB wait for it")

    def close(self) -> None:
        """End the connection now, without waiting for a peer that may never read again."""
        if self._transport is not None:
            self._transport.abort()

    def _lose_patience(self) -> None:
        if self.is_open:
            self._turn_away(f"it was not admitted in {STRANGER_TIME:g} s")

    def _turn_away(self, reason: str) -> None:
        log.warning("connection closed", peer=self.peer, reason=reason)
        self.refuse(reason)

    def _dispatch(self, events: Sequence[E]) -> None:
        for event in events:
            self.on_event(event)
        self.flush()

    def _arm(self) -> None:
        """Wake at the deadline; a deadline that has moved by then is simply waited for again."""
        deadline = self._core.next_deadline()
        if deadline is None or not self.is_open:
            return
        delay = max(0.0, deadline - self._clock.monotonic())
        self._timer = asyncio.get_running_loop().call_later(delay, self._on_timer)

    def _on_timer(self) -> None:
        self._dispatch(self._core.tick(self._clock.monotonic()))
        self._arm()
