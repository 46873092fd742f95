"""Flows, groups, meters and ports on the wire, in both directions (OpenFlow 1.5, 7.2 and 7.3)."""

import struct
from functools import lru_cache

from overlace.datapath.actions import ANY
from overlace.datapath.flow import Bucket, Flow, Group, GroupType, Meter, MeterUnit
from overlace.wire.errors import MalformedError
from overlace.wire.openflow.action_codec import (
    decode_actions,
    decode_instructions,
    encode_actions,
    encode_instructions,
)
from overlace.wire.openflow.messages import FlowEntry, FlowModCommand, PortDescription
from overlace.wire.openflow.oxm import decode_match, encode_match, match_size

NO_BUFFER = 0xFFFFFFFF
_FLOW_MOD = struct.Struct("!QQBBHHHIIIHH")
_FLOW_DESC = struct.Struct("!HxxBxHHHHHQ")
_LENGTH_AND_PAD = 4
_DESCRIBED = struct.Struct("!BxHHHHHQ")
_SEND_FLOW_REMOVED = 1
_OXS_DURATION, _OXS_PACKETS, _OXS_BYTES, _OXS_FLOWS = 0, 4, 5, 3
_USUAL_STATS = struct.Struct("!4xIQIQIQ")
_USUAL_HEADS = tuple(0x8002 << 16 | number << 9 | 8 for number in (_OXS_DURATION, _OXS_PACKETS, _OXS_BYTES))


def encode_flow_mod_body(flow: Flow, command: FlowModCommand, cookie_mask: int = 0) -> bytes:
    """struct ofp_flow_mod behind the header. Deletes carry no instructions."""
    head = _FLOW_MOD.pack(
        flow.cookie,
        cookie_mask,
        flow.table,
        command,
        flow.idle_timeout,
        flow.hard_timeout,
        flow.priority,
        NO_BUFFER,
        ANY,
        ANY,
        flow.send_flow_removed * _SEND_FLOW_REMOVED,
        0,
    )
    if command >= FlowModCommand.DELETE:
        return head + encode_match(flow.match)
    return head + encode_match(flow.match) + encode_instructions(flow.actions)


def decode_flow_mod_body(data: bytes) -> tuple[FlowModCommand, Flow, int]:
    """Command, flow and cookie mask of a flow-mod. Raises MalformedError or struct.error."""
    cookie, mask, table, command, idle, hard, priority, _, _, _, flags, _ = _FLOW_MOD.unpack_from(data)
    match, offset = decode_match(data, _FLOW_MOD.size)
    actions = decode_instructions(data[offset:])
    flow = Flow(table, priority, match, actions, cookie, idle, hard, bool(flags & _SEND_FLOW_REMOVED))
    return FlowModCommand(command), flow, mask


def encode_flow_entry(entry: FlowEntry) -> bytes:
    """struct ofp_flow_desc, as a switch tells a flow."""
    flow = entry.flow
    seconds = int(entry.duration)
    stats = encode_stats(seconds, int((entry.duration - seconds) * 1e9), entry.packets, entry.bytes)
    rest = encode_match(flow.match) + stats + encode_instructions(flow.actions)
    flags = flow.send_flow_removed * _SEND_FLOW_REMOVED
    length = _FLOW_DESC.size + len(rest)
    head = _FLOW_DESC.pack(
        length, flow.table, flow.priority, flow.idle_timeout, flow.hard_timeout, flags, 0, flow.cookie
    )
    return head + rest


def decode_flow_entry(data: bytes) -> FlowEntry:
    """Read one struct ofp_flow_desc. Raises MalformedError or struct.error."""
    behind_match = _FLOW_DESC.size + match_size(data, _FLOW_DESC.size)
    stats, offset = decode_stats(data, behind_match)
    flow = _decode_described(data[_LENGTH_AND_PAD:behind_match], data[offset:])
    duration = stats.get(_OXS_DURATION, 0)
    seconds = (duration >> 32) + (duration & 0xFFFFFFFF) / 1e9
    return FlowEntry(flow, stats.get(_OXS_PACKETS, 0), stats.get(_OXS_BYTES, 0), seconds)


@lru_cache(maxsize=1 << 15)
def _decode_described(head_and_match: bytes, instructions: bytes) -> Flow:
    """A struct ofp_flow_desc without its length and counters: many switches tell many of their flows in the same
    bytes. Raises MalformedError or struct.error."""
    table, priority, idle, hard, flags, _, cookie = _DESCRIBED.unpack_from(head_and_match)
    match, _ = decode_match(head_and_match, _DESCRIBED.size)
    actions = decode_instructions(instructions)
    return Flow(table, priority, match, actions, cookie, idle, hard, bool(flags & _SEND_FLOW_REMOVED))


def encode_stats(
    seconds: int, nanoseconds: int, packets: int, octets: int, flows: int | None = None
) -> bytes:
    """struct ofp_stats with the usual counters (OXS, OpenFlow 1.5, 7.2.4)."""
    values = [
        (_OXS_DURATION, seconds << 32 | nanoseconds, 8),
        (_OXS_PACKETS, packets, 8),
        (_OXS_BYTES, octets, 8),
    ]
    if flows is not None:
        values.append((_OXS_FLOWS, flows, 4))
    body = b"".join(
        struct.pack("!HBB", 0x8002, number << 1, size) + value.to_bytes(size, "big")
        for number, value, size in values
    )
    length = 4 + len(body)
    return struct.pack("!xxH", length) + body + bytes(-length % 8)


def decode_stats(data: bytes, offset: int) -> tuple[dict[int, int], int]:
    """Counters by OXS number, and the offset behind them. Raises MalformedError or struct.error."""
    (length,) = struct.unpack_from("!xxH", data, offset)
    if length < 4 or offset + length > len(data):
        raise MalformedError("statistics are cut short")
    if length == _USUAL_STATS.size:
        first, duration, second, packets, third, octets = _USUAL_STATS.unpack_from(data, offset)
        if (first, second, third) == _USUAL_HEADS:
            return {_OXS_DURATION: duration, _OXS_PACKETS: packets, _OXS_BYTES: octets}, offset + length
    stats: dict[int, int] = {}
    at, end = offset + 4, offset + length
    while at + 4 <= end:
        _, number, size = struct.unpack_from("!HBB", data, at)
        stats[number >> 1] = int.from_bytes(data[at + 4 : at + 4 + size], "big")
        at += 4 + size
    return stats, offset + length + -length % 8


def aggregate(stats: dict[int, int]) -> tuple[int, int, int]:
    """Packets, bytes and flows of an aggregate reply."""
    return stats.get(_OXS_PACKETS, 0), stats.get(_OXS_BYTES, 0), stats.get(_OXS_FLOWS, 0)


_GROUP_TYPES = {GroupType.ALL: 0, GroupType.SELECT: 1, GroupType.INDIRECT: 2, GroupType.FAST_FAILOVER: 3}
_GROUP_TYPE_OF = {number: kind for kind, number in _GROUP_TYPES.items()}
_ALL_BUCKETS = 0xFFFFFFFF
_WEIGHT, _WATCH_PORT = 0, 1


def encode_group_mod_body(group: Group, command: int) -> bytes:
    """struct ofp_group_mod behind the header; a delete carries no buckets."""
    buckets = b"" if command == 2 else b"".join(map(_encode_bucket, group.buckets))
    head = struct.pack(
        "!HBxIHxxI", command, _GROUP_TYPES[group.type], group.group_id, len(buckets), _ALL_BUCKETS
    )
    return head + buckets + _selection(group)


def decode_group_mod_body(data: bytes) -> tuple[int, Group]:
    """Command and group of a group-mod. Raises MalformedError or struct.error."""
    command, kind, group_id, size, _ = struct.unpack_from("!HBxIHxxI", data)
    return command, _group(group_id, kind, data[16 : 16 + size], data[16 + size :])


def encode_group_desc(group: Group) -> bytes:
    """struct ofp_group_desc, as a switch tells a group."""
    buckets = b"".join(map(_encode_bucket, group.buckets))
    rest = buckets + _selection(group)
    head = struct.pack("!HBxIHxxxxxx", 16 + len(rest), _GROUP_TYPES[group.type], group.group_id, len(buckets))
    return head + rest


def decode_group_desc(data: bytes) -> Group:
    """Read one struct ofp_group_desc. Raises MalformedError or struct.error."""
    _, kind, group_id, size = struct.unpack_from("!HBxIH", data)
    return _group(group_id, kind, data[16 : 16 + size], data[16 + size :])


def _group(group_id: int, kind: int, buckets: bytes, properties: bytes) -> Group:
    if kind not in _GROUP_TYPE_OF:
        raise MalformedError(f"group of type {kind}")
    method = ""
    if len(properties) >= 28 and properties[:2] == b"\xff\xff":
        method = properties[16:32].split(b"\0")[0].decode("ascii", "replace")
    return Group(group_id, _GROUP_TYPE_OF[kind], _decode_buckets(buckets), method)


def _selection(group: Group) -> bytes:
    """The NTR selection method property (Open vSwitch, ofp-group)."""
    if not group.selection_method:
        return b""
    name = group.selection_method.encode("ascii").ljust(16, b"\0")
    return struct.pack("!HHIIxxxx", 0xFFFF, 40, 0x0000154D, 1) + name + bytes(8)


def _encode_bucket(bucket: Bucket) -> bytes:
    actions = encode_actions(bucket.actions)
    properties = b""
    if bucket.weight:
        properties += struct.pack("!HHHxx", _WEIGHT, 8, bucket.weight)
    if bucket.watch_port is not None:
        properties += struct.pack("!HHI", _WATCH_PORT, 8, bucket.watch_port)
    length = 8 + len(actions) + len(properties)
    return struct.pack("!HHI", length, len(actions), bucket.bucket_id) + actions + properties


def _decode_buckets(data: bytes) -> tuple[Bucket, ...]:
    buckets = []
    offset = 0
    while offset < len(data):
        length, size, bucket_id = struct.unpack_from("!HHI", data, offset)
        if length < 8 + size or offset + length > len(data):
            raise MalformedError("bucket is cut short")
        weight, watch_port = 0, None
        for at in range(offset + 8 + size, offset + length - 7, 8):
            kind = int.from_bytes(data[at : at + 2], "big")
            if kind == _WEIGHT:
                weight = int.from_bytes(data[at + 4 : at + 6], "big")
            elif kind == _WATCH_PORT:
                number = int.from_bytes(data[at + 4 : at + 8], "big")
                watch_port = None if number == ANY else number
        actions = decode_actions(data[offset + 8 : offset + 8 + size])
        buckets.append(Bucket(bucket_id, actions, weight, watch_port))
        offset += length
    return tuple(buckets)


_KBPS, _PKTPS, _BURST = 1, 2, 4


def encode_meter_mod_body(meter: Meter, command: int) -> bytes:
    """struct ofp_meter_mod behind the header, with one drop band."""
    return struct.pack("!HHI", command, _meter_flags(meter), meter.meter_id) + (
        b"" if command == 2 else _band(meter)
    )


def decode_meter_mod_body(data: bytes) -> tuple[int, Meter]:
    """Command and meter of a meter-mod. Raises struct.error."""
    command, flags, meter_id = struct.unpack_from("!HHI", data)
    return command, _meter(meter_id, flags, data[8:])


def encode_meter_desc(meter: Meter) -> bytes:
    """struct ofp_meter_desc, as a switch tells a meter."""
    return struct.pack("!HHI", 8 + 16, _meter_flags(meter), meter.meter_id) + _band(meter)


def decode_meter_desc(data: bytes) -> Meter:
    """Read one struct ofp_meter_desc. Raises struct.error."""
    _, flags, meter_id = struct.unpack_from("!HHI", data)
    return _meter(meter_id, flags, data[8:])


def _meter_flags(meter: Meter) -> int:
    unit = _KBPS if meter.unit is MeterUnit.KBPS else _PKTPS
    return unit | (_BURST if meter.burst else 0)


def _band(meter: Meter) -> bytes:
    return struct.pack("!HHIIxxxx", 1, 16, meter.rate, meter.burst)


def _meter(meter_id: int, flags: int, bands: bytes) -> Meter:
    rate, burst = struct.unpack_from("!II", bands, 4) if len(bands) >= 16 else (0, 0)
    unit = MeterUnit.PKTPS if flags & _PKTPS else MeterUnit.KBPS
    return Meter(meter_id, unit, rate, burst if flags & _BURST else 0)


def encode_port(port: PortDescription) -> bytes:
    """struct ofp_port without properties."""
    name = port.name.encode()[:15].ljust(16, b"\0")
    mac = port.mac.to_bytes(6, "big")
    return struct.pack("!IHxx6sxx16sII", port.number, 40, mac, name, port.config, port.state)


def decode_port(data: bytes) -> tuple[PortDescription, int]:
    """Read a struct ofp_port; also gives its length. Raises MalformedError or struct.error."""
    number, length, mac, name, config, state = struct.unpack_from("!IHxx6sxx16sII", data)
    if length < 40:
        raise MalformedError(f"port description of length {length}")
    text = name.split(b"\0")[0].decode("utf-8", "replace")
    return PortDescription(number, text, int.from_bytes(mac, "big"), config, state), length
