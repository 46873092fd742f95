"""Operations to bytes, each distinct flow once.

Many switches hold the same flow, so a flow's bundle message is the same bytes for all of them: the bundle id and
the transaction id inside are constants (a connection has one bundle open at a time, and OpenFlow does not ask
for transaction ids to be unique). Only the careful mode, used to find out which message a switch refuses, gives
each message an id of its own, by writing over the two places where it stands.

So a change that concerns many switches is put in order and into bytes for the first of them only: the others
get the same batches as long as what they need is the same.

The cache is keyed by the flow's value, so equal flows of different fragments share too. It has two
generations: when the young one is full, the old one is forgotten; what is in use moves over at its next use.
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from overlace.datapath.flow import Flow, Group, Meter
from overlace.datapath.text import format_flow, format_group, format_meter
from overlace.southbound.marker import MarkerPlace, Stamp, marker_flow
from overlace.southbound.operations import TableOperations
from overlace.southbound.order import Batch, order
from overlace.wire.openflow.codec import encode, encode_flow_add, encode_flow_delete_strict
from overlace.wire.openflow.messages import (
    BarrierReply,
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

FIRST_XID = 0xF0000000
"""Transaction ids from here on are those of batches; the session counts its own from one."""
METER_XID = FIRST_XID + 1
OPEN_XID = FIRST_XID + 2
BUNDLE_XID = FIRST_XID + 3
COMMIT_XID = FIRST_XID + 4
DISCARD_XID = FIRST_XID + 5
BARRIER_XID = FIRST_XID + 6
FIRST_CAREFUL_XID = FIRST_XID + 0x1000
MOST_TOGETHER = 200_000
"""So many operations may be in one batch where half of it would be worse than a long commit: some 60 MiB, less than
what may wait for a switch (`shell.MOST_UNSENT`)."""

Subject = Flow | Group | Meter
"""What a message is about."""


@dataclass(frozen=True)
class EncodedBatch:
    """A batch as messages: those before the bundle, those inside it, and what each is about."""

    before: list[bytes]
    bundle: list[bytes]
    subjects: list[Subject]
    """Parallel to `before` followed by `bundle`."""

    @cached_property
    def size(self) -> int:
        """Bytes, without the few of the frame around them."""
        return sum(map(len, self.before)) + sum(map(len, self.bundle))

    @cached_property
    def flows(self) -> int:
        """How many of the messages are about flows."""
        return sum(isinstance(subject, Flow) for subject in self.subjects)

    @cached_property
    def at_once(self) -> bytes:
        """Everything in one piece, with the commit and a barrier behind it: the same bytes for every switch."""
        if not self.bundle:
            return b"".join([*self.before, BARRIER])
        return b"".join([*self.before, OPEN, *self.bundle, COMMIT, BARRIER])


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

USUAL_ANSWERS = frozenset(
    encode(BundleControl(BUNDLE_ID, BundleControlType.OPEN_REPLY, flags), OPEN_XID)
    + encode(BundleControl(BUNDLE_ID, BundleControlType.COMMIT_REPLY, flags), COMMIT_XID)
    + encode(BarrierReply(), BARRIER_XID)
    for flags in (0, BUNDLE_FLAGS)
)
"""What a switch says that has taken a whole bundle; some repeat the flags, Open vSwitch does not."""

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

    def __init__(self, generation_size: int = 20_000) -> None:
        """`generation_size` is the number of flows after which the older half of the cache is forgotten."""
        self._generation_size = generation_size
        self._young: dict[Flow, bytes] = {}
        self._old: dict[Flow, bytes] = {}
        self._last: tuple[TableOperations, Flow | None, int] | None = None
        self._last_batch = EncodedBatch([], [], [])
        self._last_puts = 0
        self._marked: tuple[MarkerPlace, Stamp, Flow] | None = None
        self.encoded_bytes = 0
        self.encoded_flows = 0
        self.cache_hits = 0
        self.bundled_flows = 0
        self.bundled_bytes = 0

    def marker(self, place: MarkerPlace, stamp: Stamp) -> Flow:
        """The marker flow: one object for all switches that get the same."""
        if self._marked is None or self._marked[0] is not place or self._marked[1] != stamp:
            self._marked = place, stamp, marker_flow(place, stamp)
        return self._marked[2]

    def batches(self, operations: TableOperations, marker: Flow | None, limit: int) -> list[EncodedBatch]:
        """Operations in order, cut after `limit` of them, with the marker as the last flow if one is given.

        When they are what the last call was about, so is the answer. Raises EncodingError.
        """
        if self._last == (operations, marker, limit):
            self.cache_hits += self._last_puts
            return [self._last_batch]
        parts = order(operations, limit)
        if marker is not None:
            _append(parts, marker)
        if len(parts) == 1:
            self._last_batch = self.batch(parts[0])
            self._last, self._last_puts = (operations, marker, limit), len(parts[0].flows_put)
            return [self._last_batch]
        return [self.batch(each) for each in parts]

    def batch(self, batch: Batch) -> EncodedBatch:
        """All messages of a batch. Raises EncodingError."""
        before = list(self._meters(batch))
        bundle = list(self._bundle(batch))
        subjects: list[Subject] = [*batch.meters_added, *batch.meters_changed, *batch.meters_removed]
        subjects += [*batch.groups_added, *batch.groups_changed]
        subjects += [*batch.flows_put, *batch.flows_removed, *batch.groups_removed]
        encoded = EncodedBatch(before, bundle, subjects)
        self.bundled_flows += encoded.flows
        self.bundled_bytes += encoded.size
        return encoded

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


def _append(batches: list[Batch], flow: Flow) -> None:
    """Let a flow be the last one put; removed meters come outside a bundle, so beside them it gets its own."""
    if batches and batches[-1].bundled:
        batches[-1] = replace(batches[-1], flows_put=(*batches[-1].flows_put, flow))
    else:
        batches.append(Batch(flows_put=(flow,)))


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
