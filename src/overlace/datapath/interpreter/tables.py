"""The contents of one switch: flow tables, groups and meters.

Flows are added and removed one by one, as a switch does on flow-mods; there is no clock, callers say `now`
in seconds of their own time.
"""

from collections.abc import Iterable, Iterator

from overlace.datapath.actions import Clone, Learn
from overlace.datapath.flow import Flow, FlowKey, Group, Meter
from overlace.datapath.interpreter.classifier import Classifier, Entry
from overlace.datapath.interpreter.packet import Packet


class Tables:
    """What one switch holds."""

    def __init__(
        self, flows: Iterable[Flow] = (), groups: Iterable[Group] = (), meters: Iterable[Meter] = ()
    ) -> None:
        self._tables: dict[int, Classifier] = {}
        self.groups: dict[int, Group] = {group.group_id: group for group in groups}
        self.meters: dict[int, Meter] = {meter.meter_id: meter for meter in meters}
        for flow in flows:
            self.add(flow)

    def __iter__(self) -> Iterator[Flow]:
        """All flows, in no particular order."""
        return (entry.flow for table in self._tables.values() for entry in table)

    def __len__(self) -> int:
        return sum(map(len, self._tables.values()))

    def add(self, flow: Flow, now: float = 0.0) -> Flow | None:
        """Add a flow (OFPFC_ADD); returns the one with the same key that it has replaced."""
        table = self._tables.get(flow.table)
        if table is None:
            table = self._tables[flow.table] = Classifier()
        replaced = table.add(Entry(flow, now))
        if replaced is not None:
            self._delete_learned(replaced.flow)
        return replaced.flow if replaced else None

    def learn(self, flow: Flow, now: float = 0.0) -> bool:
        """Add a flow as learn() does: one that is there in the same form is only refreshed.

        True when the table has changed.
        """
        present = self.entry(flow.key)
        if present is None or present.flow != flow:
            self.add(flow, now)
            return True
        present.created = present.used = now
        return False

    def remove(self, key: FlowKey) -> Flow | None:
        """Remove the flow with exactly this key (OFPFC_DELETE_STRICT); returns it, or None."""
        table = self._tables.get(key.table)
        removed = table.remove(key.priority, key.match) if table else None
        if removed is None:
            return None
        self._delete_learned(removed.flow)
        return removed.flow

    def entry(self, key: FlowKey) -> Entry | None:
        """The entry with exactly this key."""
        table = self._tables.get(key.table)
        return table.get(key.priority, key.match) if table else None

    def lookup(self, table_id: int, packet: Packet) -> Entry | None:
        """The flow of a table that the packet matches, None on a table miss.

        A first fragment is matched with its ports, later ones have none: the frag_mode "nx-match" of ovs-ofctl(8),
        which the southbound sets.
        """
        table = self._tables.get(table_id)
        return table.lookup(packet.values) if table is not None else None

    def flows(self, table_id: int) -> list[Flow]:
        """The flows of one table, the highest priority first."""
        entries = self._tables.get(table_id, ())
        return sorted((entry.flow for entry in entries), key=lambda flow: -flow.priority)

    def expire(self, now: float) -> list[Flow]:
        """Remove the flows whose hard or idle timeout has passed; returns them."""
        expired = [entry.flow for table in self._tables.values() for entry in table if _is_over(entry, now)]
        for flow in expired:
            self.remove(flow.key)
        return expired

    def _delete_learned(self, removed: Flow) -> None:
        """Delete what `removed` has learned, when no flow is left that learns the same (ovs-actions(7))."""
        for learn in _delete_learned_actions(removed):
            if any(_learns_into(flow, learn) for flow in self):
                continue
            learned = [f for f in self.flows(learn.table) if f.cookie == learn.cookie]
            for flow in learned:
                self.remove(flow.key)


def _is_over(entry: Entry, now: float) -> bool:
    flow = entry.flow
    hard = flow.hard_timeout and now >= entry.created + flow.hard_timeout
    idle = flow.idle_timeout and now >= entry.used + flow.idle_timeout
    return bool(hard or idle)


def _delete_learned_actions(flow: Flow) -> list[Learn]:
    actions = list(flow.actions)
    found: list[Learn] = []
    while actions:
        action = actions.pop()
        if isinstance(action, Clone):
            actions.extend(action.actions)
        elif isinstance(action, Learn) and action.delete_learned:
            found.append(action)
    return found


def _learns_into(flow: Flow, learn: Learn) -> bool:
    same = (learn.table, learn.cookie)
    return any((other.table, other.cookie) == same for other in _delete_learned_actions(flow))
