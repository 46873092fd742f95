"""Match fields on the wire: OXM and NXM type-length-values (OpenFlow 1.5, 7.2.3; ovs-fields(7)).

A field's header is class (16 bits), field number (7), has-mask (1) and payload length (8). Values of less than
whole octets are padded in front. VLAN is special: Open vSwitch takes ``vlan_tci`` but tells the 802.1Q match as
OXM vlan_vid and vlan_pcp, which are put together again here.
"""

import struct
from collections.abc import Iterable, Iterator
from functools import lru_cache

from overlace.datapath.fields import VLAN_PRESENT, Field
from overlace.datapath.match import CACHED, Condition, Match, match, match_of
from overlace.wire.errors import MalformedError

_NEWEST = 1 << 12
"""So many of the conditions that were written last are kept as bytes."""
_HEADER = struct.Struct("!I")
_BASIC, _PACKET_REGISTERS, _NXM0, _NXM1, _ERICSSON = 0x8000, 0x8001, 0x0000, 0x0001, 0x1000

_NUMBERS: dict[Field, tuple[int, int]] = {
    Field.IN_PORT: (_BASIC, 0), Field.METADATA: (_BASIC, 2), Field.ETH_DST: (_BASIC, 3),
    Field.ETH_SRC: (_BASIC, 4), Field.ETH_TYPE: (_BASIC, 5), Field.IP_DSCP: (_BASIC, 8),
    Field.IP_ECN: (_BASIC, 9), Field.IP_PROTO: (_BASIC, 10), Field.IPV4_SRC: (_BASIC, 11),
    Field.IPV4_DST: (_BASIC, 12), Field.TCP_SRC: (_BASIC, 13), Field.TCP_DST: (_BASIC, 14),
    Field.UDP_SRC: (_BASIC, 15), Field.UDP_DST: (_BASIC, 16), Field.SCTP_SRC: (_BASIC, 17),
    Field.SCTP_DST: (_BASIC, 18), Field.ICMPV4_TYPE: (_BASIC, 19), Field.ICMPV4_CODE: (_BASIC, 20),
    Field.ARP_OP: (_BASIC, 21), Field.ARP_SPA: (_BASIC, 22), Field.ARP_TPA: (_BASIC, 23),
    Field.ARP_SHA: (_BASIC, 24), Field.ARP_THA: (_BASIC, 25), Field.IPV6_SRC: (_BASIC, 26),
    Field.IPV6_DST: (_BASIC, 27), Field.ICMPV6_TYPE: (_BASIC, 29), Field.ICMPV6_CODE: (_BASIC, 30),
    Field.ND_TARGET: (_BASIC, 31), Field.ND_SLL: (_BASIC, 32), Field.ND_TLL: (_BASIC, 33),
    Field.MPLS_LABEL: (_BASIC, 34), Field.MPLS_TC: (_BASIC, 35), Field.MPLS_BOS: (_BASIC, 36),
    Field.TUN_ID: (_BASIC, 38), Field.TCP_FLAGS: (_BASIC, 42), Field.PACKET_TYPE: (_BASIC, 44),
    Field.VLAN_TCI: (_NXM0, 4), Field.IP_FRAG: (_NXM1, 26), Field.IP_TTL: (_NXM1, 29),
    Field.MPLS_TTL: (_NXM1, 30), Field.TUN_SRC: (_NXM1, 31), Field.TUN_DST: (_NXM1, 32),
    Field.CT_STATE: (_NXM1, 105), Field.CT_ZONE: (_NXM1, 106), Field.CT_MARK: (_NXM1, 107),
    Field.CT_LABEL: (_NXM1, 108), Field.TUN_IPV6_SRC: (_NXM1, 109), Field.TUN_IPV6_DST: (_NXM1, 110),
    Field.ND_RESERVED: (_ERICSSON, 1), Field.ND_OPTIONS_TYPE: (_ERICSSON, 2),
    **{field: (_NXM1, number) for number, field in enumerate(f for f in Field if f.name.startswith("REG"))},
}  # fmt: skip
_REGISTERS = [field for field in Field if field.name.startswith("REG")]
_VLAN_VID, _VLAN_PCP = (_BASIC, 6), (_BASIC, 7)

SIZES: dict[Field, int] = {field: (field.bits + 7) // 8 for field in Field} | {Field.MPLS_LABEL: 4}
"""Octets of each field's value on the wire."""
HEADERS: dict[Field, int] = {
    field: oxm_class << 16 | number << 9 | SIZES[field] for field, (oxm_class, number) in _NUMBERS.items()
}
"""The 32-bit header of each field without mask."""
FIELDS: dict[tuple[int, int], Field] = {number: field for field, number in _NUMBERS.items()} | {
    (_NXM1, 16): Field.TUN_ID,
    (_NXM1, 34): Field.TCP_FLAGS,
    (_NXM0, 0): Field.IN_PORT,
    (_NXM0, 1): Field.ETH_DST,
    (_NXM0, 2): Field.ETH_SRC,
    (_NXM0, 3): Field.ETH_TYPE,
}
_HEADER_BYTES = {field: _HEADER.pack(header) for field, header in HEADERS.items()}
_MASKED_HEADER_BYTES = {
    field: _HEADER.pack(header & ~0xFF | 0x100 | SIZES[field] * 2) for field, header in HEADERS.items()
}


@lru_cache(maxsize=_NEWEST)
def encode_condition(condition: Condition) -> bytes:
    """One field of a match; the flows of a port ask for the same few."""
    return encode_value(condition.field, condition.value, condition.mask)


def encode_value(field: Field, value: int, mask: int) -> bytes:
    """A field with value and, unless it is all ones, mask."""
    size = SIZES[field]
    if mask == field.full_mask:
        return _HEADER_BYTES[field] + value.to_bytes(size, "big")
    return _MASKED_HEADER_BYTES[field] + value.to_bytes(size, "big") + mask.to_bytes(size, "big")


def encode_match(wanted: Match) -> bytes:
    """struct ofp_match: type 1, length without padding, fields, padding to 8 octets."""
    body = b"".join([encode_condition(condition) for condition in wanted.conditions])
    length = 4 + len(body)
    return struct.pack("!HH", 1, length) + body + bytes(-length % 8)


_MATCH_HEAD = struct.Struct("!HH")


def decode_match(data: bytes, offset: int) -> tuple[Match, int]:
    """Read a struct ofp_match; also gives the offset after its padding. Raises MalformedError."""
    length = _match_length(data, offset)
    return decode_fields(data[offset + 4 : offset + length]), offset + length + -length % 8


def match_size(data: bytes, offset: int) -> int:
    """How many bytes a struct ofp_match has, with its padding. Raises MalformedError."""
    length = _match_length(data, offset)
    return length + -length % 8


def _match_length(data: bytes, offset: int) -> int:
    if len(data) < offset + 4:
        raise MalformedError("match is cut short")
    kind, length = _MATCH_HEAD.unpack_from(data, offset)
    if kind != 1 or length < 4 or offset + length > len(data):
        raise MalformedError(f"match of type {kind} and length {length}")
    return int(length)


def decode_fields(data: bytes) -> Match:
    """Read a sequence of fields; those without a name here are left out. Raises MalformedError."""
    found: list[Condition] = []
    offset, end = 0, len(data)
    while offset + 4 <= end:
        behind = offset + 4 + data[offset + 3]
        condition = _plain_field(data[offset:behind])
        if condition is None:
            return _decode_carefully(data)
        found.append(condition)
        offset = behind
    if offset != end or len({each.field.order for each in found}) < len(found):
        return _decode_carefully(data)
    return match_of(found)


@lru_cache(maxsize=CACHED)
def _plain_field(data: bytes) -> Condition | None:
    """One field that stands for itself, as nearly all do, and the same ones over and over. None for any other."""
    if len(data) != 4 + data[3] or (data[2] & 1 and data[3] % 2):
        return None
    [(number, value, mask, _)] = _iterate(data)
    if number in (_VLAN_VID, _VLAN_PCP) or (field := FIELDS.get(number)) is None:
        return None
    full = field.full_mask
    only = match({field: (value & full, full if mask is None else mask & full)})
    return only.conditions[0] if only.conditions else None


def _decode_carefully(data: bytes) -> Match:
    conditions: dict[Field, tuple[int, int]] = {}
    tag: list[tuple[tuple[int, int], int, int]] = []
    for number, value, mask, bits in _iterate(data):
        if number in (_VLAN_VID, _VLAN_PCP):
            tag.append((number, value, mask if mask is not None else (1 << bits) - 1))
        elif number[0] == _PACKET_REGISTERS:
            conditions |= _register_pair(number[1], value, mask)
        elif (field := FIELDS.get(number)) is not None:
            full = field.full_mask
            conditions[field] = (value & full, full if mask is None else mask & full)
    if tag:
        conditions[Field.VLAN_TCI] = _vlan_tci(tag)
    return match(conditions)


def _register_pair(number: int, value: int, mask: int | None) -> dict[Field, tuple[int, int]]:
    """A 64-bit packet register is two registers, the lower numbered in the upper half (ovs-fields(7), xreg)."""
    mask = (1 << 64) - 1 if mask is None else mask
    upper, lower = _REGISTERS[2 * number : 2 * number + 2]
    low = 0xFFFFFFFF
    pair = {upper: (value >> 32, mask >> 32), lower: (value & low, mask & low)}
    return {field: bits for field, bits in pair.items() if bits[1]}


def _iterate(data: bytes) -> Iterator[tuple[tuple[int, int], int, int | None, int]]:
    offset = 0
    while offset < len(data):
        if len(data) < offset + 4:
            raise MalformedError("field header is cut short")
        (header,) = _HEADER.unpack_from(data, offset)
        length, masked = header & 0xFF, header >> 8 & 1
        payload = data[offset + 4 : offset + 4 + length]
        if len(payload) != length or masked and length % 2:
            raise MalformedError("field payload is cut short")
        size = length // 2 if masked else length
        value = int.from_bytes(payload[:size], "big")
        mask = int.from_bytes(payload[size:], "big") if masked else None
        yield (header >> 16, header >> 9 & 0x7F), value, mask, size * 8
        offset += 4 + length


def _vlan_tci(tag: Iterable[tuple[tuple[int, int], int, int]]) -> tuple[int, int]:
    value = mask = 0
    for number, part, part_mask in tag:
        if number == _VLAN_VID:
            if not part and part_mask & VLAN_PRESENT:
                return 0, 0xFFFF  # no tag at all
            value, mask = value | part & 0x1FFF, mask | part_mask & 0x1FFF
        else:
            value, mask = value | part << 13, mask | 0xE000
    return value, mask


def header_of(field: Field) -> bytes:
    """The four octets that name a field in actions."""
    return _HEADER_BYTES[field]


def field_of(header: int) -> Field:
    """The field that a header names. Raises MalformedError for one that the pipeline never uses."""
    field = FIELDS.get((header >> 16, header >> 9 & 0x7F))
    if field is None:
        raise MalformedError(f"field {header:#010x} has no name here")
    return field
