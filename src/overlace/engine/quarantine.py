"""When a number that nobody has any more may be given out again.

A number rests until every switch that may still act on it has acknowledged a plan without it or was removed; one
that is away keeps it resting. What the data path makes for itself outlives the plan, so some kinds rest for as
long as that may live. After a restart nothing is known, and every switch has to acknowledge anew.

Pure: time comes in as `now`.
"""

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass

from overlace.compiler.pipeline import LEARNED_SECONDS
from overlace.compiler.plan import SwitchName
from overlace.engine.realisation import SwitchProgress
from overlace.model.port import RestingAddress

Number = tuple[str, int]
"""A pool and a number of it; or an address, see `address_number`."""

CONNECTION_SECONDS = 432_000
"""The longest that a connection tracker remembers a connection without packets (Linux: established TCP, 5 days)."""
_RESTS = {"port_key": LEARNED_SECONDS, "host_key": LEARNED_SECONDS, "zone": CONNECTION_SECONDS}


def address_number(rests: RestingAddress) -> Number:
    """An address that rests, told from an earlier and a later rest of it."""
    return f"address:{rests.id} since {rests.since.isoformat()}", rests.holder


@dataclass(frozen=True, slots=True)
class _Rest:
    since: float
    awaited: Mapping[SwitchName, int]
    """The plan that each switch has to have acknowledged."""


class Quarantine:
    """Which resting numbers wait for whom."""

    def __init__(self) -> None:
        self._resting: dict[Number, _Rest] = {}

    def look(
        self, resting: Iterable[Number], switches: Mapping[SwitchName, SwitchProgress], now: float
    ) -> None:
        """Take in what rests now. The newest plan of every switch must be one without these numbers."""
        published = {name: progress.published for name, progress in switches.items()}
        known, self._resting = self._resting, {}
        for number in resting:
            self._resting[number] = known.get(number) or _Rest(now, _holders(number, published))

    def over(
        self, switches: Mapping[SwitchName, SwitchProgress], registered: Container[SwitchName], now: float
    ) -> list[Number]:
        """The numbers that no switch can act on any more."""
        return [
            number
            for number, rest in self._resting.items()
            if now - rest.since >= _RESTS.get(_kind(number), 0)
            and all(
                switches[name].acknowledged >= sequence
                for name, sequence in rest.awaited.items()
                if name in registered
            )
        ]


def _kind(number: Number) -> str:
    return number[0].split(":", 1)[0]


def _holders(number: Number, published: Mapping[SwitchName, int]) -> Mapping[SwitchName, int]:
    """A conntrack zone is one host's affair; of all else any switch may know."""
    if _kind(number) != "zone":
        return published
    host = number[0].split(":", 1)[1]
    return {host: published[host]} if host in published else {}
