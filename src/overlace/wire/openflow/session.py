"""One OpenFlow connection, seen from either end, without a socket.

Bytes and the time go in; events, bytes and the next deadline come out. Versions are agreed by HELLO (only 1.5
is spoken here), the controller then asks for the features, and silence is probed by echo requests.
"""

from dataclasses import dataclass

from overlace.wire.openflow.codec import OFP_VERSION, Decoder, ProtocolError, encode
from overlace.wire.openflow.messages import (
    EchoReply,
    EchoRequest,
    Error,
    FeaturesReply,
    FeaturesRequest,
    Hello,
    Message,
)

PROBE_AFTER = 5.0
"""Seconds of silence before an echo request."""
DEAD_AFTER = 15.0
"""Seconds of silence after which the peer is given up."""
_HELLO_FAILED, _INCOMPATIBLE = 0, 0


@dataclass(frozen=True, slots=True)
class Ready:
    """Versions are agreed and the switch has told who it is."""

    features: FeaturesReply


@dataclass(frozen=True, slots=True)
class MessageReceived:
    """A message that is not the session's own business."""

    xid: int
    message: Message


@dataclass(frozen=True, slots=True)
class Closed:
    """The session is over; nothing more will be read or sent."""

    reason: str


Event = Ready | MessageReceived | Closed


class _Connection:
    """What both ends do alike."""

    def __init__(self, now: float) -> None:
        self._decoder = Decoder()
        self._outgoing = bytearray()
        self._xid = 0
        self._heard = now
        self._probed = False
        self._agreed = False
        self.closed = False
        self.send(Hello((OFP_VERSION,)))

    def send(self, message: Message) -> int:
        """Queue a message; gives its transaction id."""
        self._xid = self._xid % 0x7FFFFFFF + 1
        self.reply(self._xid, message)
        return self._xid

    def reply(self, xid: int, message: Message) -> None:
        """Queue a message under a given transaction id."""
        if not self.closed:
            self._outgoing += encode(message, xid)

    def data_to_send(self) -> bytes:
        """Take the bytes that wait."""
        if not self._outgoing:
            return b""
        data = bytes(self._outgoing)
        self._outgoing.clear()
        return data

    def receive(self, data: bytes, now: float) -> list[Event]:
        """Take bytes from the peer."""
        if self.closed:
            return []
        self._heard, self._probed = now, False
        try:
            received = self._decoder.feed(data)
        except ProtocolError as error:
            return [self._close(str(error))]
        events: list[Event] = []
        for xid, message in received:
            events += self._handle(xid, message)
            if self.closed:
                break
        return events

    def pass_over(self, now: float) -> bool:
        """The peer has sent whole messages that the caller knows by their bytes: they count as heard, and need not be
        read. False when that is not so simple: then `receive` them."""
        if self.closed or not self._agreed or not self._decoder.between_messages:
            return False
        self._heard, self._probed = now, False
        return True

    def next_deadline(self) -> float | None:
        """When to call `tick`."""
        if self.closed:
            return None
        return self._heard + (DEAD_AFTER if self._probed else PROBE_AFTER)

    def tick(self, now: float) -> list[Event]:
        """Let time pass."""
        silent = now - self._heard
        if self.closed or silent < PROBE_AFTER:
            return []
        if silent >= DEAD_AFTER:
            return [self._close(f"nothing heard for {silent:.0f} s")]
        if not self._probed:
            self._probed = True
            self.send(EchoRequest())
        return []

    def _handle(self, xid: int, message: Message) -> list[Event]:
        match message:
            case Hello(versions=versions):
                return self._agree(xid, versions)
            case EchoRequest(data=data):
                self.reply(xid, EchoReply(data))
                return []
            case EchoReply():
                return []
            case Error(type=0):
                return [self._close("the peer speaks no OpenFlow 1.5")]
            case _ if not self._agreed:
                return [self._close("a message before HELLO")]
            case _:
                return self._on_message(xid, message)

    def _agree(self, xid: int, versions: tuple[int, ...]) -> list[Event]:
        if versions and OFP_VERSION not in versions:
            self.reply(xid, Error(_HELLO_FAILED, _INCOMPATIBLE, b"OpenFlow 1.5 is needed"))
            spoken = ", ".join(f"{version:#x}" for version in versions)
            return [self._close(f"the peer speaks OpenFlow {spoken}, not 1.5: set the bridge's protocols")]
        if not self._agreed:
            self._agreed = True
            self._on_agreed()
        return []

    def _close(self, reason: str) -> Closed:
        self.closed = True
        return Closed(reason)

    def _on_agreed(self) -> None:
        """Called once versions are agreed."""

    def _on_message(self, xid: int, message: Message) -> list[Event]:
        return [MessageReceived(xid, message)]


class Session(_Connection):
    """The controller's end."""

    def __init__(self, now: float) -> None:
        super().__init__(now)
        self.features: FeaturesReply | None = None

    def _on_agreed(self) -> None:
        self.send(FeaturesRequest())

    def _on_message(self, xid: int, message: Message) -> list[Event]:
        if isinstance(message, FeaturesReply) and self.features is None:
            self.features = message
            return [Ready(message)]
        return [MessageReceived(xid, message)]


class SwitchSession(_Connection):
    """The switch's end, for simulated switches."""

    def __init__(self, now: float, features: FeaturesReply) -> None:
        super().__init__(now)
        self.features = features

    def _on_message(self, xid: int, message: Message) -> list[Event]:
        if isinstance(message, FeaturesRequest):
            self.reply(xid, self.features)
            return [Ready(self.features)]
        return [MessageReceived(xid, message)]
