"""The southbound as a whole: the register of switches, both channels, and the doors to the rest of the system.

A switch that connects before it is expected, or before its host's database has said which datapath id is its,
is kept waiting for a while and then let go, with a log line that says how to add it.
"""

import asyncio
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

import structlog

from overlace.compiler.plan import PlanChange, SwitchChange, SwitchName, TunnelPort
from overlace.datapath.actions import CONTROLLER, Action
from overlace.datapath.flow import Flow
from overlace.southbound.audit import Audit
from overlace.southbound.comparison_report import ComparisonReport
from overlace.southbound.database_view import BridgeSeen
from overlace.southbound.difference import Difference, read_difference
from overlace.southbound.encoding import EncodingError
from overlace.southbound.events import PacketListener
from overlace.southbound.expected import ExpectedSwitch, ExpectedSwitches, RefusedError, SwitchKind
from overlace.southbound.failures import NotConnectedError, PlanFailure, SouthboundError
from overlace.southbound.host_database import HostDatabase
from overlace.southbound.installed import Installed, read_installed
from overlace.southbound.observations import ObservationSink
from overlace.southbound.observer import Observer
from overlace.southbound.openflow_channel import OpenFlowChannel, SwitchConnection
from overlace.southbound.outbox import Outbox
from overlace.southbound.ovsdb_channel import OvsdbChannel
from overlace.southbound.reading import SwitchReader, exactly
from overlace.southbound.refusals import Refusals
from overlace.southbound.server import Listen
from overlace.southbound.settings import Context
from overlace.southbound.shared_change import FlowsChange, flows_change, shared_change
from overlace.southbound.shared_write import SharedWrite
from overlace.southbound.status import Phase, SouthboundStatus, SwitchStatus
from overlace.southbound.succession import Succession
from overlace.southbound.switch import Switch
from overlace.southbound.wanted_flows import WantedFlows
from overlace.wire.openflow.messages import (
    FlowEntry,
    Message,
    PacketIn,
    PortStatus,
    RoleStatus,
)

log = structlog.get_logger(__name__)

_TICK = 0.5
_ALL = sys.maxsize
"""Later than any sequence: who is gone is not waited for."""


class Southbound:
    """All switches. Everything runs on the event loop's thread; the caller owns the TaskGroup in `context`."""

    def __init__(self, context: Context, sink: ObservationSink, packets: PacketListener) -> None:
        self._listener = context.listener
        self._context = context = replace(context, listener=self)
        self._packets = packets
        self._expected = ExpectedSwitches()
        self._switches: dict[SwitchName, Switch] = {}
        self._owners: dict[SwitchConnection, Switch] = {}
        self._parked: dict[SwitchConnection, float] = {}
        self._observer = Observer(context, self._expected, sink)
        self._ready: set[SwitchName] | None = set()
        self.refusals = Refusals(context.clock)
        self.outbox = outbox = Outbox()
        common = context.clock, context.tasks, self.refusals, outbox
        self._openflow = OpenFlowChannel(*common, self)
        self._ovsdb = OvsdbChannel(*common, self._expected, self)
        self._background: list[asyncio.Task[None]] = []
        self._told: dict[SwitchName, int] = {}
        self._succession = Succession(
            self._publish,
            lambda name, fragments: self._switch(name).leaving(fragments),
            self._in_sync,
            context.settings.removal_grace,
        )

    # --- running --------------------------------------------------------------------------------------

    async def start(
        self, openflow: Listen, ovsdb: Listen | None, audit_interval: float | None = 60.0
    ) -> None:
        """Begin to serve. Without an OVSDB address, hosts are served over OpenFlow alone (simulations).

        `audit_interval` is the pause, in seconds, between audits of one switch; None turns them off. Raises OSError.
        """
        await self._openflow.start(openflow)
        if ovsdb is not None:
            await self._ovsdb.start(ovsdb)
        self._background = [self._context.tasks.create_task(self._keep_time(), name="southbound clock")]
        if audit_interval is not None:
            audits = self._context.tasks.create_task(self._audits(audit_interval), name="southbound audit")
            self._background.append(audits)

    async def stop(self) -> None:
        """Drop all connections; switches go on forwarding as they are."""
        for task in self._background:
            task.cancel()
        for switch in self._switches.values():
            switch.stop()
        await self._openflow.stop()
        await self._ovsdb.stop()

    @property
    def openflow_port(self) -> int:
        """Where switches connect."""
        return self._openflow.port

    @property
    def ovsdb_port(self) -> int:
        """Where hosts' databases connect."""
        return self._ovsdb.port

    def check_certificates(self) -> None:
        """Drop the connections of peers whose certificates were revoked; call it when some were."""
        self._openflow.check_certificates()
        self._ovsdb.check_certificates()

    # --- the plan -------------------------------------------------------------------------------------

    def set_expected(self, switches: Mapping[SwitchName, ExpectedSwitch]) -> None:
        """Replace the register. Switches that are no longer in it are dropped, not cleaned.

        Raises ValueError when two switches claim one datapath id.
        """
        self._expected.replace(switches)
        for name in [name for name in self._switches if name not in switches]:
            self._forget(name)
        for name, expected in switches.items():
            self._switch(name).expected = expected
        self._claim_parked()

    def update_expected(self, changes: Mapping[SwitchName, ExpectedSwitch | None]) -> None:
        """As `set_expected` for some of them; None takes a switch out of the register."""
        self._expected.update(changes)
        for name, expected in changes.items():
            if expected is not None:
                self._switch(name).expected = expected
            elif name in self._switches:
                self._forget(name)
        self._claim_parked()

    def publish(self, change: PlanChange) -> None:
        """Bring a change of the plan to the switches concerned. Never blocks, never raises."""
        self._succession.publish(change, self._context.clock.monotonic())

    def _publish(self, names: Sequence[SwitchName], change: SwitchChange, sequence: int) -> None:
        """One change, to all switches that get the same: what it means and its bytes are worked out once."""
        switches = [self._switch(name) for name in names]
        if len(switches) > 1 and (flows := flows_change(change)) is not None:
            switches = [switch for switch in switches if not switch.absorb(flows, sequence)]
            if (shared := self._shared_write(flows, switches)) is not None:
                switches = self._send(shared, switches, sequence)
        for switch in switches:
            switch.publish(change, sequence)

    def _send(self, shared: SharedWrite, switches: Iterable[Switch], sequence: int) -> list[Switch]:
        """Send it to those that await it, and note it once they are all at work on it; returns the others."""
        awaiting: list[Switch] = []
        others: list[Switch] = []
        for switch in switches:
            (awaiting if switch.awaits(shared.change.flows) else others).append(switch)
        for switch in awaiting:
            switch.send(shared, sequence)
        for switch in awaiting:
            switch.contents.take(shared.change)
        shared.change.note(self._context.holders, [switch.contents.table for switch in awaiting])
        return others

    def _shared_write(self, change: FlowsChange, switches: Iterable[Switch]) -> SharedWrite | None:
        if sum(switch.phase is Phase.IN_SYNC for switch in switches) < 2:
            return None
        shared = shared_change(change, self._context.holders)
        if shared is None or not shared.operations.openflow:
            return None
        with suppress(EncodingError):
            return SharedWrite(self._context, shared)
        return None

    def plan_ready(self, name: SwitchName | None = None) -> None:
        """What was published now is the whole plan for this switch (None: for all, also those to come).

        Until then nothing is written to it. For a host, say so when the plan takes its observed interfaces in.
        """
        if name is not None:
            if self._ready is not None:
                self._ready.add(name)
            self._switch(name).plan_ready()
            return
        self._ready = None
        for switch in self._switches.values():
            switch.plan_ready()

    # --- requests -------------------------------------------------------------------------------------

    def packet_out(
        self, name: SwitchName, frame: bytes, actions: tuple[Action, ...], in_port: int = CONTROLLER
    ) -> bool:
        """Let a switch send a frame. False when it is not connected or does not keep up."""
        switch = self._switches.get(name)
        connection = switch.connection if switch else None
        return connection is not None and connection.packet_out(frame, actions, in_port)

    async def dump_flows(self, name: SwitchName) -> list[FlowEntry]:
        """All flows that are installed, with counters, read in pieces.

        Raises NotConnectedError, RequestTimeoutError or SwitchRefusedError.
        """
        switch = self._connected(name)
        assert switch.connection is not None
        reader = SwitchReader(switch.connection, self._context.clock, self._context.settings.piece_size)
        entries: list[FlowEntry] = []
        with WantedFlows(switch.contents.table) as wanted:
            await wanted.follow()
            per_table = wanted.per_table()
        async for piece in reader.pieces(per_table):
            entries += await reader.entries(piece)
        return entries

    async def installed(self, name: SwitchName) -> Installed:
        """What a switch really holds, beside what it should; read in pieces. Raises as `dump_flows`."""
        switch = self._connected(name)
        assert switch.connection is not None
        return await read_installed(self._context, switch.connection, switch.contents)

    async def difference(self, name: SwitchName) -> Difference:
        """What would be written to a switch, read and compared now; nothing is. Raises as `dump_flows`."""
        switch = self._connected(name)
        return await read_difference(switch)

    async def installed_with(self, name: SwitchName, cookies: Iterable[int]) -> list[FlowEntry]:
        """The installed flows with these cookies, with counters. Raises as `dump_flows`."""
        switch = self._connected(name)
        assert switch.connection is not None
        reader = SwitchReader(switch.connection, self._context.clock, self._context.settings.piece_size)
        return [entry for each in cookies for entry in await reader.entries(exactly(each))]

    def tunnel_ports(self) -> Mapping[SwitchName, tuple[TunnelPort, ...]]:
        """The tunnel ports that the plan wants on each switch."""
        return {
            name: tuple(switch.contents.table.tunnel_ports.values())
            for name, switch in self._switches.items()
        }

    async def audit_now(self, name: SwitchName) -> ComparisonReport:
        """Check one switch against its plan, and repair it. Raises as `dump_flows`."""
        return await Audit(self._connected(name)).run()

    def resynchronise(self, name: SwitchName) -> None:
        """Compare a switch anew from the beginning. Raises KeyError for an unknown one."""
        self._switches[name].resynchronise()

    def set_observe(self, name: SwitchName, observe_only: bool) -> None:
        """Turn observe mode of a switch on or off. Raises KeyError for an unknown one."""
        self._switches[name].set_observe(observe_only)

    def adopt(self, name: SwitchName) -> None:
        """Write to a switch that a newer or another store wrote last. Raises KeyError for an unknown one."""
        self._switches[name].adopt()

    def allow_removal(self, name: SwitchName) -> None:
        """Let go of the brake for one switch, once. Raises KeyError for an unknown one."""
        self._switches[name].allow_removal()

    def switch_status(self, name: SwitchName) -> SwitchStatus | None:
        """How one switch is; None for an unknown one."""
        switch = self._switches.get(name)
        return switch.status() if switch is not None else None

    def bridges(self) -> Mapping[SwitchName, BridgeSeen]:
        """How the bridge of each host is set up, of those whose database is connected."""
        return {
            name: switch.database.view.seen(switch.database.bridge)
            for name, switch in sorted(self._switches.items())
            if switch.database is not None
        }

    def strangers(self) -> Sequence[tuple[str, int]]:
        """Switches that nobody knows: address and datapath id."""
        return [(each.peer.rpartition(":")[0], each.datapath_id) for each in self._parked]

    def status(self) -> SouthboundStatus:
        """How everything is."""
        encoder = self._context.encoder
        return SouthboundStatus(
            {name: switch.status() for name, switch in sorted(self._switches.items())},
            encoder.encoded_flows,
            encoder.encoded_bytes,
            encoder.cache_hits,
            encoder.bundled_flows,
            encoder.bundled_bytes,
        )

    # --- what switches tell of the plan (PlanListener) ------------------------------------------------

    def connected(self, switch: SwitchName, connected: bool) -> None:
        """A switch has come under control, or is so no more."""
        self._told.pop(switch, None)
        self._listener.connected(switch, connected)
        if not connected:
            self._succession.heard(switch, _ALL)

    def acknowledged(self, switch: SwitchName, sequence: int) -> None:
        """A switch has done everything up to `sequence`, but for removals that wait for others."""
        done = self._succession.done_up_to(switch, sequence)
        if done == sequence or done > self._told.get(switch, -1):
            self._told[switch] = done
            self._listener.acknowledged(switch, done)
        self._succession.heard(switch, sequence)

    def failed(self, switch: SwitchName, sequence: int, failure: PlanFailure) -> None:
        """A switch has refused a part of the plan."""
        self._listener.failed(switch, sequence, failure)
        self._succession.heard(switch, sequence)

    def held(self, switch: SwitchName, reason: str) -> None:
        """Nothing is written to a switch."""
        self._listener.held(switch, reason)
        self._succession.heard(switch, _ALL)

    def learned(self, switch: SwitchName, flows: Sequence[Flow]) -> None:
        """What a switch has made for itself."""
        self._listener.learned(switch, flows)

    # --- what the channels tell -----------------------------------------------------------------------

    def switch_ready(self, connection: SwitchConnection) -> None:
        """ConnectionOwner: a switch has said its datapath id."""
        self._parked[connection] = self._context.clock.monotonic()
        self._claim_parked()
        if connection in self._parked:
            log.info(
                "unknown switch connected", datapath_id=f"{connection.datapath_id:016x}", peer=connection.peer
            )

    def switch_lost(self, connection: SwitchConnection, reason: str) -> None:
        """ConnectionOwner: a connection is gone."""
        self._parked.pop(connection, None)
        switch = self._owners.pop(connection, None)
        if switch is not None:
            switch.detach(connection, reason)
            self._observer.host(switch)

    def switch_said(self, connection: SwitchConnection, message: Message) -> None:
        """ConnectionOwner: a message that answers nothing."""
        switch = self._owners.get(connection)
        if switch is None:
            return
        match message:
            case PacketIn():
                self._hand_over(switch.name, message)
            case RoleStatus():
                switch.role_changed(message)
            case PortStatus():
                self._observer.port_status(switch.name, message)
            case _:
                log.debug("switch says", switch=switch.name, message=type(message).__name__)

    def _hand_over(self, name: SwitchName, packet: PacketIn) -> None:
        """A frame that a guest made up must not end its host's session."""
        try:
            self._packets.packet_in(name, packet)
        except Exception:
            log.exception("fault while answering a packet", switch=name)

    def database_ready(self, database: HostDatabase) -> None:
        """DatabaseOwner: a host's database is there."""
        switch = self._switch(database.host)
        self._learn_datapath(database)
        self._observer.database(database)
        switch.database_ready(database)
        self._observer.host(switch)

    def database_changed(self, database: HostDatabase) -> None:
        """DatabaseOwner: its contents changed."""
        switch = self._switch(database.host)
        if switch.database is not database:
            return
        try:
            self._learn_datapath(database)
        except RefusedError as refusal:
            log.warning("datapath id refused", host=database.host, reason=str(refusal))
        self._observer.database(database)
        switch.database_changed()

    def database_lost(self, database: HostDatabase) -> None:
        """DatabaseOwner: the connection is gone."""
        switch = self._switches.get(database.host)
        if switch is not None and switch.database is database:
            switch.database_lost(database)
            self._observer.host(switch)

    # --- inside ---------------------------------------------------------------------------------------

    def _switch(self, name: SwitchName) -> Switch:
        """The switch of that name; one that is in the plan but not in the register just never connects."""
        switch = self._switches.get(name)
        if switch is None:
            expected = self._expected.get(name) or _UNREGISTERED
            switch = self._switches[name] = Switch(name, expected, self._context)
            if self._ready is None or name in self._ready:
                switch.plan_ready()
        return switch

    def _in_sync(self, name: SwitchName) -> bool:
        switch = self._switches.get(name)
        return switch is not None and switch.phase is Phase.IN_SYNC

    def _connected(self, name: SwitchName) -> Switch:
        switch = self._switches.get(name)
        if switch is None or switch.connection is None:
            raise NotConnectedError(f"switch {name} is not connected")
        return switch

    def _forget(self, name: SwitchName) -> None:
        switch = self._switches.pop(name)
        switch.contents.table.clear()
        self._observer.forget(name)
        if switch.connection is not None:
            switch.connection.close()

    def _claim_parked(self) -> None:
        for connection in tuple(self._parked):
            name = self._expected.name_of_datapath(connection.datapath_id)
            if name is None:
                continue
            del self._parked[connection]
            try:
                self._expected.check_certificate(name, connection.common_name)
            except RefusedError as refusal:
                log.warning("openflow connection refused", peer=connection.peer, reason=str(refusal))
                connection.refuse(str(refusal))
                continue
            connection.admit()
            switch = self._owners[connection] = self._switch(name)
            log.info("switch connected", switch=name, peer=connection.peer)
            switch.attach(connection)
            self._observer.host(switch)
            if switch.expected.kind is SwitchKind.TRANSIT:
                reading = self._observer.read_ports(name, connection)
                self._context.tasks.create_task(reading, name=f"ports of {name}")

    def _learn_datapath(self, database: HostDatabase) -> None:
        datapath_id = database.view.datapath_id(database.bridge)
        if datapath_id is not None:
            self._expected.learn_datapath(database.host, datapath_id)
            self._claim_parked()

    async def _keep_time(self) -> None:
        while True:
            await asyncio.sleep(_TICK)
            now = self._context.clock.monotonic()
            self._succession.tick(now)
            for switch in tuple(self._switches.values()):
                switch.tick(now)
            for connection, since in tuple(self._parked.items()):
                if now - since > self._context.settings.parking_time:
                    log.warning(
                        "unknown switch let go; add a host with: overlace host add, or a transit switch to its site",
                        datapath_id=f"{connection.datapath_id:016x}",
                        peer=connection.peer,
                    )
                    connection.close()

    async def _audits(self, interval: float) -> None:
        while True:
            await asyncio.sleep(interval)
            for switch in tuple(self._switches.values()):
                if switch.phase is Phase.IN_SYNC:
                    await self._audit_quietly(switch)

    async def _audit_quietly(self, switch: Switch) -> None:
        try:
            await Audit(switch).run()
        except SouthboundError as error:
            log.info("audit ended early", switch=switch.name, reason=str(error))


_UNREGISTERED = ExpectedSwitch(SwitchKind.HOST, "")
