"""The life of one switch: connect, become its master, wait for the plan, compare, write, keep up.

Theory of operation. The switch object outlives connections. `contents` is what the plan wants here and, while
in sync, what the switch holds. A change of the plan that comes while nothing is under way is sent at once; what
comes while the switch is busy is merged and sent as one when it has answered, so a slow switch delays nobody
and costs no queue. While out of sync, changes only alter `contents`; the next comparison sends what is missing.

When the switch refuses something, what it holds is no longer certain. It is then compared anew and written
carefully; the fragment at fault is held out and reported, and everything else goes in.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import replace
from typing import Any

import structlog

from overlace.compiler.pipeline import is_learned_by_any
from overlace.compiler.plan import FragmentId, SwitchChange, SwitchName, TunnelPort
from overlace.datapath.capabilities import PLAIN_OPENFLOW
from overlace.southbound.abilities import beyond
from overlace.southbound.acknowledgement import Acknowledgement
from overlace.southbound.comparison_report import ComparisonReport
from overlace.southbound.contents import Contents
from overlace.southbound.encoding import MOST_TOGETHER, EncodingError, describe
from overlace.southbound.expected import ExpectedSwitch, SwitchKind
from overlace.southbound.failures import PassiveError, SouthboundError
from overlace.southbound.host_database import HostDatabase
from overlace.southbound.marker import Stamp, Verdict, judge
from overlace.southbound.mastership import Mastership
from overlace.southbound.openflow_channel import SwitchConnection
from overlace.southbound.operations import TableOperations
from overlace.southbound.pending import PendingChange
from overlace.southbound.settings import TRANSIT_MARKER_PLACE, Context
from overlace.southbound.shared_change import FlowsChange
from overlace.southbound.shared_write import SharedWrite
from overlace.southbound.status import Phase, SwitchStatus
from overlace.southbound.synchronisation import (
    Allowed,
    Hold,
    HoldKind,
    compare,
    objection,
    observe,
    removal,
)
from overlace.southbound.transaction import Refusal
from overlace.southbound.wanted_flows import WantedFlows
from overlace.southbound.writer import WriteCounters, Writer
from overlace.wire.openflow.codec import canonical_flow
from overlace.wire.openflow.messages import (
    NxSetPacketInFormat,
    Role,
    RoleStatus,
)

log = structlog.get_logger(__name__)

_MOST_ROUNDS = 20
_FEW = 20
"""Differences at which those of a comparison are logged one by one."""


class Switch:
    """One switch that is expected, connected or not."""

    def __init__(self, name: SwitchName, expected: ExpectedSwitch, context: Context) -> None:
        self.name = name
        self.phase = Phase.ABSENT
        self.connection: SwitchConnection | None = None
        self.database: HostDatabase | None = None
        self.contents = Contents(context.is_learned, canonical_flow, context.holders)
        self._common = context
        self.expected = expected
        self.counters = WriteCounters()
        self.last_resync: ComparisonReport | None = None
        self.hold: Hold | None = None
        self._allowed = Allowed()
        self._pending = PendingChange()
        self._sequence = 0
        self._writes = 0
        self._writer: Writer | None = None
        self._task: asyncio.Task[None] | None = None
        self._repair: asyncio.Future[bool] | None = None
        self._plan_ready = False
        self._gate = asyncio.Event()
        self._acknowledgement = Acknowledgement(name, self.contents, context.listener)
        self._mastership = Mastership(context.generation_id)
        self._retry_at: float | None = None
        self._stamped_at = float("-inf")

    @property
    def expected(self) -> ExpectedSwitch:
        """What kind of switch this is: it decides what the switch may be asked for, and where its marker stands."""
        return self._expected

    @expected.setter
    def expected(self, expected: ExpectedSwitch) -> None:
        self._expected = expected
        self.contents.capabilities = None if self._is_host else PLAIN_OPENFLOW
        self.context = self._common if self._is_host else replace(self._common, marker=TRANSIT_MARKER_PLACE)

    # --- the plan -------------------------------------------------------------------------------------

    def publish(self, change: SwitchChange, sequence: int) -> None:
        """The plan for this switch has changed."""
        if self.quiet is not None and not self._pending:
            self._sequence = sequence
            self._start_write(self.contents.apply(change), self._completed)
        elif self.phase in (Phase.IN_SYNC, Phase.WRITING):
            self._pending.merge(change, sequence)
        else:
            self.contents.absorb(change)
            self._sequence = sequence

    def absorb(self, change: FlowsChange, sequence: int) -> bool:
        """As `publish`, where the switch is not told and nothing but flows is to be kept in mind; False where that is
        not so. Many may be away for long, and each change is for them, too."""
        if self.phase in (Phase.IN_SYNC, Phase.WRITING) or not self.contents.take_uncounted(change):
            return False
        self._sequence = sequence
        return True

    def awaits(self, change: FlowsChange) -> bool:
        """Whether what many switches are sent may be sent here."""
        writer = self._writer
        if self.phase is not Phase.IN_SYNC or writer is None or writer.busy or self._pending:
            return False
        return self._is_host and self.contents.awaits(change)

    def send(self, shared: SharedWrite, sequence: int) -> None:
        """As `publish`, with what many switches are sent and this one awaits; `contents` take it afterwards."""
        assert self._writer is not None
        self._sequence = sequence
        self._writes += 1
        self._writer.send(shared.batches(self._writer.stamp), shared.stamp, self._written)

    def leaving(self, fragments: set[FragmentId]) -> None:
        """Fragments that will be removed soon; until then one that conflicts with a new one gives way."""
        self.contents.leaving = fragments

    def plan_ready(self) -> None:
        """The plan now counts for this switch: what it does not hold may be removed."""
        self._plan_ready = True
        self._open_gate()

    @property
    def quiet(self) -> tuple[int, int] | None:
        """A token that stays equal while the switch holds exactly `contents`; None while that is not so."""
        if self.phase is not Phase.IN_SYNC or self._writer is None or self._writer.busy:
            return None
        return self.contents.table.generation, self._writes

    @property
    def stamp(self) -> Stamp | None:
        """The stamp on the switch, as far as it is known."""
        return self._writer.stamp if self._writer else None

    async def repair(self, operations: TableOperations) -> bool:
        """Write what an audit found. False when the switch is not quiet, refuses it or goes away."""
        if self.quiet is None:
            return False
        self._repair = asyncio.get_running_loop().create_future()
        self._start_write(operations, self._repaired)
        return await self._repair

    def _repaired(self, *, success: bool = True) -> None:
        if self._repair is not None and not self._repair.done():
            self._repair.set_result(success)

    # --- connections ----------------------------------------------------------------------------------

    def attach(self, connection: SwitchConnection) -> None:
        """The switch has connected; a connection from before is dropped."""
        if self.connection is not None:
            old = self.connection
            self.detach(old, "the switch has connected anew")
            old.close()
        self.connection = connection
        self._mastership.lose()
        self._acknowledgement.restart()
        self.contents.readmit()
        self._run(self._bring_up(connection))

    def detach(self, connection: SwitchConnection, reason: str) -> None:
        """A connection is gone; nothing happens when it is not the present one."""
        if connection is not self.connection:
            return
        log.info("switch disconnected", switch=self.name, reason=reason)
        self._stop_writing()
        self.connection = None
        if self.phase is not Phase.PASSIVE:
            self.context.listener.connected(self.name, False)
        self.phase, self.hold = Phase.ABSENT, None

    def stop(self) -> None:
        """Work no more; the connection is closed by its channel."""
        if self._task is not None:
            self._task.cancel()

    def role_changed(self, status: RoleStatus) -> None:
        """The switch says that our role is another now; who only looks needs none."""
        if status.role is not Role.MASTER and self.phase is not Phase.PASSIVE and self._mastership.held:
            self._become_passive(f"another controller is master, generation {status.generation_id}")

    def database_ready(self, database: HostDatabase) -> None:
        """The host's database is connected."""
        self.database = database
        if self.phase in (Phase.IN_SYNC, Phase.WRITING):
            database.want_tunnel_ports(self.contents.table.tunnel_ports)
        self._open_gate()

    def database_changed(self) -> None:
        """Something in the host's database changed."""
        self._tell()

    def database_lost(self, database: HostDatabase) -> None:
        """The connection to the host's database is gone."""
        if database is self.database:
            self.database = None

    # --- the operator ---------------------------------------------------------------------------------

    def set_observe(self, observe_only: bool) -> None:
        """In observe mode differences are computed and shown, and nothing is written, not even our role."""
        self._allow(replace(self._allowed, observe_only=observe_only))

    def adopt(self) -> None:
        """Write although the switch was last written by a newer or another store; holds until in sync."""
        self._allow(replace(self._allowed, adopt=True))

    def allow_removal(self) -> None:
        """Remove however many flows the plan says; holds until in sync."""
        self._allow(replace(self._allowed, removal=True))

    def resynchronise(self) -> None:
        """Compare everything again, if connected and not about to do so anyway."""
        if self.phase in (Phase.IN_SYNC, Phase.HELD):
            self._begin_anew()

    def _allow(self, allowed: Allowed) -> None:
        """What was begun under another word is not carried on: an operator who says stop means now."""
        if allowed != self._allowed:
            self._allowed = allowed
            if self.phase in (Phase.IN_SYNC, Phase.HELD, Phase.COMPARING, Phase.WRITING):
                self._begin_anew()

    def _begin_anew(self) -> None:
        if self.connection is not None:
            self._stop_writing()
            self.contents.readmit()
            self._run(self._guarded(self._synchronise(self.connection), self.connection))

    # --- time -----------------------------------------------------------------------------------------

    def tick(self, now: float) -> None:
        """Called about once a second: time-outs, retries, and the stamp in the host's database."""
        settings = self.context.settings
        connection = self.connection
        if connection is None:
            return
        if connection.busy_since is not None and now - connection.busy_since > settings.transaction_timeout:
            log.warning("switch does not answer a transaction", switch=self.name)
            connection.close()
        elif self._retry_at is not None and now >= self._retry_at:
            self._retry_at = None
            self.resynchronise()
        elif self.phase is Phase.PASSIVE and self._mastership.can_be_renewed:
            self._run(self._bring_up(connection))
        if self.database is not None:
            self.database.retry()
            self._stamp_database(self.database, now)

    def _stamp_database(self, database: HostDatabase, now: float) -> None:
        if self.phase is not Phase.IN_SYNC or self._writer is None or self._writer.stamp is None:
            return
        if now - self._stamped_at >= self.context.settings.stamp_interval:
            self._stamped_at = now
            database.write_stamp(self._writer.stamp)

    # --- coming into sync -----------------------------------------------------------------------------

    async def _bring_up(self, connection: SwitchConnection) -> None:
        async def steps() -> None:
            self.phase = Phase.JOINING
            self._mastership.begin()
            await self._take(connection)
            if self._is_host:
                connection.tell(NxSetPacketInFormat())
            self.context.listener.connected(self.name, True)
            self.phase = Phase.WAITING
            self._open_gate()
            await self._gate.wait()
            await self._synchronise(connection)

        await self._guarded(steps(), connection)

    async def _take(self, connection: SwitchConnection) -> None:
        """Not while we only look."""
        if not self._allowed.observe_only:
            await self._mastership.take(connection)

    async def restore_settings(self) -> bool:
        """Whether what was said to a host at the start had to be said again."""
        if self.connection is None or not self._is_host:
            return False
        return await self._mastership.restore_settings(self.connection)

    async def _guarded(self, work: Coroutine[Any, Any, None], connection: SwitchConnection) -> None:
        """Whatever goes wrong ends this connection and nothing else; the switch will connect again."""
        try:
            await work
        except PassiveError as error:
            self._become_passive(str(error))
        except SouthboundError as error:
            log.warning("switch could not be synchronised", switch=self.name, reason=str(error))
            connection.close()
        except Exception:
            log.exception("fault while synchronising a switch", switch=self.name)
            connection.close()

    async def _synchronise(self, connection: SwitchConnection) -> None:
        self._writer = writer = Writer(self.context, connection, self.counters)
        self.hold = self._retry_at = None
        if self.database is not None:
            self.contents.go_without(beyond(self.database.datapath_type))
        if not self._mastership.held:
            await self._take(connection)
        for first in (True, *[False] * _MOST_ROUNDS):
            self.phase = Phase.COMPARING
            async with self.context.comparing:
                with WantedFlows(self.contents.table) as wanted:
                    await wanted.follow()
                    observed = await observe(self.context, connection, wanted.per_table())
                    await wanted.follow()
                    operations, found = compare(self.context, self.contents, wanted, observed)
            if first:
                self.last_resync = found
                self.counters.resyncs += 1
                self.counters.resync_changes += found.repaired
                learned = [flow for flow in observed.flows if is_learned_by_any(flow.cookie)]
                self.context.listener.learned(self.name, learned)
            stamps = (observed.stamp, self.database.stamp if self.database else None)
            hold = objection(self.context, self._allowed, stamps, found, removal(operations, observed))
            if hold is not None:
                return self._on_hold(hold)
            self.phase = Phase.WRITING
            writer.stamp = observed.stamp
            self._prepare_ports()
            marker = observed.of_another_version or self._needs_marker(observed.stamp)
            # Half of a first fill forwards by halves, and half of a release's tables among another's is no pipeline.
            limit = MOST_TOGETHER if observed.is_empty or observed.of_another_version else None
            refusals = await self._write(writer, operations, marker=marker, limit=limit)
            if not refusals:
                return self._on_sync(found)
            self._absorb_pending()
            if not self._blame(refusals):
                break
        self._retry_at = self.context.clock.monotonic() + self.context.settings.retry_interval
        reasons = "; ".join(refusal.reason for refusal in refusals)
        return self._on_hold(Hold(HoldKind.REFUSED, f"the switch refuses the plan: {reasons}"))

    async def _write(
        self, writer: Writer, operations: TableOperations, *, marker: bool, limit: int | None
    ) -> list[Refusal]:
        try:
            return await writer.write(operations, marker=marker, limit=limit)
        except EncodingError as error:
            return [Refusal(str(error), error.subject)]

    def _needs_marker(self, present: Stamp | None) -> bool:
        """Whether the marker would still be a stranger's after the write: it is adopted though nothing else differs."""
        return judge([present], self.context.stamp(), self.context.lineage()) is not Verdict.CURRENT

    def _blame(self, refusals: list[Refusal]) -> bool:
        """Hold out the fragments at fault. False when none is known to be."""
        blamed = False
        for refusal in refusals:
            if refusal.subject is None:
                continue
            reason = f"{refusal.reason}: {describe(refusal.subject)}"
            ids = self.contents.hold_out(refusal.subject, reason)
            log.error("switch refuses a fragment", switch=self.name, reason=reason, fragments=ids)
            blamed = blamed or bool(ids)
        return blamed

    def _on_hold(self, hold: Hold) -> None:
        self.phase, self.hold = Phase.HELD, hold
        self._absorb_pending()
        if self.database is not None and hold.kind is not HoldKind.REFUSED:
            self.database.rest()
        log.warning("switch on hold", switch=self.name, kind=hold.kind.value, reason=hold.text)
        self.context.listener.held(self.name, hold.text)

    def _on_sync(self, found: ComparisonReport) -> None:
        self.phase = Phase.IN_SYNC
        self._allowed = replace(self._allowed, adopt=False, removal=False)
        log.info(
            "switch in sync",
            switch=self.name,
            observed=found.observed,
            added=found.added,
            changed=found.changed,
            removed=found.removed,
            **({"flows": found.flows} if 0 < found.repaired <= _FEW else {}),
        )
        self._completed()
        self._pump()

    def _open_gate(self) -> None:
        needs_database = self.context.requires_database and self._is_host
        if self._plan_ready and (self.database is not None or not needs_database):
            self._gate.set()

    def _become_passive(self, reason: str) -> None:
        log.warning("switch is not ours", switch=self.name, reason=reason)
        self._stop_writing()
        if self.phase is not Phase.PASSIVE:
            self.context.listener.connected(self.name, False)
        self._mastership.lose()
        self.phase, self.hold = Phase.PASSIVE, None

    # --- writing while in sync ------------------------------------------------------------------------

    def _pump(self) -> None:
        """Send what is pending, unless the switch is busy."""
        if not self._pending or self.quiet is None:
            return
        change, self._sequence = self._pending.take()
        self._start_write(self.contents.apply(change), self._completed)

    def _start_write(self, operations: TableOperations, then: Callable[[], object]) -> None:
        assert self._writer is not None
        self._writes += 1
        if operations.tunnel_ports:
            self._prepare_ports(leaving=operations.tunnel_ports.removed)

        def done(refusals: list[Refusal]) -> None:
            self._written(refusals, then)

        try:
            self._writer.start(operations, done)
        except EncodingError as error:
            self._blame([Refusal(str(error), error.subject)])
            self._recover([])

    def _written(self, refusals: list[Refusal], then: Callable[[], object] | None = None) -> None:
        """The switch has answered a write; without `then`, one of flows alone."""
        self._writes += 1
        if refusals:
            self._recover(refusals)
        else:
            (then or self._flows_completed)()
            self._pump()

    def _recover(self, refusals: list[Refusal]) -> None:
        """The switch no longer holds what it should: compare anew, and carefully."""
        log.warning("switch refused a change", switch=self.name, reasons=[each.reason for each in refusals])
        assert self.connection is not None
        self._stop_writing()
        self._run(self._guarded(self._synchronise(self.connection), self.connection))

    def _completed(self) -> None:
        """The switch holds `contents`."""
        if self.database is not None:
            self.database.want_tunnel_ports(self.contents.table.tunnel_ports)
        self._flows_completed()

    def _flows_completed(self) -> None:
        """The same, after a change that was of flows alone."""
        self.contents.settle()
        self._acknowledgement.written(self._sequence)
        self._tell()

    def _prepare_ports(self, leaving: Iterable[TunnelPort] = ()) -> None:
        """New tunnel ports before the flows that use them; old ones stay until the flows are gone."""
        self._acknowledgement.ports_changed()
        if self.database is not None:
            staying = {port.name: port for port in leaving}
            self.database.want_tunnel_ports({**staying, **self.contents.table.tunnel_ports})

    def _tell(self) -> None:
        self._acknowledgement.tell(
            self.database, has_database=self.context.requires_database and self._is_host
        )

    @property
    def _is_host(self) -> bool:
        return self.expected.kind is SwitchKind.HOST

    def _absorb_pending(self) -> None:
        if self._pending:
            change, self._sequence = self._pending.take()
            self.contents.absorb(change)

    def _stop_writing(self) -> None:
        """What is under way is on its own; what waits goes into `contents` for the next comparison."""
        self.phase = Phase.COMPARING
        if self._writer is not None:
            self._writer.abandon()
            self._writer = None
        self._repaired(success=False)
        if self._task is not None and self._task is not asyncio.current_task():
            self._task.cancel()
        self._absorb_pending()

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        self._task = self.context.tasks.create_task(work, name=f"switch {self.name}")

    # --- status ---------------------------------------------------------------------------------------

    def status(self) -> SwitchStatus:
        """How it is now."""
        return SwitchStatus(
            name=self.name,
            phase=self.phase,
            hold=self.hold.text if self.hold else None,
            observed_only=self._allowed.observe_only,
            peer=self.connection.peer if self.connection else None,
            database=self.database is not None,
            tunnel_ports=self.database.tunnel_ports_problem if self.database else None,
            sequence=self._acknowledgement.told,
            wanted_flows=self.contents.table.flow_count,
            held_out={id_: held.reason for id_, held in self.contents.held_out.items()},
            last_resync=self.last_resync,
            flows_sent=self.counters.flows_sent,
            batches=self.counters.batches,
            bytes_sent=self.counters.bytes,
            resyncs=self.counters.resyncs,
            resync_changes=self.counters.resync_changes,
            audit_repairs=self.counters.audit_repairs,
        )
