"""How a channel listens: address and TLS.

Each connection is accepted with the TLS context of that moment, so that new certificates and authorities hold at
once while connections made before stay; and a handshake that fails is told, with its cause, which asyncio's own
server would keep to itself.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from traceback import clear_frames
from typing import Protocol, cast

import structlog

from overlace.southbound.refusals import Refusals

log = structlog.get_logger(__name__)

HANDSHAKE_TIMEOUT = 10.0
"""Seconds that a peer has for the TLS handshake."""
_PAUSE = 1.0


class Credentials(Protocol):
    """Where a channel gets its certificates from, and who of those that they vouch for is refused."""

    def context(self) -> ssl.SSLContext:
        """For the next connection."""
        ...

    def refusal(self, serial: str) -> str | None:
        """Why the holder of a valid certificate is not admitted; None when it is."""
        ...


@dataclass(frozen=True, slots=True)
class Listen:
    """Where to listen. Port 0 lets the system choose; without `tls`, peers are not authenticated."""

    host: str
    port: int
    tls: Credentials | None = None


@dataclass(frozen=True, slots=True)
class PeerCertificate:
    """What a peer has shown, verified. `serial` is hexadecimal; the common name may be empty."""

    common_name: str
    serial: str


def peer_certificate(ssl_object: ssl.SSLObject | None) -> PeerCertificate | None:
    """The peer's verified certificate; None without TLS."""
    if ssl_object is None:
        return None
    shown = ssl_object.getpeercert() or {}
    subject = cast("tuple[tuple[tuple[str, str], ...], ...]", shown.get("subject", ()))
    name = next((value for part in subject for key, value in part if key == "commonName"), "")
    return PeerCertificate(name, str(shown.get("serialNumber", "")))


class Listener:
    """Accepts connections until it is stopped; whatever one peer sends ends no other's."""

    def __init__(self, tasks: asyncio.TaskGroup, what: str, refusals: Refusals) -> None:
        """`what` says in log lines which port it is."""
        self._tasks = tasks
        self._what = what
        self._refusals = refusals
        self._sockets: list[socket.socket] = []
        self._accepting: list[asyncio.Task[None]] = []
        self._handshakes: set[asyncio.Task[None]] = set()

    @property
    def port(self) -> int:
        """The port listened on. Raises RuntimeError when not started."""
        if not self._sockets:
            raise RuntimeError(f"the {self._what} port is not listening")
        return int(self._sockets[0].getsockname()[1])

    async def start(self, listen: Listen, factory: Callable[[], asyncio.Protocol]) -> None:
        """Begin to listen. Raises OSError when the address cannot be had."""
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(
            listen.host or None, listen.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        try:
            for family, _, _, _, address in dict.fromkeys(found):
                opened = socket.create_server(address, family=family, backlog=512)
                opened.setblocking(False)
                self._sockets.append(opened)
        except OSError:
            await self.stop()
            raise
        self._accepting = [
            self._tasks.create_task(self._accept(each, listen, factory), name=f"{self._what} port")
            for each in self._sockets
        ]

    async def stop(self) -> None:
        """Stop listening; connections stay."""
        running = [*self._accepting, *self._handshakes]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        for each in self._sockets:
            each.close()
        self._sockets, self._accepting = [], []

    async def _accept(
        self, listening: socket.socket, listen: Listen, factory: Callable[[], asyncio.Protocol]
    ) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                accepted, _ = await loop.sock_accept(listening)
            except OSError as error:  # the peer is gone again, or no descriptors are left
                log.warning("cannot accept a connection", port=self._what, reason=str(error))
                await asyncio.sleep(_PAUSE)
                continue
            task = self._tasks.create_task(self._welcome(accepted, listen.tls, factory))
            self._handshakes.add(task)
            task.add_done_callback(self._handshakes.discard)

    async def _welcome(
        self, accepted: socket.socket, tls: Credentials | None, factory: Callable[[], asyncio.Protocol]
    ) -> None:
        peer = "?"
        try:
            peer = "{}:{}".format(*accepted.getpeername()[:2])
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await asyncio.get_running_loop().connect_accepted_socket(
                factory,
                accepted,
                ssl=None if tls is None else tls.context(),
                ssl_handshake_timeout=None if tls is None else HANDSHAKE_TIMEOUT,
            )
        except asyncio.CancelledError:
            accepted.close()
            raise
        except ConnectionResetError as error:
            # It has hung up by itself, like whoever only asks whether the port is open: nobody was refused.
            accepted.close()
            log.info("connection ended before its handshake did", port=self._what, peer=peer)
            clear_frames(error.__traceback__)
        except OSError as error:
            accepted.close()
            reason = explain(error)
            log.warning("connection refused", port=self._what, peer=peer, reason=reason)
            self._refusals.refused(self._what, peer, reason)
            # Frames that failed and the error hold each other, and OpenSSL's buffers with them: 30 KB for each
            # stranger, until the collector looks.
            clear_frames(error.__traceback__)


# OpenSSL's X509_verify_cert_error_string(3), by code.
_VERIFICATION = {
    9: "its certificate is not valid yet: is its clock right?",
    10: "its certificate has expired; renew it with: overlace pki renew NAME",
    18: "its certificate signs itself, and no authority of this controller knows it",
    19: "its certificate is of an authority that is not this controller's; join it again",
    20: "its certificate is of an authority that is not this controller's; join it again",
    26: "its certificate is not made for a TLS client",
}
_PLAIN = (
    "WRONG_VERSION_NUMBER",
    "HTTP_REQUEST",
    "HTTPS_PROXY_REQUEST",
    "UNKNOWN_PROTOCOL",
    "BAD_RECORD_TYPE",
)


def explain(error: OSError) -> str:
    """Cause and cure of a handshake that failed, in words."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _VERIFICATION.get(error.verify_code, f"its certificate is refused: {error.verify_message}")
    if isinstance(error, ssl.SSLError):
        reason = str(error.reason or error)
        if reason == "PEER_DID_NOT_RETURN_A_CERTIFICATE":
            return "it shows no certificate; join it with: overlace join NAME"
        if reason in _PLAIN:
            return "it does not speak TLS: was it joined with --plaintext?"
        if reason.endswith("ALERT_CERTIFICATE_EXPIRED"):
            return "it takes this controller's certificate for expired: is its clock right?"
        if reason.endswith("ALERT_BAD_CERTIFICATE"):  # what OpenSSL says, among others, before its time
            return "it does not accept this controller's certificate: is its clock right?"
        if reason.endswith(("ALERT_UNKNOWN_CA", "ALERT_CERTIFICATE_UNKNOWN")):
            return "it does not trust this controller's certificate; join it again"
        if reason.endswith("ALERT_UNSUPPORTED_CERTIFICATE"):
            return "it takes the certificate shown here for no controller's; mend with: overlace pki renew controller"
        return f"TLS failed: {reason.replace('_', ' ').lower()}"
    return str(error) or type(error).__name__
