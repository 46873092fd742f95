"""Who has read which key: the index by which a change finds the units that must look again."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from overlace.compiler.unit import Unit
from overlace.model.snapshot import Key

_FEW = 8


@lru_cache(maxsize=1 << 14)
def _same(keys: tuple[Key, ...]) -> tuple[Key, ...]:
    """Units that are alike and neighbours have read the same keys: one tuple for all of them."""
    return keys


@dataclass(frozen=True, slots=True)
class _Crowd:
    """The readers of a key that many units read; a dictionary, since it takes half the room of a set."""

    key: Key
    units: dict[Unit, None]


class Readers:
    """Most keys have few readers: these stand in a tuple, behind the key itself. So whoever keeps the keys that a unit
    has read can keep the very objects that are kept here."""

    def __init__(self) -> None:
        self._readers: dict[Key, tuple[Key, *tuple[Unit, ...]] | _Crowd] = {}

    def of(self, key: Key) -> Iterable[Unit]:
        """The units that have read this."""
        present = self._readers.get(key)
        if present is None:
            return ()
        return present.units if isinstance(present, _Crowd) else present[1:]

    def move(self, unit: Unit, old: tuple[Key, ...], new: frozenset[Key] | set[Key]) -> tuple[Key, ...]:
        """A unit that read `old` has read `new`. Gives the new keys, as the objects to keep."""
        fresh = new.difference(old)
        if len(new) - len(fresh) < len(old):
            for key in old:
                if key not in new:
                    self._leave(unit, key)
            old = tuple([key for key in old if key in new])
        return _same((*old, *[self._join(unit, key) for key in fresh])) if fresh else old

    def _join(self, unit: Unit, key: Key) -> Key:
        present = self._readers.get(key)
        if present is None:
            self._readers[key] = (key, unit)
            return key
        if isinstance(present, _Crowd):
            present.units[unit] = None
            return present.key
        if unit not in present[1:]:
            more = (*present, unit)
            self._readers[key] = more if len(more) <= _FEW else _Crowd(present[0], dict.fromkeys(more[1:]))
        return present[0]

    def _leave(self, unit: Unit, key: Key) -> None:
        present = self._readers[key]
        if isinstance(present, _Crowd):
            present.units.pop(unit, None)
            nobody = not present.units
        else:
            staying = [each for each in present[1:] if each != unit]
            self._readers[key] = (present[0], *staying)
            nobody = not staying
        if nobody:
            del self._readers[key]
