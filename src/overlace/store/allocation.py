"""Numbers that objects hold: network keys, wire identifiers, conntrack zones ...

A number goes from free to allocated to quarantined to free. Quarantine lasts until every switch that could
still act on the number has acknowledged its removal. New numbers are taken behind the last one given, so that a
number rests as long as the pool allows even after its quarantine.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from immutables import Map

from overlace.store.errors import NumberTaken, PoolExhausted
from overlace.store.numbers import Numbers


@dataclass(frozen=True, slots=True)
class PoolRange:
    """Numbers `first` to `last` may be asked for; only those from `automatic` on are given unasked."""

    first: int
    last: int
    automatic: int


# Of wire identifiers half the numbers: the top bit says where a frame came in (docs/adr/0013), and the last VNIs with
# it are reserved.
_RANGES = {
    "network_key": PoolRange(1, (1 << 24) - 1, 1),
    "port_key": PoolRange(1, (1 << 31) - 1, 1),
    "group_key": PoolRange(1, (1 << 24) - 1, 1),
    "host_key": PoolRange(1, 0xFFFF, 1),
    "vni": PoolRange(1, 0x7EFFFF, 4096),
    "hop_label": PoolRange(16, (1 << 19) - 1, 16),
    "zone": PoolRange(1, 0xFFFF, 1),
}


def pool_range(pool: str) -> PoolRange:
    """The range of a pool; ``zone:<host>`` is one pool a host. Raises KeyError for a name that is none."""
    return _RANGES[pool.split(":", 1)[0]]


@dataclass(frozen=True, slots=True)
class Pool:
    """Numbers in use, and numbers in quarantine; `cursor` is the last one given."""

    cursor: int = 0
    allocated: Numbers = Numbers()
    resting: Numbers = Numbers()

    @property
    def held(self) -> int:
        """How many are not free."""
        return len(self.allocated) + len(self.resting)

    def state(self, number: int) -> bool | None:
        """True allocated, False in quarantine, None free."""
        if number in self.allocated:
            return True
        return False if number in self.resting else None


@dataclass(frozen=True, slots=True)
class Allocations:
    """All pools, as an immutable value."""

    pools: Map[str, Pool] = Map()

    def allocate(self, name: str) -> tuple[int, "Allocations"]:
        """The next free number behind the last one given. Raises PoolExhausted.

        Each step over a held number moves the cursor past it, so a round of the pool costs what it gives.
        """
        limits, pool = pool_range(name), self.pools.get(name, Pool())
        span = limits.last - limits.automatic + 1
        start = max(pool.cursor + 1, limits.automatic) - limits.automatic
        for step in range(min(pool.held + 1, span)):
            number = limits.automatic + (start + step) % span
            if pool.state(number) is None:
                return number, self._with(name, Pool(number, pool.allocated.put(number), pool.resting))
        raise PoolExhausted(f"no number is free in {name} ({limits.automatic}-{limits.last})")

    def request(self, name: str, number: int) -> "Allocations":
        """Take this very number. Raises NumberTaken."""
        limits, pool = pool_range(name), self.pools.get(name, Pool())
        if not limits.first <= number <= limits.last:
            raise NumberTaken(f"{number} is outside {name} ({limits.first}-{limits.last})")
        if (taken := pool.state(number)) is not None:
            raise NumberTaken(f"{number} of {name} is " + ("in use" if taken else "in quarantine"))
        return self._with(name, replace(pool, allocated=pool.allocated.put(number)))

    def release(self, name: str, number: int) -> "Allocations":
        """Into quarantine; releasing what is not allocated changes nothing."""
        pool = self.pools.get(name, Pool())
        if number not in pool.allocated:
            return self
        left, resting = pool.allocated.without(number), pool.resting.put(number)
        return self._with(name, Pool(pool.cursor, left, resting))

    def end_quarantine(self, name: str, number: int) -> "Allocations":
        """Free again."""
        pool = self.pools.get(name, Pool())
        if number not in pool.resting:
            return self
        return self._with(name, replace(pool, resting=pool.resting.without(number)))

    def state(self, name: str, number: int) -> bool | None:
        """True allocated, False in quarantine, None free."""
        return self.pools.get(name, Pool()).state(number)

    def quarantined(self) -> Iterator[tuple[str, int]]:
        """Every number that rests, with its pool."""
        for name, pool in self.pools.items():
            for number in pool.resting:
                yield name, number

    def _with(self, name: str, pool: Pool) -> "Allocations":
        if pool == Pool():  # as if nothing had ever been asked of it
            return Allocations(self.pools.delete(name)) if name in self.pools else self
        return Allocations(self.pools.set(name, pool))
