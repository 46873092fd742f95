"""Time as a dependency: whoever needs it is handed a `Clock`, so that tests decide what time it is."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Two views of time; never mix them."""

    def monotonic(self) -> float:
        """Seconds from an arbitrary origin, never backwards: for deadlines and intervals."""
        ...

    def now(self) -> datetime:
        """Aware UTC wall time: for records that people read and certificates."""
        ...


@dataclass(slots=True)
class ManualClock:
    """A clock that stands still until it is told to move."""

    seconds: float = 0.0
    epoch: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    def monotonic(self) -> float:
        """Seconds since this clock was made."""
        return self.seconds

    def now(self) -> datetime:
        """The epoch plus what has been advanced."""
        return datetime.fromtimestamp(self.epoch.timestamp() + self.seconds, UTC)

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass. Raises ValueError when asked to go back."""
        if seconds < 0:
            raise ValueError("time does not run backwards")
        self.seconds += seconds
