"""How long things take: requests, compilations, and how late the event loop is."""

import asyncio
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Histogram

from overlace.kit.clock import Clock
from overlace.northbound.request_identity import Finished

_FINE = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)
_PERIOD = 0.25


class Timings:
    """Histograms in seconds, filled while the controller runs."""

    def __init__(self, registry: CollectorRegistry, clock: Clock) -> None:
        self._clock = clock
        self._requests = Histogram(
            "overlace_api_request_seconds",
            "API requests by method, route and status",
            ("method", "route", "status"),
            registry=registry,
            buckets=_FINE,
        )
        self._turns = Histogram(
            "overlace_compile_seconds",
            "Turns of the engine: compile and publish",
            registry=registry,
            buckets=_FINE,
        )
        self._lag = Histogram(
            "overlace_event_loop_lag_seconds",
            "How much later than asked for the event loop came back",
            registry=registry,
            buckets=_FINE,
        )

    def request(self, finished: Finished) -> None:
        """A request has been answered."""
        labels = (finished.method, finished.route, str(finished.status))
        self._requests.labels(*labels).observe(finished.seconds)

    def call_soon(self, turn: Callable[[], None]) -> None:
        """Let the event loop take a turn of the engine, and time it."""
        asyncio.get_running_loop().call_soon(self._timed, turn)

    async def watch(self) -> None:
        """Measure the event loop until cancelled."""
        while True:
            asked = self._clock.monotonic()
            await asyncio.sleep(_PERIOD)
            self._lag.observe(max(0.0, self._clock.monotonic() - asked - _PERIOD))

    def _timed(self, turn: Callable[[], None]) -> None:
        start = self._clock.monotonic()
        try:
            turn()
        finally:
            self._turns.observe(self._clock.monotonic() - start)
