"""One flow table: tuple space search (Srinivasan 1999), as in Open vSwitch itself.

Flows whose matches compare the same bits form a subtable, which is a dictionary from the compared values to
the flows. A lookup asks each subtable once, those with the highest priority first, and stops when no subtable left
can beat the flow it has.
"""

from collections.abc import Callable, Iterator, Sequence
from operator import itemgetter

from overlace.datapath.fields import Field
from overlace.datapath.flow import Flow
from overlace.datapath.match import Match
from overlace.datapath.prerequisites import is_data_field

Masks = tuple[tuple[int, int, bool], ...]
"""Per compared field: its order, its mask, and whether the mask covers it all."""
Values = Sequence[int]


class Entry:
    """A flow in a table: `created` and `used` in seconds, as given by the caller."""

    __slots__ = ("created", "flow", "used")

    def __init__(self, flow: Flow, now: float) -> None:
        self.flow = flow
        self.created = now
        self.used = now


class _Subtable:
    __slots__ = ("best", "count", "key_of", "rows")

    def __init__(self, masks: Masks) -> None:
        self.key_of = _key_function(masks)
        self.rows: dict[object, list[Entry]] = {}
        """The flows with equal compared values, the highest priority first."""
        self.count: dict[int, int] = {}
        """How many flows there are of each priority."""
        self.best = -1
        """The highest priority in the subtable."""

    def counted(self, priority: int, change: int) -> None:
        """Keep `count` and `best` when a flow comes (1) or goes (-1)."""
        self.count[priority] = self.count.get(priority, 0) + change
        if not self.count[priority]:
            del self.count[priority]
        self.best = max(self.count, default=-1)


class Classifier:
    """The flows of one table, at most one for a priority and match."""

    def __init__(self) -> None:
        self._subtables: dict[Masks, _Subtable] = {}
        self._in_order: list[_Subtable] = []

    def __iter__(self) -> Iterator[Entry]:
        for subtable in self._in_order:
            for row in subtable.rows.values():
                yield from row

    def __len__(self) -> int:
        return sum(len(row) for subtable in self._in_order for row in subtable.rows.values())

    def add(self, entry: Entry) -> Entry | None:
        """Add a flow; returns the one with the same priority and match that it has replaced."""
        masks, values = _masks_and_values(entry.flow.match)
        subtable = self._subtables.get(masks)
        if subtable is None:
            subtable = self._subtables[masks] = _Subtable(masks)
        row = subtable.rows.setdefault(_key(values), [])
        replaced = _take(row, entry.flow.priority)
        row.append(entry)
        row.sort(key=lambda e: -e.flow.priority)
        if replaced is None:
            self._count(subtable, entry.flow.priority, 1)
        return replaced

    def remove(self, priority: int, match: Match) -> Entry | None:
        """Remove the flow with this priority and match; returns it, or None."""
        masks, values = _masks_and_values(match)
        subtable = self._subtables.get(masks)
        row = subtable.rows.get(_key(values)) if subtable else None
        removed = _take(row, priority) if row else None
        if subtable is None or removed is None:
            return None
        if not row:
            del subtable.rows[_key(values)]
        if not subtable.rows:
            del self._subtables[masks]
        self._count(subtable, priority, -1)
        return removed

    def get(self, priority: int, match: Match) -> Entry | None:
        """The flow with exactly this priority and match."""
        masks, values = _masks_and_values(match)
        subtable = self._subtables.get(masks)
        row = subtable.rows.get(_key(values), ()) if subtable else ()
        return next((entry for entry in row if entry.flow.priority == priority), None)

    def lookup(self, values: Values) -> Entry | None:
        """The flow of highest priority that matches, None when there is none."""
        found: Entry | None = None
        priority = -1
        for subtable in self._in_order:
            if subtable.best <= priority:
                break
            row = subtable.rows.get(subtable.key_of(values))
            if row is not None and row[0].flow.priority > priority:
                found = row[0]
                priority = found.flow.priority
        return found

    def _count(self, subtable: _Subtable, priority: int, change: int) -> None:
        before = subtable.best
        subtable.counted(priority, change)
        if subtable.best != before:
            self._in_order = sorted(self._subtables.values(), key=lambda subtable: -subtable.best)


def _take(row: list[Entry], priority: int) -> Entry | None:
    for index, entry in enumerate(row):
        if entry.flow.priority == priority:
            return row.pop(index)
    return None


def _masks_and_values(match: Match) -> tuple[Masks, tuple[int, ...]]:
    conditions = [(c.field, c.value, c.mask) for c in match.conditions]
    fields = {field for field, _, _ in conditions}
    if Field.PACKET_TYPE not in fields and any(map(is_data_field, fields)):
        # A match on data without a packet_type is about Ethernet frames (ovs-fields(7), packet_type).
        conditions.append((Field.PACKET_TYPE, 0, Field.PACKET_TYPE.full_mask))
    masks = tuple((field.order, mask, mask == field.full_mask) for field, _, mask in conditions)
    return masks, tuple(value for _, value, _ in conditions)


def _key(values: tuple[int, ...]) -> object:
    return values[0] if len(values) == 1 else values


def _key_function(masks: Masks) -> Callable[[Values], object]:
    """What takes the compared bits out of a packet's values; in C where only whole fields are compared."""
    if not masks:
        return lambda _: ()
    if all(whole for _, _, whole in masks):
        return itemgetter(*(order for order, _, _ in masks))
    pairs = tuple((order, mask) for order, mask, _ in masks)
    if len(pairs) == 1:
        [(order, mask)] = pairs
        return lambda values: values[order] & mask
    return lambda values: tuple([values[order] & mask for order, mask in pairs])
