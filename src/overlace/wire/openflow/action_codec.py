"""Actions and instructions on the wire (OpenFlow 1.5, 7.2.6 and 7.2.8; ovs-actions(7) for the extensions)."""

import struct
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

from overlace.datapath import actions as a
from overlace.datapath.fields import Field
from overlace.datapath.match import CACHED
from overlace.wire.errors import MalformedError
from overlace.wire.openflow.learn_codec import decode_learn, encode_learn
from overlace.wire.openflow.oxm import decode_fields, encode_value, field_of, header_of

_NEWEST = 1 << 12
"""So many of the actions, and of the lists of them, that were written last are kept as bytes."""
NICIRA = 0x00002320
_NX_HEADER = struct.Struct("!HHIH")
_SUBTYPE = {
    "note": 8, "resubmit": 14, "output_reg": 15, "learn": 16, "ct": 35, "controller2": 37, "clone": 42,
    "ct_clear": 43, "encap": 46, "decap": 47, "check_pkt_larger": 49,
}  # fmt: skip
_OUTPUT, _PUSH_VLAN, _POP_VLAN, _PUSH_MPLS, _POP_MPLS = 0, 17, 18, 19, 20
_GROUP, _DEC_TTL, _SET_FIELD, _COPY_FIELD, _METER, _EXPERIMENTER = 22, 24, 25, 28, 29, 0xFFFF
_KEEP_IN_PORT = 0xFFF8
_NO_TABLE = 0xFF
_NEXT_PROTOCOL = 0xFFFE
_GOTO_TABLE, _APPLY_ACTIONS = 1, 4


@lru_cache(maxsize=_NEWEST)
def encode_instructions(actions: tuple[a.Action, ...]) -> bytes:
    """Apply-actions, then goto-table where the list ends with it. No actions is no instruction: drop."""
    target = actions[-1] if actions and isinstance(actions[-1], a.Goto) else None
    body = encode_actions(actions[:-1] if target is not None else actions)
    parts = struct.pack("!HHxxxx", _APPLY_ACTIONS, 8 + len(body)) + body if body else b""
    if target is not None:
        parts += struct.pack("!HHBxxx", _GOTO_TABLE, 8, target.table)
    return parts


@lru_cache(maxsize=CACHED)
def decode_instructions(data: bytes) -> tuple[a.Action, ...]:
    """What `encode_instructions` writes. Raises MalformedError, also for instructions never used here.

    Ports differ in what their flows match more than in what they do: the same bytes come again and again.
    """
    actions: tuple[a.Action, ...] = ()
    goto: tuple[a.Action, ...] = ()
    for kind, body in _elements(data):
        if kind == _APPLY_ACTIONS:
            actions += decode_actions(body[8:])
        elif kind == _GOTO_TABLE:
            goto = (a.Goto(body[4]),)
        else:
            raise MalformedError(f"instruction of type {kind}")
    return actions + goto


def encode_actions(actions: Iterable[a.Action]) -> bytes:
    """A list of actions. Raises ValueError for one that has no place inside a list."""
    return b"".join([_encode_action(action) for action in actions])


@lru_cache(maxsize=_NEWEST)
def _encode_action(action: a.Action) -> bytes:
    return _ENCODERS[type(action)](action)


def decode_actions(data: bytes) -> tuple[a.Action, ...]:
    """Read a list of actions. Raises MalformedError."""
    decoded = []
    for kind, body in _elements(data):
        if kind == _EXPERIMENTER:
            decoded.append(_decode_extension(body))
        elif kind in _DECODERS:
            decoded.append(_DECODERS[kind](body))
        else:
            raise MalformedError(f"action of type {kind}")
    return tuple(decoded)


def _elements(data: bytes) -> list[tuple[int, bytes]]:
    elements = []
    offset = 0
    while offset < len(data):
        if len(data) < offset + 8:
            raise MalformedError("action or instruction is cut short")
        kind, length = struct.unpack_from("!HH", data, offset)
        if length < 8 or length % 8 or offset + length > len(data):
            raise MalformedError(f"action or instruction of length {length}")
        elements.append((kind, data[offset : offset + length]))
        offset += length
    return elements


def _padded(kind: int, body: bytes) -> bytes:
    length = 4 + len(body)
    return struct.pack("!HH", kind, length + -length % 8) + body + bytes(-length % 8)


def extension(subtype: str, body: bytes) -> bytes:
    """An Open vSwitch action, padded to 8 octets."""
    length = 10 + len(body)
    padding = -length % 8
    return _NX_HEADER.pack(_EXPERIMENTER, length + padding, NICIRA, _SUBTYPE[subtype]) + body + bytes(padding)


def _offset_bits(subfield: a.Subfield) -> int:
    return subfield.start << 6 | subfield.bits - 1


def _subfield(header: int, offset_bits: int) -> a.Subfield:
    return a.Subfield(field_of(header), offset_bits >> 6, (offset_bits & 0x3F) + 1)


_NXM_IN_PORT = bytes.fromhex("00000002")
"""The 16-bit in_port: the only one that Open vSwitch lets a flow write."""


def _set_field(action: a.SetField) -> bytes:
    if action.field is Field.IN_PORT:
        return _padded(_SET_FIELD, _NXM_IN_PORT + (action.value & 0xFFFF).to_bytes(2, "big"))
    return _padded(_SET_FIELD, encode_value(action.field, action.value, action.mask))


def _copy_field(action: a.Move) -> bytes:
    source, target = action.source, action.target
    fields = header_of(source.field) + header_of(target.field)
    return _padded(_COPY_FIELD, struct.pack("!HHHxx", source.bits, source.start, target.start) + fields)


def _resubmit(action: a.Resubmit) -> bytes:
    in_port = _KEEP_IN_PORT if action.in_port is None else action.in_port
    return extension("resubmit", struct.pack("!HBxxx", in_port, action.table))


def _conntrack(action: a.Conntrack) -> bytes:
    flags = action.commit | action.force << 1
    if isinstance(action.zone, a.Subfield):
        zone = header_of(action.zone.field) + struct.pack("!H", _offset_bits(action.zone))
    else:
        zone = struct.pack("!IH", 0, action.zone)
    table = _NO_TABLE if action.table is None else action.table
    nested = encode_actions(action.set_fields)
    return extension("ct", struct.pack("!H", flags) + zone + struct.pack("!BxxxH", table, 0) + nested)


def _controller(action: a.SendToController) -> bytes:
    properties = []
    if action.max_len != 0xFFFF:
        properties.append(struct.pack("!HHHxx", 0, 6, action.max_len))
    if action.controller_id:
        properties.append(struct.pack("!HHHxx", 1, 6, action.controller_id))
    if action.userdata:
        length = 4 + len(action.userdata)
        properties.append(struct.pack("!HH", 3, length) + action.userdata + bytes(-length % 8))
    if action.meter_id is not None:
        properties.append(struct.pack("!HHI", 5, 8, action.meter_id))
    return extension("controller2", bytes(6) + b"".join(properties))


def _check_packet_larger(action: a.CheckPacketLarger) -> bytes:
    target = header_of(action.target.field)
    return extension(
        "check_pkt_larger", struct.pack("!HH", action.length, action.target.start) + target + bytes(6)
    )


def _no_goto(_: a.Goto) -> bytes:
    raise ValueError("goto_table stands at the end of a flow's actions only")


_ENCODERS: dict[type, Callable[[Any], bytes]] = {
    a.Output: lambda x: struct.pack("!HHIHxxxxxx", _OUTPUT, 16, x.port, x.max_len),
    a.SetField: _set_field,
    a.Move: _copy_field,
    a.Resubmit: _resubmit,
    a.SendToGroup: lambda x: struct.pack("!HHI", _GROUP, 8, x.group_id),
    a.ApplyMeter: lambda x: struct.pack("!HHI", _METER, 8, x.meter_id),
    a.Conntrack: _conntrack,
    a.ConntrackClear: lambda _: extension("ct_clear", b""),
    a.Learn: lambda x: extension("learn", encode_learn(x)),
    a.SendToController: _controller,
    a.OutputField: lambda x: extension(
        "output_reg",
        struct.pack("!H", _offset_bits(x.source))
        + header_of(x.source.field)
        + struct.pack("!H6x", x.max_len),
    ),
    a.CheckPacketLarger: _check_packet_larger,
    a.DecrementTtl: lambda _: struct.pack("!HHxxxx", _DEC_TTL, 8),
    a.PushVlan: lambda x: struct.pack("!HHHxx", _PUSH_VLAN, 8, x.eth_type),
    a.PopVlan: lambda _: struct.pack("!HHxxxx", _POP_VLAN, 8),
    a.PushMpls: lambda x: struct.pack("!HHHxx", _PUSH_MPLS, 8, x.eth_type),
    a.PopMpls: lambda x: struct.pack("!HHHxx", _POP_MPLS, 8, x.eth_type),
    a.Encap: lambda x: extension("encap", struct.pack("!HI", 0, x.packet_type)),
    a.Decap: lambda x: extension(
        "decap", struct.pack("!xxI", _NEXT_PROTOCOL if x.packet_type is None else x.packet_type)
    ),
    a.Clone: lambda x: extension("clone", bytes(6) + encode_actions(x.actions)),
    a.Note: lambda x: extension("note", x.data),
    a.Goto: _no_goto,
}


def _decode_output(body: bytes) -> a.Action:
    port, max_len = struct.unpack_from("!IH", body, 4)
    return a.Output(port, max_len)


def _decode_set_field(body: bytes) -> a.Action:
    (header,) = struct.unpack_from("!I", body, 4)
    length = header & 0xFF
    conditions = decode_fields(body[4 : 8 + length]).conditions
    field = field_of(header)
    if field is Field.IN_PORT:
        return a.set_field(field, int.from_bytes(body[8:10], "big"))
    if not conditions:  # a mask of zeros: writes nothing
        return a.SetField(field, 0, 0)
    return a.SetField(field, conditions[0].value, conditions[0].mask)


def _decode_copy_field(body: bytes) -> a.Action:
    if len(body) < 20:
        raise MalformedError("copy_field is cut short")
    bits, source_start, target_start, source, target = struct.unpack_from("!HHHxxII", body, 4)
    return a.Move(
        a.Subfield(field_of(source), source_start, bits), a.Subfield(field_of(target), target_start, bits)
    )


def _number(body: bytes) -> int:
    return int.from_bytes(body[4:8], "big")


def _ethertype(body: bytes) -> int:
    return int.from_bytes(body[4:6], "big")


_DECODERS: dict[int, Callable[[bytes], a.Action]] = {
    _OUTPUT: _decode_output,
    _SET_FIELD: _decode_set_field,
    _COPY_FIELD: _decode_copy_field,
    _GROUP: lambda body: a.SendToGroup(_number(body)),
    _METER: lambda body: a.ApplyMeter(_number(body)),
    _DEC_TTL: lambda _: a.DecrementTtl(),
    _PUSH_VLAN: lambda body: a.PushVlan(_ethertype(body)),
    _POP_VLAN: lambda _: a.PopVlan(),
    _PUSH_MPLS: lambda body: a.PushMpls(_ethertype(body)),
    _POP_MPLS: lambda body: a.PopMpls(_ethertype(body)),
}


def _decode_extension(body: bytes) -> a.Action:
    if len(body) < 16:
        raise MalformedError("extension action is cut short")
    _, _, vendor, subtype = _NX_HEADER.unpack_from(body)
    decode = _EXTENSION_DECODERS.get(subtype) if vendor == NICIRA else None
    if decode is None:
        raise MalformedError(f"action {subtype} of experimenter {vendor:#x}")
    try:
        return decode(body)
    except struct.error as error:
        raise MalformedError(f"extension action {subtype} is cut short") from error


def _decode_resubmit(body: bytes) -> a.Action:
    in_port, table = struct.unpack_from("!HB", body, 10)
    return a.Resubmit(table, None if in_port == _KEEP_IN_PORT else in_port)


def _decode_output_reg(body: bytes) -> a.Action:
    offset_bits, header, max_len = struct.unpack_from("!HIH", body, 10)
    return a.OutputField(_subfield(header, offset_bits), max_len)


def _decode_conntrack(body: bytes) -> a.Action:
    flags, header, zone, table = struct.unpack_from("!HIHB", body, 10)
    fields = decode_actions(body[24:])
    return a.Conntrack(
        zone=_subfield(header, zone) if header else zone,
        commit=bool(flags & 1),
        force=bool(flags & 2),
        table=None if table == _NO_TABLE else table,
        set_fields=tuple(each for each in fields if isinstance(each, a.SetField)),
    )


def _decode_controller(body: bytes) -> a.Action:
    max_len, controller_id, userdata, meter_id = 0xFFFF, 0, b"", None
    offset = 16
    while offset + 4 <= len(body):
        kind, length = struct.unpack_from("!HH", body, offset)
        if length < 4 or offset + length > len(body):
            raise MalformedError("property of a controller action is cut short")
        value = body[offset + 4 : offset + length]
        if kind == 0:
            max_len = int.from_bytes(value[:2], "big")
        elif kind == 1:
            controller_id = int.from_bytes(value[:2], "big")
        elif kind == 3:
            userdata = value
        elif kind == 5:
            meter_id = int.from_bytes(value[:4], "big")
        offset += length + -length % 8
    return a.SendToController(userdata, max_len, controller_id, meter_id)


def _decode_check_packet_larger(body: bytes) -> a.Action:
    length, start, header = struct.unpack_from("!HHI", body, 10)
    return a.CheckPacketLarger(length, a.Subfield(field_of(header), start, 1))


def _decode_decap(body: bytes) -> a.Action:
    (packet_type,) = struct.unpack_from("!I", body, 12)
    return a.Decap(None if packet_type == _NEXT_PROTOCOL else packet_type)


_EXTENSION_DECODERS: dict[int, Callable[[bytes], a.Action]] = {
    _SUBTYPE["note"]: lambda body: a.Note(body[10:]),
    _SUBTYPE["resubmit"]: _decode_resubmit,
    _SUBTYPE["output_reg"]: _decode_output_reg,
    _SUBTYPE["learn"]: lambda body: decode_learn(body),
    _SUBTYPE["ct"]: _decode_conntrack,
    _SUBTYPE["controller2"]: _decode_controller,
    _SUBTYPE["clone"]: lambda body: a.Clone(decode_actions(body[16:])),
    _SUBTYPE["ct_clear"]: lambda _: a.ConntrackClear(),
    _SUBTYPE["encap"]: lambda body: a.Encap(int.from_bytes(body[12:16], "big")),
    _SUBTYPE["decap"]: _decode_decap,
    _SUBTYPE["check_pkt_larger"]: _decode_check_packet_larger,
}
