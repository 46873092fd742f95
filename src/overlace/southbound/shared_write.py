"""A change as many switches are sent it: put in order and into bytes once."""

from overlace.southbound.encoding import EncodedBatch
from overlace.southbound.marker import Stamp
from overlace.southbound.settings import Context
from overlace.southbound.shared_change import SharedChange


class SharedWrite:
    """What a change means to every switch that awaits it, and its bytes, with the marker and without."""

    def __init__(self, context: Context, change: SharedChange) -> None:
        """Raises EncodingError."""
        self.change = change
        self.stamp = context.stamp()
        self._context = context
        self._marked = self._encoded(marked=True)
        self._plain: list[EncodedBatch] | None = None

    def batches(self, present: Stamp | None) -> list[EncodedBatch]:
        """For a switch that carries this stamp at present."""
        if present != self.stamp:
            return self._marked
        if self._plain is None:
            self._plain = self._encoded(marked=False)
        return self._plain

    def _encoded(self, *, marked: bool) -> list[EncodedBatch]:
        encoder, context = self._context.encoder, self._context
        marker = encoder.marker(context.marker, self.stamp) if marked else None
        return encoder.batches(self.change.operations, marker, context.settings.batch_limit)
