"""Which fragments hold which flow, over all switches: one register instead of a table of flows for each.

Nearly every flow stands in one fragment only. So whether bringing a fragment to five hundred switches can collide with
anything there is asked once, and a switch has to remember its fragments and not their flows. Some keys are everybody's
("what comes in at port 5"): of these the register knows which table has whose. Nor are flows remembered here: keys are
numbers (`Fragment.shareable`), and flows that only one fragment can have are left out.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence

from overlace.compiler.plan import Fragment
from overlace.southbound.held_fragments import HeldFragments

Table = object
"""Whoever holds fragments; compared by identity."""


class _Contended:
    """The holders of a key that has, or had, more than one."""

    def __init__(self) -> None:
        self.by_table: dict[Table, tuple[Fragment, ...]] = {}
        """Fragments that one table alone has ever held."""
        self.elsewhere: tuple[Fragment, ...] = ()
        """The others, wherever they are held."""

    def add(self, fragment: Fragment, table: Table | None) -> None:
        if table is None:
            self.elsewhere += (fragment,)
        else:
            self.by_table[table] = (*self.by_table.get(table, ()), fragment)

    def remove(self, fragment: Fragment, table: Table | None) -> None:
        if table is None:
            self.elsewhere = _without(self.elsewhere, fragment)
        elif others := _without(self.by_table[table], fragment):
            self.by_table[table] = others
        else:
            del self.by_table[table]

    def __iter__(self) -> Iterator[Fragment]:
        yield from self.elsewhere
        for fragments in self.by_table.values():
            yield from fragments


class FlowHolders:
    """Fragments that some table holds, by the keys of their flows."""

    def __init__(self) -> None:
        self._holders: dict[int, Fragment | _Contended] = {}
        self._only_table: dict[Fragment, Table] = {}
        """Where a fragment is held that was never held by two."""
        self._tables: dict[Fragment, int] = {}
        """How many hold each of the others."""

    def hold(self, fragment: Fragment, table: Table) -> None:
        """This table holds the fragment now."""
        if (tables := self._tables.get(fragment)) is not None:
            self._tables[fragment] = tables + 1
        elif (only := self._only_table.pop(fragment, None)) is not None:
            self._tables[fragment] = 2
            for contended in self._contended(fragment):
                contended.remove(fragment, only)
                contended.add(fragment, None)
        else:
            self._only_table[fragment] = table
            for key in dict.fromkeys(fragment.shareable):
                self._add(key, fragment, table)

    def hold_in_all(self, fragment: Fragment, tables: Sequence[Table]) -> None:
        """Each of these tables holds the fragment now."""
        for table in tables[:2]:
            self.hold(fragment, table)
        if len(tables) > 2:
            self._tables[fragment] += len(tables) - 2

    def release_in_all(self, fragment: Fragment, tables: Sequence[Table]) -> None:
        """None of these tables holds it any more. Raises KeyError when one did not."""
        if (holding := self._tables.get(fragment, 0)) > len(tables):
            self._tables[fragment] = holding - len(tables)
        else:
            for table in tables:
                self.release(fragment, table)

    def release(self, fragment: Fragment, table: Table) -> None:
        """This table holds it no more. Raises KeyError when none did."""
        if self._only_table.pop(fragment, None) is not None:
            self._remove(fragment, table)
        elif (tables := self._tables.pop(fragment)) > 1:
            self._tables[fragment] = tables - 1
        else:
            self._remove(fragment, None)

    def held_in(self, table: Table, held: HeldFragments, key: int) -> Iterator[Fragment]:
        """The fragments with a flow of this key of a table that holds these."""
        holders = self._holders.get(key)
        if isinstance(holders, _Contended):
            yield from holders.by_table.get(table, ())
            yield from (each for each in holders.elsewhere if held.holds(each))
        elif holders is not None and held.holds(holders):
            yield holders

    def hold_nothing_else(self, keys: Iterable[int], fragments: Collection[Fragment]) -> bool:
        """Whether no other fragment than these, on whatever table, has a flow under one of the keys."""
        for key in keys:
            holders = self._holders.get(key)
            if isinstance(holders, _Contended):
                if any(each not in fragments for each in holders):
                    return False
            elif holders is not None and holders not in fragments:
                return False
        return True

    def _contended(self, fragment: Fragment) -> Iterator[_Contended]:
        for key in dict.fromkeys(fragment.shareable):
            if isinstance(holders := self._holders[key], _Contended):
                yield holders

    def _add(self, key: int, fragment: Fragment, table: Table) -> None:
        holders = self._holders.setdefault(key, fragment)
        if holders is fragment:
            return
        if not isinstance(holders, _Contended):
            other, self._holders[key] = holders, (holders := _Contended())
            holders.add(other, self._only_table.get(other))
        holders.add(fragment, table)

    def _remove(self, fragment: Fragment, table: Table | None) -> None:
        for key in dict.fromkeys(fragment.shareable):
            holders = self._holders[key]
            if isinstance(holders, _Contended):
                holders.remove(fragment, table)
                if holders.by_table or holders.elsewhere:
                    continue
            del self._holders[key]


def _without(fragments: tuple[Fragment, ...], fragment: Fragment) -> tuple[Fragment, ...]:
    return tuple(each for each in fragments if each is not fragment)
