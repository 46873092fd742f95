"""Bring operations into one connected switch, batch after batch, and keep the marker up to date with them."""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from overlace.southbound.encoding import EncodedBatch
from overlace.southbound.marker import Stamp
from overlace.southbound.openflow_channel import SwitchConnection
from overlace.southbound.operations import TableOperations
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
        self._done: Callable[[list[Refusal]], None] = _nobody
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
        batches = self._encode(operations)
        self.send(batches, self.stamp, done)

    def send(
        self, batches: Iterable[EncodedBatch], stamp: Stamp | None, done: Callable[[list[Refusal]], None]
    ) -> None:
        """As `start`, with what is encoded already and leaves this stamp on the switch."""
        self.stamp = stamp
        self._batches.extend(batches)
        self._busy = True
        self._done = done
        self._next()

    def abandon(self) -> None:
        """Send no further batch and call nobody back; what is under way goes its way."""
        self._batches.clear()
        self._abandoned = True

    async def write(
        self, operations: TableOperations, *, marker: bool = False, limit: int | None = None
    ) -> list[Refusal]:
        """As `start`, but carefully (see `transaction`) and waiting; `marker` rewrites it in any case. `limit` is how
        many operations may go together, if not as many as usual.

        Raises EncodingError or NotConnectedError.
        """
        batches = self._encode(operations, marker=marker, limit=limit)
        self._busy = True
        try:
            for batch in batches:
                self._count(batch)
                if refusals := await self._connection.commit(batch, careful=True):
                    return refusals
        finally:
            self._busy = False
        return []

    def _next(self) -> None:
        if not self._batches:
            self._end([])
            return
        batch = self._batches.popleft()
        self._count(batch)
        self._connection.begin(batch, self._answered)

    def _answered(self, refusals: list[Refusal]) -> None:
        if self._abandoned:
            return
        if refusals:
            self._batches.clear()
            self._end(refusals)
        else:
            self._next()

    def _end(self, refusals: list[Refusal]) -> None:
        self._busy = False
        self._done(refusals)

    def _count(self, batch: EncodedBatch) -> None:
        self._counters.batches += 1
        self._counters.bytes += batch.size
        self._counters.flows_sent += batch.flows

    def _encode(
        self, operations: TableOperations, *, marker: bool = False, limit: int | None = None
    ) -> list[EncodedBatch]:
        if not marker and not operations.openflow:
            return []
        stamp = self._context.stamp()
        flow = (
            self._context.encoder.marker(self._context.marker, stamp)
            if marker or stamp != self.stamp
            else None
        )
        limit = limit or self._context.settings.batch_limit
        encoded = self._context.encoder.batches(operations, flow, limit)
        self.stamp = stamp
        return encoded


def _nobody(_: list[Refusal]) -> None:
    """Before the first write nobody waits."""
