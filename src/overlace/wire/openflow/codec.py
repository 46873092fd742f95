"""Messages to bytes and back (OpenFlow 1.5, section 7), for both ends of a connection.

`Decoder` splits a byte stream. A wrong frame ends the stream; a right frame with a wrong body is a `Malformed`
message, so that one bad message costs no session.
"""

import struct
from collections.abc import Callable
from typing import Any

from overlace.datapath.actions import CONTROLLER
from overlace.datapath.fields import Field
from overlace.datapath.flow import Flow
from overlace.datapath.match import match
from overlace.wire.errors import MalformedError
from overlace.wire.openflow import messages as m
from overlace.wire.openflow.action_codec import NICIRA, decode_actions, encode_actions
from overlace.wire.openflow.multipart_codec import decode_multipart, encode_multipart, is_multipart
from overlace.wire.openflow.oxm import decode_fields, decode_match, encode_match
from overlace.wire.openflow.table_codec import (
    NO_BUFFER,
    decode_flow_mod_body,
    decode_group_mod_body,
    decode_meter_mod_body,
    decode_port,
    encode_flow_mod_body,
    encode_group_mod_body,
    encode_meter_mod_body,
    encode_port,
)

OFP_VERSION = 0x06
_HEADER = struct.Struct("!BBHI")
_HELLO, _ERROR, _ECHO_REQUEST, _ECHO_REPLY, _EXPERIMENTER = 0, 1, 2, 3, 4
_FLOW_MOD = 14
_MULTIPART_REQUEST, _MULTIPART_REPLY = 18, 19
_SET_PACKET_IN_FORMAT, _SET_CONTROLLER_ID, _PACKET_IN2 = 16, 20, 30


class ProtocolError(ValueError):
    """The byte stream is not OpenFlow: nothing after this can be read."""


def encode(message: m.Message, xid: int) -> bytes:
    """A message in its frame. Raises ValueError when something in it has no OpenFlow form."""
    if is_multipart(message):
        kind, body = encode_multipart(message)
    else:
        kind, encode_body = _ENCODERS[type(message)]
        body = encode_body(message)
    return _frame(kind, body, xid)


def encode_flow_add(flow: Flow, xid: int = 0) -> bytes:
    """The flow-mod that adds or overwrites a flow."""
    return _frame(_FLOW_MOD, encode_flow_mod_body(flow, m.FlowModCommand.ADD), xid)


def encode_flow_delete_strict(flow: Flow, xid: int = 0) -> bytes:
    """The flow-mod that deletes exactly this entry, whatever it does."""
    return _frame(_FLOW_MOD, encode_flow_mod_body(flow, m.FlowModCommand.DELETE_STRICT), xid)


def _frame(kind: int, body: bytes, xid: int) -> bytes:
    length = 8 + len(body)
    if length > 0xFFFF:
        raise ValueError(f"a message of {length} bytes is longer than OpenFlow allows")
    return _HEADER.pack(OFP_VERSION, kind, length, xid) + body


def _encode_hello(message: m.Hello) -> bytes:
    bitmap = sum(1 << version for version in message.versions)
    return struct.pack("!HHI", 1, 8, bitmap)


def _decode_hello(body: bytes) -> m.Hello:
    if len(body) >= 8 and body[:2] == b"\0\1":
        bitmap = int.from_bytes(body[4:8], "big")
        return m.Hello(tuple(version for version in range(32) if bitmap >> version & 1))
    return m.Hello(())


def _encode_features(message: m.FeaturesReply) -> bytes:
    return struct.pack(
        "!QIBBxxII",
        message.datapath_id,
        message.n_buffers,
        message.n_tables,
        message.auxiliary_id,
        message.capabilities,
        0,
    )


def _role_body(message: m.RoleRequest | m.RoleReply) -> bytes:
    return struct.pack("!IIQ", message.role, 0xFFFF0000, message.generation_id)


def _encode_packet_out(message: m.PacketOut) -> bytes:
    actions = encode_actions(message.actions)
    source = encode_match(match({Field.IN_PORT: message.in_port}))
    return struct.pack("!IHxx", NO_BUFFER, len(actions)) + source + actions + message.frame


def _decode_packet_out(body: bytes) -> m.PacketOut:
    _, size = struct.unpack_from("!IH", body)
    source, offset = decode_match(body, 8)
    in_port = source.get(Field.IN_PORT)
    actions = decode_actions(body[offset : offset + size])
    return m.PacketOut(body[offset + size :], actions, in_port.value if in_port else CONTROLLER)


def _property(kind: int, value: bytes) -> bytes:
    length = 4 + len(value)
    return struct.pack("!HH", kind, length) + value + bytes(-length % 8)


def _encode_packet_in(message: m.PacketIn) -> bytes:
    metadata = encode_match(message.metadata)
    fields = metadata[4 : int.from_bytes(metadata[2:4], "big")]
    parts = [
        _property(0, message.frame),
        _property(1, struct.pack("!I", message.total_len)),
        _property(3, bytes([message.table])),
        _property(4, bytes(4) + message.cookie.to_bytes(8, "big")),
        _property(5, bytes([message.reason])),
        _property(6, fields),
        _property(7, message.userdata),
    ]
    return struct.pack("!II", NICIRA, _PACKET_IN2) + b"".join(parts)


def _decode_packet_in2(body: bytes) -> m.PacketIn:
    values: dict[int, bytes] = {}
    offset = 8
    while offset + 4 <= len(body):
        kind, length = struct.unpack_from("!HH", body, offset)
        if length < 4 or offset + length > len(body):
            raise MalformedError("packet-in property is cut short")
        values[kind] = body[offset + 4 : offset + length]
        offset += length + -length % 8
    frame = values.get(0, b"")
    total = values.get(1)
    return m.PacketIn(
        frame,
        len(frame) if total is None else int.from_bytes(total, "big"),
        int.from_bytes(values.get(5, b""), "big"),
        int.from_bytes(values.get(3, b""), "big"),
        int.from_bytes(values.get(4, b"")[4:], "big"),
        decode_fields(values.get(6, b"")),
        values.get(7, b""),
    )


def _decode_packet_in(body: bytes) -> m.PacketIn:
    _, total, reason, table, cookie = struct.unpack_from("!IHBBQ", body)
    metadata, offset = decode_match(body, 16)
    return m.PacketIn(body[offset + 2 :], total, reason, table, cookie, metadata)


def _decode_flow_removed(body: bytes) -> m.FlowRemoved:
    table, reason, priority, _, _, cookie = struct.unpack_from("!BBHHHQ", body)
    matched, _ = decode_match(body, 16)
    return m.FlowRemoved(table, priority, matched, cookie, reason)


def _encode_flow_removed(message: m.FlowRemoved) -> bytes:
    head = struct.pack("!BBHHHQ", message.table, message.reason, message.priority, 0, 0, message.cookie)
    return head + encode_match(message.match) + struct.pack("!xxHxxxx", 4)


def _decode_bundle_control(body: bytes) -> m.BundleControl:
    bundle_id, kind, flags = struct.unpack_from("!IHH", body)
    return m.BundleControl(bundle_id, m.BundleControlType(kind), flags)


def _decode_bundle_add(body: bytes) -> m.BundleAdd:
    bundle_id, flags = struct.unpack_from("!IxxH", body)
    return m.BundleAdd(bundle_id, flags, body[8:])


def _decode_experimenter(body: bytes) -> m.Message:
    vendor, kind = struct.unpack_from("!II", body)
    if vendor == NICIRA and kind == _PACKET_IN2:
        return _decode_packet_in2(body)
    if vendor == NICIRA and kind == _SET_PACKET_IN_FORMAT:
        return m.NxSetPacketInFormat(int.from_bytes(body[8:12], "big"))
    if vendor == NICIRA and kind == _SET_CONTROLLER_ID:
        return m.NxSetControllerId(int.from_bytes(body[14:16], "big"))
    return m.Unknown(_EXPERIMENTER, body)


def _decode_async(body: bytes) -> m.SetAsync:
    masks = [struct.unpack_from("!HxxI", body, at) for at in range(0, len(body) - 7, 8)]
    return m.SetAsync(tuple((kind, mask) for kind, mask in masks))


def _role(kind: type[Any]) -> Callable[[bytes], m.Message]:
    def decode_role(body: bytes) -> m.Message:
        role, generation = struct.unpack_from("!IxxxxQ", body)
        message: m.Message = kind(m.Role(role), generation)
        return message

    return decode_role


def _empty(_: Any) -> bytes:
    return b""


_ENCODERS: dict[type, tuple[int, Callable[[Any], bytes]]] = {
    m.Hello: (_HELLO, _encode_hello),
    m.Error: (_ERROR, lambda x: struct.pack("!HH", x.type, x.code) + x.data),
    m.EchoRequest: (_ECHO_REQUEST, lambda x: x.data),
    m.EchoReply: (_ECHO_REPLY, lambda x: x.data),
    m.FeaturesRequest: (5, _empty),
    m.FeaturesReply: (6, _encode_features),
    m.GetConfigRequest: (7, _empty),
    m.GetConfigReply: (8, lambda x: struct.pack("!HH", x.flags, x.miss_send_len)),
    m.SetConfig: (9, lambda x: struct.pack("!HH", x.flags, x.miss_send_len)),
    m.FlowRemoved: (11, _encode_flow_removed),
    m.PortStatus: (12, lambda x: struct.pack("!B7x", x.reason) + encode_port(x.port)),
    m.PacketOut: (13, _encode_packet_out),
    m.FlowMod: (_FLOW_MOD, lambda x: encode_flow_mod_body(x.flow, x.command, x.cookie_mask)),
    m.GroupMod: (15, lambda x: encode_group_mod_body(x.group, x.command)),
    m.BarrierRequest: (20, _empty),
    m.BarrierReply: (21, _empty),
    m.RoleRequest: (24, _role_body),
    m.RoleReply: (25, _role_body),
    m.SetAsync: (28, lambda x: b"".join(struct.pack("!HHI", kind, 8, mask) for kind, mask in x.masks)),
    m.MeterMod: (29, lambda x: encode_meter_mod_body(x.meter, x.command)),
    m.RoleStatus: (30, lambda x: struct.pack("!IBxxxQ", x.role, x.reason, x.generation_id)),
    m.BundleControl: (33, lambda x: struct.pack("!IHH", x.bundle_id, x.type, x.flags)),
    m.BundleAdd: (34, lambda x: struct.pack("!IxxH", x.bundle_id, x.flags) + x.message),
    m.PacketIn: (_EXPERIMENTER, _encode_packet_in),
    m.NxSetPacketInFormat: (
        _EXPERIMENTER,
        lambda x: struct.pack("!III", NICIRA, _SET_PACKET_IN_FORMAT, x.format),
    ),
    m.NxSetControllerId: (
        _EXPERIMENTER,
        lambda x: struct.pack("!II6xH", NICIRA, _SET_CONTROLLER_ID, x.controller_id),
    ),
}


def _decode_error(body: bytes) -> m.Message:
    kind, code = struct.unpack_from("!HH", body)
    return m.Error(kind, code, body[4:])


def _decode_features(body: bytes) -> m.Message:
    dpid, buffers, tables, auxiliary, capabilities = struct.unpack_from("!QIBBxxI", body)
    return m.FeaturesReply(dpid, buffers, tables, auxiliary, capabilities)


def _decode_role_status(body: bytes) -> m.Message:
    role, reason, generation = struct.unpack_from("!IBxxxQ", body)
    return m.RoleStatus(m.Role(role), reason, generation)


def _decode_flow_mod(body: bytes) -> m.Message:
    return m.FlowMod(*decode_flow_mod_body(body))


def _decode_group_mod(body: bytes) -> m.Message:
    command, group = decode_group_mod_body(body)
    return m.GroupMod(m.GroupModCommand(command), group)


def _decode_meter_mod(body: bytes) -> m.Message:
    command, meter = decode_meter_mod_body(body)
    return m.MeterMod(m.MeterModCommand(command), meter)


_DECODERS: dict[int, Callable[[bytes], m.Message]] = {
    _HELLO: _decode_hello,
    _ERROR: _decode_error,
    _ECHO_REQUEST: lambda body: m.EchoRequest(body),
    _ECHO_REPLY: lambda body: m.EchoReply(body),
    _EXPERIMENTER: _decode_experimenter,
    5: lambda _: m.FeaturesRequest(),
    6: _decode_features,
    7: lambda _: m.GetConfigRequest(),
    8: lambda body: m.GetConfigReply(*struct.unpack_from("!HH", body)),
    9: lambda body: m.SetConfig(*struct.unpack_from("!HH", body)),
    10: _decode_packet_in,
    11: _decode_flow_removed,
    12: lambda body: m.PortStatus(body[0], decode_port(body[8:])[0]),
    13: _decode_packet_out,
    _FLOW_MOD: _decode_flow_mod,
    15: _decode_group_mod,
    _MULTIPART_REQUEST: lambda body: decode_multipart(body, is_reply=False),
    _MULTIPART_REPLY: lambda body: decode_multipart(body, is_reply=True),
    20: lambda _: m.BarrierRequest(),
    21: lambda _: m.BarrierReply(),
    24: _role(m.RoleRequest),
    25: _role(m.RoleReply),
    28: _decode_async,
    29: _decode_meter_mod,
    30: _decode_role_status,
    33: _decode_bundle_control,
    34: _decode_bundle_add,
}


class Decoder:
    """Splits a byte stream into messages."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    @property
    def between_messages(self) -> bool:
        """True when no part of a message waits for its rest."""
        return not self._buffer

    def feed(self, data: bytes) -> list[tuple[int, m.Message]]:
        """Take bytes; give the messages that are complete, with their transaction ids. Raises ProtocolError."""
        buffer = self._buffer
        buffer += data
        found: list[tuple[int, m.Message]] = []
        offset = 0
        while len(buffer) - offset >= 8:
            version, kind, length, xid = _HEADER.unpack_from(buffer, offset)
            if length < 8:
                raise ProtocolError(f"a message of {length} bytes has no room for its header")
            if version != OFP_VERSION and kind not in (_HELLO, _ERROR):
                raise ProtocolError(f"OpenFlow version {version:#x} where {OFP_VERSION:#x} was agreed")
            if len(buffer) - offset < length:
                break
            found.append((xid, decode_body(kind, bytes(buffer[offset + 8 : offset + length]))))
            offset += length
        del buffer[:offset]
        return found


def decode_body(kind: int, body: bytes) -> m.Message:
    """Read one message's body; what cannot be read becomes `Malformed`, what nobody reads `Unknown`."""
    decode = _DECODERS.get(kind)
    if decode is None:
        return m.Unknown(kind, body)
    try:
        return decode(body)
    except (MalformedError, struct.error, ValueError, IndexError) as error:
        return m.Malformed(kind, str(error), body)


def canonical_flow(flow: Flow) -> Flow:
    """The flow as a dump gives it back: encoded and read again."""
    _, again, _ = decode_flow_mod_body(encode_flow_mod_body(flow, m.FlowModCommand.ADD))
    return again
