"""Find, in the background, what somebody else changed in a switch, and put it right.

The audit reads a quiet switch in small pieces (see `reading`) and compares each with the same piece of the plan.
A change of the plan never waits for it: when one is written while a piece is read, the piece is read again.
What it repairs is counted and shown with flow and cookie, because somebody did it.
"""

import asyncio
from dataclasses import replace

import structlog

from overlace.southbound.comparison import compare_entries
from overlace.southbound.comparison_report import ComparisonReport, merge, report
from overlace.southbound.failures import NotConnectedError
from overlace.southbound.marker import marker_flow
from overlace.southbound.operations import TableOperations
from overlace.southbound.reading import WHOLE, Piece, SwitchReader
from overlace.southbound.switch import Switch
from overlace.southbound.synchronisation import is_marker
from overlace.southbound.wanted_flows import WantedFlows

log = structlog.get_logger(__name__)

_ATTEMPTS = 5
_BUSY_PAUSE = 0.05


class Audit:
    """One pass over one switch."""

    def __init__(self, switch: Switch) -> None:
        self._switch = switch
        self._context = context = switch.context
        self._found = report(context.clock.now(), 0, TableOperations())
        self._wanted = WantedFlows(switch.contents.table)

    async def run(self) -> ComparisonReport:
        """Check everything once. Raises NotConnectedError when the switch is not (or no longer) in sync, and what
        `SwitchConnection.request` raises."""
        reader = self._reader()
        await self._check_settings()
        await self._check(None)  # groups and meters first: the flows that use them cannot be repaired without
        with self._wanted:
            await self._wanted.follow()
            async for piece in reader.pieces(self._wanted.per_table()):
                await self._check(piece)
        self._switch.counters.audit_repairs += self._found.repaired
        if self._found.repaired:
            log.warning(
                "audit repaired a switch",
                switch=self._switch.name,
                added=self._found.added,
                changed=self._found.changed,
                removed=self._found.removed,
                flows=self._found.flows,
                cookies=[f"{cookie:#x}" for cookie in self._found.cookies],
            )
        return self._found

    def _reader(self) -> SwitchReader:
        connection = self._switch.connection
        if connection is None:
            raise NotConnectedError(f"{self._switch.name} is not connected")
        return SwitchReader(connection, self._context.clock, self._context.settings.piece_size)

    async def _check_settings(self) -> None:
        if await self._switch.restore_settings():
            changed = (*self._found.flows, "changed: how fragments are matched (set-frags)")
            self._found = replace(self._found, changed=self._found.changed + 1, flows=changed)

    async def _check(self, piece: Piece | None) -> None:
        """Check a piece of the flows, or (None) groups and meters."""
        for _ in range(_ATTEMPTS):
            if (token := self._switch.quiet) is None:
                await asyncio.sleep(_BUSY_PAUSE)
                continue
            observed, operations = await (self._groups_and_meters() if piece is None else self._flows(piece))
            if self._switch.quiet != token:
                continue
            if operations and not await self._repair(operations, observed):
                continue
            self._found = merge(self._found, report(self._context.clock.now(), observed, operations))
            return
        log.info("audit skipped a busy piece", switch=self._switch.name, piece=piece)

    async def _flows(self, piece: Piece) -> tuple[int, TableOperations]:
        observed = await self._reader().flows(piece)
        own = [flow for flow in observed if not is_marker(self._context, flow)]
        await self._wanted.follow()
        wanted = self._wanted.within(piece)
        changes = self._switch.contents.table.flow_difference(wanted, self._wanted.get, own)
        place, stamp = self._context.marker, self._switch.stamp
        if stamp is not None and piece.table in (WHOLE.table, place.table):
            marker = marker_flow(place, stamp)
            if marker not in observed:
                changes.changed.append(marker)
        return len(own), TableOperations(flows=changes)

    async def _groups_and_meters(self) -> tuple[int, TableOperations]:
        reader, table = self._reader(), self._switch.contents.table
        groups = {group.group_id: group for group in await reader.groups()}
        meters = {meter.meter_id: meter for meter in await reader.meters()}
        return 0, TableOperations(
            groups=compare_entries(table.groups, groups), meters=compare_entries(table.meters, meters)
        )

    async def _repair(self, operations: TableOperations, observed: int) -> bool:
        """Write the repair; what looks like too much is left to a comparison with its brake."""
        removed, settings = len(operations.flows.removed), self._context.settings
        if removed > settings.brake_minimum and removed > settings.brake_share * observed:
            self._switch.resynchronise()
            raise NotConnectedError(f"{self._switch.name} has {removed} foreign flows; comparing anew")
        return await self._switch.repair(operations)
