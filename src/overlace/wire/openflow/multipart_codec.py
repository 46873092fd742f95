"""Multipart requests and replies (OpenFlow 1.5, 7.3.5)."""

import struct
from collections.abc import Callable
from typing import Any

from overlace.datapath.actions import ANY
from overlace.wire.errors import MalformedError
from overlace.wire.openflow import messages as m
from overlace.wire.openflow.oxm import decode_match, encode_match
from overlace.wire.openflow.table_codec import (
    aggregate,
    decode_flow_entry,
    decode_group_desc,
    decode_meter_desc,
    decode_port,
    decode_stats,
    encode_flow_entry,
    encode_group_desc,
    encode_meter_desc,
    encode_port,
    encode_stats,
)

_REQUEST, _REPLY = 18, 19
_FLOW, _AGGREGATE, _GROUP, _METER, _PORT = 1, 2, 7, 10, 13
_MORE = 1
_SELECT = struct.Struct("!BxxxIIxxxxQQ")
_ALL = struct.pack("!Ixxxx", 0xFFFFFFFF)
_ALL_GROUPS = struct.pack("!Ixxxx", 0xFFFFFFFC)


def is_multipart(message: m.Message) -> bool:
    """True for what `encode_multipart` encodes."""
    return type(message) in _ENCODERS


def encode_multipart(message: m.Message) -> tuple[int, bytes]:
    """Message type and body."""
    kind, number, encode_body = _ENCODERS[type(message)]
    flags = _MORE if getattr(message, "more", False) else 0
    return kind, struct.pack("!HHxxxx", number, flags) + encode_body(message)


def decode_multipart(body: bytes, *, is_reply: bool) -> m.Message:
    """Read a request or reply. Raises MalformedError or struct.error."""
    number, flags = struct.unpack_from("!HHxxxx", body)
    decode = (_REPLY_DECODERS if is_reply else _REQUEST_DECODERS).get(number)
    if decode is None:
        return m.Unknown(_REPLY if is_reply else _REQUEST, body)
    return decode(body[8:], bool(flags & _MORE))


def _select(message: m.FlowStatsRequest | m.AggregateRequest) -> bytes:
    out_port = message.out_port if isinstance(message, m.FlowStatsRequest) else ANY
    head = _SELECT.pack(message.table, out_port, ANY, message.cookie, message.cookie_mask)
    return head + encode_match(message.match)


def _aggregate_reply(message: m.AggregateReply) -> bytes:
    return encode_stats(0, 0, message.packets, message.bytes, message.flows)


_ENCODERS: dict[type, tuple[int, int, Callable[[Any], bytes]]] = {
    m.FlowStatsRequest: (_REQUEST, _FLOW, _select),
    m.FlowStatsReply: (_REPLY, _FLOW, lambda x: b"".join(map(encode_flow_entry, x.entries))),
    m.AggregateRequest: (_REQUEST, _AGGREGATE, _select),
    m.AggregateReply: (_REPLY, _AGGREGATE, _aggregate_reply),
    m.GroupDescRequest: (_REQUEST, _GROUP, lambda _: _ALL_GROUPS),
    m.GroupDescReply: (_REPLY, _GROUP, lambda x: b"".join(map(encode_group_desc, x.groups))),
    m.MeterConfigRequest: (_REQUEST, _METER, lambda _: _ALL),
    m.MeterConfigReply: (_REPLY, _METER, lambda x: b"".join(map(encode_meter_desc, x.meters))),
    m.PortDescRequest: (_REQUEST, _PORT, lambda _: _ALL),
    m.PortDescReply: (_REPLY, _PORT, lambda x: b"".join(map(encode_port, x.ports))),
}


def _pieces(data: bytes, shortest: int) -> list[bytes]:
    """Cut a body into structures that begin with their 16-bit length."""
    pieces = []
    offset = 0
    while offset < len(data):
        (length,) = struct.unpack_from("!H", data, offset)
        if length < shortest or offset + length > len(data):
            raise MalformedError(f"multipart element of length {length}")
        pieces.append(data[offset : offset + length])
        offset += length
    return pieces


def _flow_reply(body: bytes, more: bool) -> m.Message:
    entries = []
    unreadable = 0
    for piece in _pieces(body, 32):
        try:
            entries.append(decode_flow_entry(piece))
        except (MalformedError, struct.error):
            unreadable += 1
    return m.FlowStatsReply(tuple(entries), more, unreadable)


def _port_reply(body: bytes, more: bool) -> m.Message:
    ports = []
    offset = 0
    while offset < len(body):
        port, length = decode_port(body[offset:])
        ports.append(port)
        offset += length
    return m.PortDescReply(tuple(ports), more)


def _selection(body: bytes) -> tuple[int, Any, int, int, int]:
    table, out_port, _, cookie, mask = _SELECT.unpack_from(body)
    return table, decode_match(body, _SELECT.size)[0], cookie, mask, out_port


_REPLY_DECODERS: dict[int, Callable[[bytes, bool], m.Message]] = {
    _FLOW: _flow_reply,
    _AGGREGATE: lambda body, _: m.AggregateReply(*aggregate(decode_stats(body, 0)[0])),
    _GROUP: lambda body, more: m.GroupDescReply(tuple(map(decode_group_desc, _pieces(body, 16))), more),
    _METER: lambda body, more: m.MeterConfigReply(tuple(map(decode_meter_desc, _pieces(body, 8))), more),
    _PORT: _port_reply,
}
_REQUEST_DECODERS: dict[int, Callable[[bytes, bool], m.Message]] = {
    _FLOW: lambda body, _: m.FlowStatsRequest(*_selection(body)),
    _AGGREGATE: lambda body, _: m.AggregateRequest(*_selection(body)[:4]),
    _GROUP: lambda _, __: m.GroupDescRequest(),
    _METER: lambda _, __: m.MeterConfigRequest(),
    _PORT: lambda _, __: m.PortDescRequest(),
}
