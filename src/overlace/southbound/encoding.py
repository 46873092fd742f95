"""Operations to bytes, each distinct flow once.

Many switches hold the same flow, so a flow's bundle message is the same bytes for all of them: the bundle id and
the transaction id inside are constants (a connection has one bundle open at a time, and OpenFlow does not ask
for transaction ids to be unique). Only the careful mode, used to find out which message a switch refuses, gives
each message an id of its own, by writing over the two places where it stands.

The cache is keyed by the flow's value, so equal flows of different fragments share too. It has two
generations: when the young one is full, the old one is forgotten; what is in use moves over at its next use.
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from overlace.datapath.flow import Flow, Group, Meter
from overlace.datapath.text import format_flow, format_group, format_meter
from overlace.southbound.order import Batch
from overlace.wire.openflow.codec import encode, encode_flow_add, encode_flow_delete_strict
from overlace.wire.openflow.messages import (
    BarrierRequest,
    BundleAdd,
    BundleControl,
    BundleControlType,
    GroupMod,
    GroupModCommand,
    MeterMod,
    MeterModCommand,
)

BUNDLE_ID = 1
BUNDLE_FLAGS = 0x3
"""OFPBF_ATOMIC | OFPBF_ORDERED (OpenFlow 1.5, 7.3.9.2)."""

METER_XID = 0xFFFF0001
OPEN_XID = 0xFFFF0002
BUNDLE_XID = 0xFFFF0003
COMMIT_XID = 0xFFFF0004
DISCARD_XID = 0xFFFF0005
BARRIER_XID = 0xFFFF0006
FIRST_CAREFUL_XID = 0xFFFF1000

Subject = Flow | Group | Meter
"""What a message is about."""


@dataclass(frozen=True, slots=True)
class EncodedBatch:
    """A batch as messages: those before the bundle, those inside it, and what each is about."""

    before: list[bytes]
    bundle: list[bytes]
    subjects: list[Subject]
    """Parallel to `before` followed by `bundle`."""

    @property
    def size(self) -> int:
        """Bytes, without the few of the frame around them."""
        return sum(map(len, self.before)) + sum(map(len, self.bundle))


class EncodingError(ValueError):
    """A flow, group or meter has no OpenFlow form; `subject` is the one."""

    def __init__(self, subject: Subject, reason: str) -> None:
        super().__init__(f"{reason}: {describe(subject)}")
        self.subject = subject


def describe(subject: Subject) -> str:
    """The subject in the words of ovs-ofctl(8)."""
    match subject:
        case Flow():
            return format_flow(subject)
        case Group():
            return format_group(subject)
        case Meter():
            return format_meter(subject)


def control(kind: BundleControlType, xid: int) -> bytes:
    """Open, commit or discard the bundle."""
    return encode(BundleControl(BUNDLE_ID, kind, BUNDLE_FLAGS), xid)


OPEN = control(BundleControlType.OPEN_REQUEST, OPEN_XID)
COMMIT = control(BundleControlType.COMMIT_REQUEST, COMMIT_XID)
DISCARD = control(BundleControlType.DISCARD_REQUEST, DISCARD_XID)
BARRIER = encode(BarrierRequest(), BARRIER_XID)

_INNER = len(encode(BundleAdd(BUNDLE_ID, BUNDLE_FLAGS, b""), 0))
_XID = struct.Struct("!I")
_XID_OFFSET = 4


def with_xid(message: bytes, xid: int, *, bundled: bool) -> bytes:
    """A copy of a message under another transaction id; a bundled one carries it twice (OpenFlow 1.5, 7.3.9.6)."""
    copy = bytearray(message)
    _XID.pack_into(copy, _XID_OFFSET, xid)
    if bundled:
        _XID.pack_into(copy, _INNER + _XID_OFFSET, xid)
    return bytes(copy)


class Encoder:
    """The encoder of one controller, shared by all its switches."""

    def __init__(self, generation_size: int = 200_000) -> None:
        """`generation_size` is the number of flows after which the older half of the cache is forgotten."""
        self._generation_size = generation_size
        self._young: dict[Flow, bytes] = {}
        self._old: dict[Flow, bytes] = {}
        self.encoded_bytes = 0
        self.encoded_flows = 0
        self.cache_hits = 0

    def batch(self, batch: Batch) -> EncodedBatch:
        """All messages of a batch. Raises EncodingError."""
        before = list(self._meters(batch))
        bundle = list(self._bundle(batch))
        subjects: list[Subject] = [*batch.meters_added, *batch.meters_changed, *batch.meters_removed]
        subjects += [*batch.groups_added, *batch.groups_changed]
        subjects += [*batch.flows_put, *batch.flows_removed, *batch.groups_removed]
        return EncodedBatch(before, bundle, subjects)

    def put(self, flow: Flow) -> bytes:
        """The bundle message that adds or overwrites a flow. Raises EncodingError."""
        data = self._young.get(flow)
        if data is not None:
            self.cache_hits += 1
            return data
        data = self._old.get(flow)
        if data is not None:
            self.cache_hits += 1
        else:
            data = _bundled(flow, encode_flow_add)
            self.encoded_flows += 1
            self.encoded_bytes += len(data)
        if len(self._young) >= self._generation_size:
            self._old, self._young = self._young, {}
        self._young[flow] = data
        return data

    def _bundle(self, batch: Batch) -> Iterator[bytes]:
        for group in batch.groups_added:
            yield _group(GroupModCommand.ADD, group)
        for group in batch.groups_changed:
            yield _group(GroupModCommand.MODIFY, group)
        yield from map(self.put, batch.flows_put)
        for flow in batch.flows_removed:
            yield _bundled(flow, encode_flow_delete_strict)
        for group in batch.groups_removed:
            yield _group(GroupModCommand.DELETE, group)

    def _meters(self, batch: Batch) -> Iterator[bytes]:
        for meter in batch.meters_added:
            yield encode(MeterMod(MeterModCommand.ADD, meter), METER_XID)
        for meter in batch.meters_changed:
            yield encode(MeterMod(MeterModCommand.MODIFY, meter), METER_XID)
        for meter in batch.meters_removed:
            yield encode(MeterMod(MeterModCommand.DELETE, meter), METER_XID)


def _bundled(flow: Flow, encode_flow: Callable[[Flow, int], bytes]) -> bytes:
    try:
        return encode(BundleAdd(BUNDLE_ID, BUNDLE_FLAGS, encode_flow(flow, BUNDLE_XID)), BUNDLE_XID)
    except ValueError as error:
        raise EncodingError(flow, str(error)) from error


def _group(command: GroupModCommand, group: Group) -> bytes:
    try:
        inner = encode(GroupMod(command, group), BUNDLE_XID)
    except ValueError as error:
        raise EncodingError(group, str(error)) from error
    return encode(BundleAdd(BUNDLE_ID, BUNDLE_FLAGS, inner), BUNDLE_XID)
