"""All flows that a switch is to hold, made a few at a time while the event loop goes on serving others.

To make the flows of a large switch takes half a second. Whoever compares it with its plan needs all of them, and again
when the plan has changed; so they are made in portions, with the loop running in between, and of what changes meanwhile
only that is made anew. They are kept in parts by the low bits of the cookie, as pieces of a switch are read
(`reading.Piece`).
"""

import asyncio
from collections import Counter, defaultdict
from contextlib import ExitStack
from typing import Self

from overlace.compiler.plan import Fragment
from overlace.datapath.flow import Flow, FlowKey
from overlace.southbound.desired import DesiredTable, Gathered
from overlace.southbound.reading import ALL_TABLES, WHOLE, Piece

_PORTION = 200
"""Flows made at a time: a millisecond."""
_LOW_BITS = 0xFF


_Parts = defaultdict[int, dict[FlowKey, Flow]]
"""Of one table, by the low bits of the cookie."""


class WantedFlows:
    """The flows of one table for as long as the block lasts, as of the last `follow`."""

    def __init__(self, table: DesiredTable) -> None:
        self._table = table
        self._held: set[Fragment] = set()
        self._moved: set[Fragment] = set()
        self._tables: defaultdict[int, _Parts] = defaultdict(lambda: defaultdict(dict))
        self._copies: dict[tuple[int, FlowKey], int] = {}
        """How many fragments have a flow, if more than one, by part and key."""
        self._total = 0
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self._moved = self._stack.enter_context(self._table.watched())
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    async def follow(self) -> None:
        """Take in what the table holds now; at the end it has not changed since."""
        made = 0
        while self._moved:
            made += self._take_in(self._moved.pop())
            if made >= _PORTION:
                made = 0
                await asyncio.sleep(0)

    def gathered(self) -> Gathered:
        """All of what the table holds now; what `follow` has not taken in yet is taken in at once."""
        while self._moved:
            self._take_in(self._moved.pop())
        return Gathered(self.within(WHOLE), self._total)

    def per_table(self) -> Counter[int]:
        """How many flows there are in each table that has some."""
        return +Counter({table: sum(map(len, parts.values())) for table, parts in self._tables.items()})

    def within(self, piece: Piece) -> dict[FlowKey, Flow]:
        """Those of a piece."""
        bits = piece.cookie_mask & _LOW_BITS
        tables = self._tables.values() if piece.table == ALL_TABLES else [self._tables[piece.table]]
        found: dict[FlowKey, Flow] = {}
        for parts in tables:
            for low, flows in parts.items():
                if low & bits == piece.cookie & bits:
                    found |= flows
        if piece.cookie_mask <= _LOW_BITS:
            return found
        return {key: flow for key, flow in found.items() if flow in piece}

    def get(self, key: FlowKey) -> Flow | None:
        """The flow under a key; looks in many places, so only for what is not where it belongs."""
        return next((flows[key] for flows in self._tables[key.table].values() if key in flows), None)

    def _take_in(self, fragment: Fragment) -> int:
        """How many flows that was."""
        if (is_held := self._table.fragments.holds(fragment)) == (fragment in self._held):
            return 1
        if is_held:
            self._held.add(fragment)
            return 1 + self._add(fragment)
        self._held.remove(fragment)
        return 1 + self._remove(fragment)

    def _add(self, fragment: Fragment) -> int:
        flows = fragment.flows
        for flow in flows:
            low, key = flow.cookie & _LOW_BITS, flow.key
            part = self._tables[flow.table][low]
            if key in part:
                self._copies[low, key] = self._copies.get((low, key), 1) + 1
            part[key] = flow
        self._total += len(flows)
        return len(flows)

    def _remove(self, fragment: Fragment) -> int:
        flows = fragment.flows
        for flow in flows:
            low, key = flow.cookie & _LOW_BITS, flow.key
            if (copies := self._copies.get((low, key))) is None:
                del self._tables[flow.table][low][key]
            elif copies == 2:
                del self._copies[low, key]
            else:
                self._copies[low, key] = copies - 1
        self._total -= len(flows)
        return len(flows)
