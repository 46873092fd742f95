"""Bring operations into one connected switch, batch after batch, and keep the marker up to date with them."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

from overlace.datapath.flow import Flow
from overlace.southbound.encoding import EncodedBatch
from overlace.southbound.marker import Stamp, marker_flow
from overlace.southbound.openflow_channel import SwitchConnection
from overlace.southbound.operations import TableOperations
from overlace.southbound.order import Batch, order
from overlace.southbound.settings import Context
from overlace.southbound.transaction import Refusal


@dataclass(slots=True)
class WriteCounters:
    """What was sent to one switch, and found there, since this controller started."""

    flows_sent: int = 0
    batches: int = 0
    bytes: int = 0
    resyncs: int = 0
    resync_changes: int = 0
    audit_repairs: int = 0


class Writer:
    """Writes over one connection. Only one write at a time."""

    def __init__(self, context: Context, connection: SwitchConnection, counters: WriteCounters) -> None:
        self._context = context
        self._connection = connection
        self._counters = counters
        self._batches: deque[EncodedBatch] = deque()
        self._busy = False
        self._abandoned = False
        self.stamp: Stamp | None = None
        """The stamp on the switch, as far as it is known."""

    @property
    def busy(self) -> bool:
        """True from the start of a write until the switch has answered its last batch."""
        return self._busy

    def start(self, operations: TableOperations, done: Callable[[list[Refusal]], None]) -> None:
        """Send operations; `done` is called once, with what the switch refused.

        It may be called before this returns, when there is nothing to send. Raises EncodingError.
        """
        self._batches = deque(self._encode(operations))
        self._busy = True
        self._next(done)

    def abandon(self) -> None:
        """Send no further batch and call nobody back; what is under way goes its way."""
        self._batches.clear()
        self._abandoned = True

    async def write(self, operations: TableOperations, *, marker: bool = False) -> list[Refusal]:
        """As `start`, but carefully (see `transaction`) and waiting; `marker` rewrites it in any case.

        Raises EncodingError or NotConnectedError.
        """
        batches = self._encode(operations, marker=marker)
        self._busy = True
        try:
            for batch in batches:
                self._count(batch)
                if refusals := await self._connection.commit(batch, careful=True):
                    return refusals
        finally:
            self._busy = False
        return []

    def _next(self, done: Callable[[list[Refusal]], None]) -> None:
        if not self._batches:
            self._busy = False
            done([])
            return
        batch = self._batches.popleft()
        self._count(batch)

        def answered(refusals: list[Refusal]) -> None:
            if self._abandoned:
                return
            if refusals:
                self._batches.clear()
                self._busy = False
                done(refusals)
            else:
                self._next(done)

        self._connection.begin(batch, answered)

    def _count(self, batch: EncodedBatch) -> None:
        self._counters.batches += 1
        self._counters.bytes += batch.size
        self._counters.flows_sent += sum(isinstance(subject, Flow) for subject in batch.subjects)

    def _encode(self, operations: TableOperations, *, marker: bool = False) -> list[EncodedBatch]:
        batches = order(operations, self._context.settings.batch_limit)
        stamp = self._context.stamp()
        if marker or (batches and stamp != self.stamp):
            _append(batches, marker_flow(self._context.marker, stamp))
        encoded = [self._context.encoder.batch(batch) for batch in batches]
        if batches:
            self.stamp = stamp
        return encoded


def _append(batches: list[Batch], flow: Flow) -> None:
    """Let a flow be the last one put; removed meters come outside a bundle, so beside them it gets its own."""
    if batches and batches[-1].bundled:
        batches[-1] = replace(batches[-1], flows_put=(*batches[-1].flows_put, flow))
    else:
        batches.append(Batch(flows_put=(flow,)))
