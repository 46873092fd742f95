"""The body of ``learn()`` (ovs-actions(7)): a flow described in terms of the packet that makes it.

Each specification is a 16-bit header (bits 0-10 how many bits, 11-12 match, load or output, 13 whether the
source is a constant), then the source, then the target.
"""

import struct

from overlace.datapath.actions import Learn, LearnLoad, LearnMatch, LearnOutput, LearnSpec, Subfield
from overlace.wire.errors import MalformedError
from overlace.wire.openflow.oxm import field_of, header_of

_FIXED = struct.Struct("!HHHQHBxHH")
_MATCH, _LOAD, _OUTPUT, _CONSTANT = 0, 1 << 11, 2 << 11, 1 << 13
_SEND_FLOW_REMOVED, _DELETE_LEARNED = 1, 2


def encode_learn(action: Learn) -> bytes:
    """Everything behind the action's header."""
    flags = action.send_flow_removed * _SEND_FLOW_REMOVED | action.delete_learned * _DELETE_LEARNED
    fixed = _FIXED.pack(
        action.idle_timeout, action.hard_timeout, action.priority, action.cookie, flags, action.table, 0, 0
    )
    return fixed + b"".join(map(_encode_spec, action.specs))


def _encode_spec(spec: LearnSpec) -> bytes:
    match spec:
        case LearnOutput(source=source):
            return struct.pack("!H", _OUTPUT | source.bits) + _place(source)
        case LearnMatch(target=target, source=source):
            return _encode_assignment(_MATCH, target, source)
        case LearnLoad(target=target, source=source):
            return _encode_assignment(_LOAD, target, source)


def _encode_assignment(kind: int, target: Subfield, source: Subfield | int) -> bytes:
    if isinstance(source, Subfield):
        return struct.pack("!H", kind | target.bits) + _place(source) + _place(target)
    size = (target.bits + 15) // 16 * 2
    header = struct.pack("!H", kind | _CONSTANT | target.bits)
    return header + source.to_bytes(size, "big") + _place(target)


def _place(subfield: Subfield) -> bytes:
    return header_of(subfield.field) + struct.pack("!H", subfield.start)


def decode_learn(body: bytes) -> Learn:
    """Read a whole learn action. Raises MalformedError or struct.error when it is cut short."""
    idle, hard, priority, cookie, flags, table, _, _ = _FIXED.unpack_from(body, 10)
    specs: list[LearnSpec] = []
    offset = 32
    while offset + 2 <= len(body):
        (header,) = struct.unpack_from("!H", body, offset)
        if not header:
            break  # padding
        spec, offset = _decode_spec(header, body, offset + 2)
        specs.append(spec)
    return Learn(
        table=table,
        priority=priority,
        cookie=cookie,
        specs=tuple(specs),
        idle_timeout=idle,
        hard_timeout=hard,
        send_flow_removed=bool(flags & _SEND_FLOW_REMOVED),
        delete_learned=bool(flags & _DELETE_LEARNED),
    )


def _decode_spec(header: int, body: bytes, offset: int) -> tuple[LearnSpec, int]:
    bits, kind = header & 0x7FF, header & (3 << 11)
    source: Subfield | int
    if header & _CONSTANT:
        size = (bits + 15) // 16 * 2
        source = int.from_bytes(body[offset : offset + size], "big")
        offset += size
    else:
        source, offset = _decode_place(body, offset, bits)
    if kind == _OUTPUT:
        if not isinstance(source, Subfield):
            raise MalformedError("learn output from a constant")
        return LearnOutput(source), offset
    target, offset = _decode_place(body, offset, bits)
    return (LearnMatch if kind == _MATCH else LearnLoad)(target, source), offset


def _decode_place(body: bytes, offset: int, bits: int) -> tuple[Subfield, int]:
    header, start = struct.unpack_from("!IH", body, offset)
    return Subfield(field_of(header), start, bits), offset + 6
