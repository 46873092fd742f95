"""Which fragments hold which flow, over all switches: one register instead of a table of flows for each.

Nearly every flow stands in one fragment only. So whether bringing a fragment to five hundred switches can collide with
anything there is asked once, and a switch has to remember its fragments and not their flows.
"""

from collections.abc import Collection, Iterable

from overlace.compiler.plan import Fragment
from overlace.datapath.flow import FlowKey


class FlowHolders:
    """Fragments that some table holds, by the keys of their flows."""

    def __init__(self) -> None:
        self._holders: dict[
            FlowKey, Fragment | tuple[Fragment, ...]
        ] = {}  # nearly always one, without a tuple
        self._tables: dict[Fragment, int] = {}

    def hold(self, fragment: Fragment) -> None:
        """One more table holds this fragment."""
        tables = self._tables.get(fragment, 0)
        self._tables[fragment] = tables + 1
        if not tables:
            for key in dict.fromkeys(fragment.flow_keys):
                others = self.of(key)
                self._holders[key] = (*others, fragment) if others else fragment

    def release(self, fragment: Fragment) -> None:
        """One table less does. Raises KeyError when none did."""
        tables = self._tables[fragment] - 1
        if tables:
            self._tables[fragment] = tables
            return
        del self._tables[fragment]
        for key in dict.fromkeys(fragment.flow_keys):
            others = tuple(each for each in self.of(key) if each is not fragment)
            if others:
                self._holders[key] = others if len(others) > 1 else others[0]
            else:
                del self._holders[key]

    def of(self, key: FlowKey) -> tuple[Fragment, ...]:
        """The fragments with a flow of this key that some table holds."""
        holders = self._holders.get(key, ())
        return (holders,) if isinstance(holders, Fragment) else holders

    def hold_nothing_else(self, keys: Iterable[FlowKey], fragments: Collection[Fragment]) -> bool:
        """Whether no other fragment than these, on whatever table, has a flow under one of the keys."""
        for key in keys:
            holders = self._holders.get(key)
            if holders is None:
                continue
            if isinstance(holders, Fragment):
                if holders not in fragments:
                    return False
            elif any(each not in fragments for each in holders):
                return False
        return True
