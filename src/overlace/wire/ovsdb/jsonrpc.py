"""JSON-RPC 1.0 messages as OVSDB uses them (RFC 7047 section 4): requests, responses and notifications."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from overlace.wire.errors import MalformedError


class Request(msgspec.Struct, frozen=True):
    """A call that expects an answer with the same `id`."""

    method: str
    params: Sequence[Any]
    id: Any


class Notification(msgspec.Struct, frozen=True):
    """A call that expects no answer (`id` is null on the wire)."""

    method: str
    params: Sequence[Any]


class Response(msgspec.Struct, frozen=True):
    """An answer: `error` is None on success, any JSON value otherwise."""

    id: Any
    result: Any
    error: Any


Message = Request | Notification | Response


class _Envelope(msgspec.Struct):
    """All the members that any message may have."""

    id: Any = None
    method: str | UnsetType = UNSET
    params: list[Any] | UnsetType = UNSET
    result: Any = UNSET
    error: Any = UNSET


_decoder = msgspec.json.Decoder(_Envelope)
_encoder = msgspec.json.Encoder()


def decode(data: bytes) -> Message:
    """Read one JSON text. Raises MalformedError when it is not a JSON-RPC message."""
    try:
        envelope = _decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as why:
        raise MalformedError(f"not a JSON-RPC message: {why}") from why
    if isinstance(envelope.method, str):
        if not isinstance(envelope.params, list):
            raise MalformedError(f"JSON-RPC call of {envelope.method!r} without params")
        if envelope.id is None:
            return Notification(envelope.method, envelope.params)
        return Request(envelope.method, envelope.params, envelope.id)
    if envelope.id is None or (envelope.result is UNSET and envelope.error is UNSET):
        raise MalformedError("JSON object is neither a JSON-RPC call nor a response")
    result = None if envelope.result is UNSET else envelope.result
    error = None if envelope.error is UNSET else envelope.error
    return Response(envelope.id, result, error)


def encode(message: Message) -> bytes:
    """Write one message as JSON text."""
    if isinstance(message, Notification):
        return _encoder.encode({"method": message.method, "params": message.params, "id": None})
    return _encoder.encode(message)
