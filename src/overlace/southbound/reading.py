"""Read a switch's flows in small pieces.

A dump of 100,000 flows keeps the main thread of ovs-vswitchd busy for 137 ms, and nothing else is answered in
that time. So a large switch is read table by table, and a large table in parts by the low bits of the cookie,
with a pause after each piece as long as the piece took.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

from overlace.datapath.flow import Flow, Group, Meter
from overlace.kit.clock import Clock
from overlace.southbound.openflow_channel import SwitchConnection
from overlace.wire.openflow.messages import (
    AggregateReply,
    AggregateRequest,
    FlowEntry,
    FlowStatsReply,
    FlowStatsRequest,
    GroupDescReply,
    GroupDescRequest,
    MeterConfigReply,
    MeterConfigRequest,
)

ALL_TABLES = 0xFF
DEFAULT_PIECE = 500
"""Flows that may be read at once: about a millisecond of the switch's time, and five of the controller's."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a switch's flows: one table (or all), and a value of some low bits of the cookie."""

    table: int = ALL_TABLES
    cookie: int = 0
    cookie_mask: int = 0

    def __contains__(self, flow: Flow) -> bool:
        return self.table in (ALL_TABLES, flow.table) and flow.cookie & self.cookie_mask == self.cookie


WHOLE = Piece()


def exactly(cookie: int) -> Piece:
    """The flows of one cookie, in whatever table."""
    return Piece(ALL_TABLES, cookie, 0xFFFF_FFFF_FFFF_FFFF)


def cut(flows_per_table: Counter[int], piece_size: int) -> Iterator[Piece]:
    """Pieces of about `piece_size` flows at most that cover these tables."""
    for table, count in sorted(flows_per_table.items()):
        bits = max(0, (count - 1) // piece_size).bit_length()
        for value in range(1 << bits):
            yield Piece(table, value, (1 << bits) - 1)


class SwitchReader:
    """Reads one switch; every method raises what `SwitchConnection.request` raises."""

    def __init__(self, connection: SwitchConnection, clock: Clock, piece_size: int = DEFAULT_PIECE) -> None:
        self._connection = connection
        self._clock = clock
        self._piece_size = piece_size

    async def entries(self, piece: Piece = WHOLE) -> list[FlowEntry]:
        """The flow entries of a piece, with their counters."""
        request = FlowStatsRequest(piece.table, cookie=piece.cookie, cookie_mask=piece.cookie_mask)
        replies = await self._connection.request(request)
        return [entry for reply in replies if isinstance(reply, FlowStatsReply) for entry in reply.entries]

    async def flows(self, piece: Piece = WHOLE) -> list[Flow]:
        """The flows of a piece."""
        return [entry.flow for entry in await self.entries(piece)]

    async def count(self, table: int = ALL_TABLES) -> int:
        """How many flows the switch has, or one table of it."""
        for reply in await self._connection.request(AggregateRequest(table)):
            if isinstance(reply, AggregateReply):
                return reply.flows
        return 0

    async def pieces(self, per_table: Counter[int]) -> AsyncIterator[Piece]:
        """Pieces that cover the whole switch, cut by how many flows are expected in each table that has some.

        The caller reads each piece before it asks for the next, and so sets the pace.
        """
        if await self.count() <= self._piece_size:
            yield WHOLE
            return
        for piece in cut(per_table, self._piece_size):
            began = self._clock.monotonic()
            yield piece
            await asyncio.sleep(self._clock.monotonic() - began)
        if await self.count() == sum([await self.count(table) for table in per_table]):
            return  # the others are empty, and need not be asked one by one
        for table in range(self._connection.tables):  # Open vSwitch has one more, with flows of its own
            if table not in per_table:
                yield Piece(table)

    async def groups(self) -> list[Group]:
        """All groups."""
        replies = await self._connection.request(GroupDescRequest())
        return [group for reply in replies if isinstance(reply, GroupDescReply) for group in reply.groups]

    async def meters(self) -> list[Meter]:
        """All meters."""
        replies = await self._connection.request(MeterConfigRequest())
        return [meter for reply in replies if isinstance(reply, MeterConfigReply) for meter in reply.meters]
