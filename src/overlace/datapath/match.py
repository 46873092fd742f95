"""A match: which packets a flow is about."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from operator import attrgetter

import msgspec

from overlace.datapath.fields import Field

MatchValue = int | tuple[int, int] | IPv4Address | IPv6Address | IPv4Network | IPv6Network
"""What `match()` accepts: an exact value, (value, mask), or an address or prefix."""
CACHED = 1 << 15
"""So many of the newest conditions, and of the newest actions, are one object wherever they are equal."""


class Condition(msgspec.Struct, frozen=True, gc=False, order=False):
    """One field compared under a mask; `mask == field.full_mask` is an exact match."""

    field: Field
    value: int
    mask: int

    @property
    def exact(self) -> bool:
        """True when every bit of the field is compared."""
        return self.mask == self.field.full_mask


class Match(msgspec.Struct, frozen=True, gc=False, cache_hash=True):
    """A conjunction of conditions, one a field, in the order of `Field`; build it with `match()`."""

    conditions: tuple[Condition, ...] = ()

    def __iter__(self) -> Iterator[Condition]:
        return iter(self.conditions)

    def get(self, field: Field) -> Condition | None:
        """The condition on `field`, or None when the field is not compared."""
        for condition in self.conditions:
            if condition.field is field:
                return condition
        return None


def match(conditions: Mapping[Field, MatchValue] | None = None, /) -> Match:
    """Build a canonical `Match`: sorted by field, value bits outside the mask cleared, empty masks dropped.

    Raises ValueError when a value does not fit its field.
    """
    built = [
        # addresses hash in Python, integers at once
        _condition(field, int(value) if isinstance(value, _ADDRESSES) else value)
        for field, value in (conditions or {}).items()
    ]
    return match_of([each for each in built if each.mask])


def match_of(conditions: list[Condition]) -> Match:
    """The canonical `Match` of conditions on different fields, none of them with an empty mask."""
    return Match(tuple(sorted(conditions, key=_ORDER)))


_ORDER = attrgetter("field.order")
_ADDRESSES = (IPv4Address, IPv6Address)


@lru_cache(maxsize=CACHED)
def _condition(field: Field, value: MatchValue) -> Condition:
    """Many flows ask the same of a field, and all flows of a port ask for its address: they share the answer."""
    number, mask = _number_and_mask(field, value)
    if not 0 <= number <= field.full_mask or not 0 <= mask <= field.full_mask:
        raise ValueError(f"{value!r} does not fit {field.ovs_name} ({field.bits} bits)")
    return Condition(field, number & mask, mask)


def _number_and_mask(field: Field, value: MatchValue) -> tuple[int, int]:
    match value:
        case int():
            return value, field.full_mask
        case (number, mask):
            return number, mask
        case IPv4Network() | IPv6Network():
            return int(value.network_address), int(value.netmask)
        case _:
            raise ValueError(f"{value!r} is no value for {field.ovs_name}")
