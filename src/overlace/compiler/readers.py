"""Who has read which key: the index by which a change finds the units that must look again."""

from collections.abc import Collection, Iterable

from overlace.compiler.unit import UnitId
from overlace.model.snapshot import Key

Unit = tuple[str, UnitId]
"""Kind and id."""


class Readers:
    """Most keys have one reader, which stands for itself: a set of one would take two hundred bytes more."""

    def __init__(self) -> None:
        self._readers: dict[Key, Unit | set[Unit]] = {}

    def of(self, key: Key) -> Iterable[Unit]:
        """The units that have read this."""
        readers = self._readers.get(key, ())
        return readers if isinstance(readers, set) else (readers,) if readers else ()

    def move(self, unit: Unit, old: Collection[Key], new: Collection[Key]) -> None:
        """A unit that read `old` has read `new`."""
        for key in old:
            if key not in new:
                self._leave(unit, key)
        for key in set(new).difference(old):
            self._join(unit, key)

    def _join(self, unit: Unit, key: Key) -> None:
        present = self._readers.setdefault(key, unit)
        if isinstance(present, set):
            present.add(unit)
        elif present != unit:
            self._readers[key] = {present, unit}

    def _leave(self, unit: Unit, key: Key) -> None:
        present = self._readers[key]
        if not isinstance(present, set):
            del self._readers[key]
            return
        present.discard(unit)
        if len(present) == 1:
            [self._readers[key]] = present
