"""The machine's own time."""

import time
from datetime import UTC, datetime


class SystemClock:
    """See `kit.clock.Clock`."""

    def monotonic(self) -> float:
        """Seconds since the machine started, or thereabouts."""
        return time.monotonic()

    def now(self) -> datetime:
        """Aware UTC time."""
        return datetime.now(UTC)
