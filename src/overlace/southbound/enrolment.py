"""The port at which a host that joins gets its first certificate, in exchange for a token.

One request a connection: a line of JSON there, a line of JSON back, over TLS with a server certificate that the join
script checks against the authority it carries. The line may also be the word `clock`: a host that is to join wants to
know how far its own is off. Whoever sends anything else is answered with the reason and let go.
"""

import asyncio
from datetime import datetime
from typing import Protocol, cast

import msgspec
import structlog

from overlace.southbound.refusals import Refusals
from overlace.southbound.server import Listen, Listener

log = structlog.get_logger(__name__)

_PORT = "enrolment"

LARGEST_REQUEST = 16384
"""Bytes; a request with an RSA key of 4096 bits has about 2000."""
CLOCK = b"clock"
PATIENCE = 15.0
"""Seconds that a client has for its request."""


class EnrolmentRequest(msgspec.Struct, frozen=True):
    """What a host says: who it is (``host:h1``), the token, its certificate request in PEM, and what time it is there
    (seconds since 1970)."""

    subject: str
    token: str
    request: str
    clock: float | None = None


class EnrolmentReply(msgspec.Struct, frozen=True, omit_defaults=True):
    """A certificate and the authorities to trust, in PEM; or why not, and what to do about it; or the time."""

    certificate: str = ""
    trust: str = ""
    refused: str = ""
    clock: float | None = None
    """Seconds since 1970."""


class EnrolmentRefused(Exception):
    """No certificate; the text is for the host's operator."""


class Enroller(Protocol):
    """Who decides and signs."""

    async def enrol(self, request: EnrolmentRequest) -> EnrolmentReply:
        """The certificate. Raises EnrolmentRefused."""
        ...

    def now(self) -> datetime:
        """What time it is."""
        ...


class EnrolmentPort:
    """Listens; what one client sends harms no other."""

    def __init__(self, tasks: asyncio.TaskGroup, enroller: Enroller, refusals: Refusals) -> None:
        self._tasks = tasks
        self._enroller = enroller
        self._refusals = refusals
        self._listener = Listener(tasks, _PORT, refusals)

    @property
    def port(self) -> int:
        """The port listened on. Raises RuntimeError when not started."""
        return self._listener.port

    async def start(self, listen: Listen) -> None:
        """Begin to listen. Raises OSError when the address cannot be had."""
        await self._listener.start(listen, lambda: _Client(self._tasks, self._enroller, self._refusals))

    async def stop(self) -> None:
        """Stop listening; a client that is being answered still gets its answer."""
        await self._listener.stop()


class _Client(asyncio.Protocol):
    def __init__(self, tasks: asyncio.TaskGroup, enroller: Enroller, refusals: Refusals) -> None:
        self._refusals = refusals
        self._tasks = tasks
        self._enroller = enroller
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()
        self._timer: asyncio.TimerHandle | None = None
        self._answering = False
        self._peer = "?"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        address = transport.get_extra_info("peername")
        self._peer = f"{address[0]}:{address[1]}" if isinstance(address, tuple) else "?"
        self._timer = asyncio.get_running_loop().call_later(PATIENCE, transport.abort)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        if self._answering:
            return
        self._received += data
        line, newline, _ = bytes(self._received).partition(b"\n")
        if newline:
            self._answering = True
            self._tasks.create_task(self._answer(line))
        elif len(self._received) > LARGEST_REQUEST:
            self._answering = True
            self._reply(self._refused("?", "the request is too long"))

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self._transport = None
        if self._timer is not None:
            self._timer.cancel()

    async def _answer(self, line: bytes) -> None:
        if line == CLOCK:
            self._reply(EnrolmentReply(clock=self._enroller.now().timestamp()))
            return
        subject = "?"
        try:
            request = msgspec.json.decode(line, type=EnrolmentRequest)
            subject = request.subject
            reply = await self._enroller.enrol(request)
            log.info("certificate issued", subject=subject, peer=self._peer)
            self._refusals.admitted(_PORT, self._peer)
        except msgspec.MsgspecError as error:
            reply = self._refused(subject, f"this is no enrolment request: {error}")
        except EnrolmentRefused as error:
            reply = self._refused(subject, str(error))
        self._reply(reply)

    def _refused(self, subject: str, reason: str) -> EnrolmentReply:
        log.warning("enrolment refused", subject=subject, peer=self._peer, reason=reason)
        self._refusals.refused(_PORT, self._peer, f"{subject}: {reason}")
        return EnrolmentReply(refused=reason)

    def _reply(self, reply: EnrolmentReply) -> None:
        if self._transport is not None:
            self._transport.write(msgspec.json.encode(reply) + b"\n")
            self._transport.close()
