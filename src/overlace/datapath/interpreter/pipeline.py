"""Executing flows and their actions on a packet; the meaning of each action is that of ovs-actions(7).

A *branch* is one passage through the pipeline: the packet as it came in is one, and each ct(table=...) starts
another with a copy of the packet, so that one packet may have several ways out. Within a branch, packet and
registers are shared by all tables; clone and group give them back as they were. An error (recursion, labels,
packet type) drops the packet: everything that its branch would have done is void, as observed; the manual page
says that earlier outputs are kept.

What the manual pages leave open was observed on Open vSwitch 3.1 and says so where it stands.
"""

from collections.abc import Callable
from typing import Any

from overlace.datapath.actions import (
    CONTROLLER,
    IN_PORT,
    LOCAL,
    PACKET_TYPE_ETHERNET,
    PACKET_TYPE_MPLS,
    Action,
    ApplyMeter,
    CheckPacketLarger,
    Clone,
    Conntrack,
    ConntrackClear,
    Decap,
    DecrementTtl,
    Encap,
    Goto,
    Learn,
    Move,
    Note,
    Output,
    OutputField,
    PopMpls,
    PopVlan,
    PushMpls,
    PushVlan,
    Resubmit,
    SendToController,
    SendToGroup,
    SetField,
    Subfield,
)
from overlace.datapath.fields import Field
from overlace.datapath.flow import Flow
from overlace.datapath.interpreter import headers
from overlace.datapath.interpreter.action_set import in_set_order
from overlace.datapath.interpreter.bits import read, set_bits, write
from overlace.datapath.interpreter.effects import Committed, Dropped, Effect, Learned, Sent, ToController
from overlace.datapath.interpreter.learning import learned_flow, port_number
from overlace.datapath.interpreter.packet import Packet
from overlace.datapath.interpreter.recorder import Recorder
from overlace.datapath.interpreter.selection import buckets_for
from overlace.datapath.interpreter.surroundings import Surroundings
from overlace.datapath.interpreter.tables import Tables
from overlace.datapath.prerequisites import field_exists

MAX_DEPTH = 64
"""Nested resubmits to the same or an earlier table, and groups (ovs-actions(7), "Recursion too deep")."""
MAX_RESUBMITS = 4096
"""Resubmits and gotos of one branch (ovs-actions(7), "Too many resubmits")."""
MAX_RECIRCULATIONS = 6
"""Nested ct(table=...): observed; the userspace data path drops the packet that wants a seventh."""

_IN_PORT = Field.IN_PORT.order
_TTL = Field.IP_TTL.order
_CONNTRACK_FIELDS = (Field.CT_STATE, Field.CT_ZONE, Field.CT_MARK, Field.CT_LABEL)
_FIRST_RESERVED_PORT = 0xFFFFFF00


class ProcessingEnds(Exception):
    """An error that drops the packet (ovs-actions(7), "Error Handling")."""


class _MeterDrop(Exception):
    """The branch ends here, but what it has done stays done; a clone drops only itself."""


class Pipeline:
    """One packet in one switch. `visit()` runs it; `effects` grows while it runs."""

    def __init__(
        self, tables: Tables, packet: Packet, surroundings: Surroundings, recorder: Recorder | None
    ) -> None:
        self.tables = tables
        self.packet = packet
        self.surroundings = surroundings
        self.recorder = recorder
        self.effects: list[Effect] = []
        self._resubmits = 0
        self._recirculations = 0
        self._flow: Flow | None = None
        self._table: int | None = None
        self._has_left = False
        self._why = ""

    def run_branch(self, table: int) -> None:
        """Run `packet` from a table to its end, and say so when nothing came out."""
        self._resubmits, self._flow, self._has_left, self._why = 0, None, False, "no output"
        before = len(self.effects)
        try:
            self._visit(table, 0)
        except _MeterDrop as drop:
            self._why = str(drop)
        except (ProcessingEnds, headers.HeaderError) as error:
            self.effects[before:] = [e for e in self.effects[before:] if isinstance(e, Learned)]
            self._why, self._has_left = str(error), False
        if not self._has_left:
            self.effects.append(Dropped(self._why, self._flow, self._table, self.packet))

    def _visit(self, table: int | None, depth: int, in_port: int | None = None) -> None:
        while table is not None:
            flow = self._look_up(table, in_port)
            if self.recorder is not None:
                self.recorder.enter_table(table, flow)
            try:
                table = self._execute(flow.actions, table, depth, nested=False) if flow else None
                if table is not None:
                    self._count_resubmit(depth)
            finally:
                if self.recorder is not None:
                    self.recorder.leave_table()
            in_port = None

    def _look_up(self, table: int, in_port: int | None) -> Flow | None:
        values = self.packet.values
        arrived = values[_IN_PORT]
        if in_port is not None:
            values[_IN_PORT] = in_port
        entry = self.tables.lookup(table, self.packet)
        self._table = table
        values[_IN_PORT] = arrived
        if entry is None:
            self._why = f"no flow in table {table}"
            return None
        entry.used = self.surroundings.now
        self._flow = entry.flow
        if not entry.flow.actions:
            self._why = "drop"
        return entry.flow

    def _execute(self, actions: tuple[Action, ...], table: int, depth: int, *, nested: bool) -> int | None:
        """Apply a list of actions; returns the table to go to next."""
        if self.recorder is not None:
            return self._execute_recorded(actions, table, depth, nested=nested)
        for action in actions:
            if type(action) is Goto:
                return action.table
            if _EXECUTE[type(action)](self, action, table, depth):
                break
        return None

    def _execute_recorded(
        self, actions: tuple[Action, ...], table: int, depth: int, *, nested: bool
    ) -> int | None:
        assert self.recorder is not None
        for action in actions:
            self.recorder.enter_action(action)
            try:
                if type(action) is Goto:
                    return action.table
                if _EXECUTE[type(action)](self, action, table, depth):
                    break
            finally:
                self.recorder.leave_action(nested=nested)
        return None

    def note(self, text: str) -> None:
        """Explain, in the trace and for a packet that goes nowhere."""
        self._why = text
        if self.recorder is not None:
            self.recorder.note(text)

    # Where the packet goes

    def output(self, port: int, max_len: int) -> None:
        """Send a copy of the packet to a port."""
        arrived = self.packet.values[_IN_PORT]
        if port == CONTROLLER:
            self.leave(ToController(b"", self.packet.copy(), max_len=max_len))
            return
        if port == IN_PORT:
            port = arrived
        elif port == arrived:
            self.note("not sent back to its input port")
            return
        if not self._exists(port):
            self.note(f"port {port} does not exist")
        elif self.packet[Field.PACKET_TYPE] != PACKET_TYPE_ETHERNET:
            self.note("a packet without Ethernet header cannot leave a port")
        else:
            self.leave(Sent(port, self.packet.copy(), max_len))

    def leave(self, effect: Effect) -> None:
        """Something has come of the packet in this branch."""
        self._has_left = True
        self.effects.append(effect)

    def _exists(self, port: int) -> bool:
        if port == 0 or (port >= _FIRST_RESERVED_PORT and port != LOCAL):
            return False
        return self.surroundings.ports is None or port in self.surroundings.ports

    # Other tables, copies, connections

    def _count_resubmit(self, depth: int) -> None:
        if depth >= MAX_DEPTH:
            raise ProcessingEnds("recursion too deep")
        self._resubmits += 1
        if self._resubmits > MAX_RESUBMITS:
            raise ProcessingEnds("too many resubmits")

    def resubmit(self, action: Resubmit, table: int, depth: int) -> None:
        """Look up in another table, then come back."""
        self._count_resubmit(depth)
        later = action.table > table
        self._visit(action.table, depth if later else depth + 1, action.in_port)

    def clone(self, actions: tuple[Action, ...], table: int, depth: int) -> None:
        """Run actions on a copy."""
        original, self.packet = self.packet, self.packet.copy()
        try:
            self._execute(actions, table, depth, nested=True)
        finally:
            self.packet = original

    def metered_clone(self, action: Clone, table: int, depth: int) -> None:
        """Run a clone action; a meter in it drops the copy only."""
        try:
            self.clone(action.actions, table, depth)
        except _MeterDrop as drop:
            self.note(str(drop))

    def group(self, action: SendToGroup, table: int, depth: int) -> None:
        """Run each bucket that is due on a copy; a header error ends only its bucket."""
        if depth >= MAX_DEPTH:
            raise ProcessingEnds("recursion too deep")
        group = self.tables.groups.get(action.group_id)
        if group is None:
            self.note(f"group {action.group_id} does not exist")
            return
        around = self.surroundings
        for bucket in buckets_for(group, self.packet, around.port_is_live, around.choose_bucket):
            try:
                self.clone(in_set_order(bucket.actions), table, depth + 1)
            except headers.HeaderError as error:
                self.note(str(error))

    def conntrack(self, action: Conntrack) -> None:
        """Track, remember, and start a branch with what is known of the connection; then forget it here."""
        packet, oracle = self.packet, self.surroundings.conntrack
        zone = read(packet, action.zone) if isinstance(action.zone, Subfield) else action.zone
        tracked = oracle.lookup(zone, packet) if action.table is not None else None
        if action.commit and oracle.commit(zone, packet, force=action.force, set_fields=action.set_fields):
            self.effects.append(Committed(zone, packet.copy(), action.force, action.set_fields))
        if action.table is not None and tracked is not None:
            fork = packet.copy()
            state = (tracked.state, zone, tracked.mark, tracked.label)
            for field, value in zip(_CONNTRACK_FIELDS, state, strict=True):
                fork[field] = value
            if action.commit:
                _apply_exec(fork, action.set_fields)
            self._recirculate(fork, action.table)
            self._has_left = True
        packet.clear(_CONNTRACK_FIELDS)

    def _recirculate(self, fork: Packet, table: int) -> None:
        if self._recirculations >= MAX_RECIRCULATIONS:
            self.effects.append(Dropped("too many recirculations", self._flow, self._table, fork))
            return
        kept = self.packet, self._resubmits, self._flow, self._table
        self.packet = fork
        self._recirculations += 1
        self.run_branch(table)
        self._recirculations -= 1
        self.packet, self._resubmits, self._flow, self._table = kept

    def learn(self, action: Learn) -> None:
        """Add the flow that the action makes of this packet."""
        flow = learned_flow(action, self.packet)
        self.tables.learn(flow, self.surroundings.now)
        self.effects.append(Learned(flow))

    def meter(self, meter_id: int) -> None:
        """Ask the meter whether the packet may go on."""
        if not self.surroundings.meter_passes(meter_id, self.packet):
            raise _MeterDrop(f"dropped by meter {meter_id}")

    def send_to_controller(self, action: SendToController) -> None:
        """A packet-in, unless its meter is exhausted; the packet itself goes on in any case."""
        meter_id = action.meter_id
        if meter_id is not None and not self.surroundings.meter_passes(meter_id, self.packet):
            self.note(f"packet-in dropped by meter {meter_id}")
            return
        self.leave(
            ToController(
                action.userdata,
                self.packet.copy(),
                max_len=action.max_len,
                controller_id=action.controller_id,
            )
        )

    def decrement_ttl(self) -> bool:
        """One less; True when the time is up, which ends the current list of actions."""
        values = self.packet.values
        if not field_exists(Field.IP_TTL, values):
            return False
        if values[_TTL] > 1:
            values[_TTL] -= 1
            return False
        self.note("TTL exceeded")
        self.leave(ToController(b"", self.packet.copy(), reason="invalid_ttl"))
        return True


def _apply_exec(packet: Packet, set_fields: tuple[SetField, ...]) -> None:
    for action in set_fields:
        set_bits(packet, action)


def _move(run: Pipeline, action: Move) -> None:
    if field_exists(action.source.field, run.packet.values):
        write(run.packet, action.target, read(run.packet, action.source))


def _check_packet_larger(run: Pipeline, action: CheckPacketLarger) -> None:
    """Tags count: so does the userspace data path, although the manual page says otherwise (observed)."""
    write(run.packet, action.target, run.packet.size > action.length)


def _encap(run: Pipeline, action: Encap) -> None:
    if action.packet_type == PACKET_TYPE_MPLS:
        headers.encap_mpls(run.packet)
    else:
        headers.encap_ethernet(run.packet)


Execute = Callable[[Pipeline, Any, int, int], bool | None]
"""Executes an action met in a table at a depth; True ends the list of actions."""

_EXECUTE: dict[type, Execute] = {
    Output: lambda run, a, _t, _d: run.output(a.port, a.max_len),
    OutputField: lambda run, a, _t, _d: run.output(port_number(read(run.packet, a.source)), a.max_len),
    SetField: lambda run, a, _t, _d: set_bits(run.packet, a),
    Move: lambda run, a, _t, _d: _move(run, a),
    Resubmit: lambda run, a, table, depth: run.resubmit(a, table, depth),
    SendToGroup: lambda run, a, table, depth: run.group(a, table, depth),
    ApplyMeter: lambda run, a, _t, _d: run.meter(a.meter_id),
    Conntrack: lambda run, a, _t, _d: run.conntrack(a),
    ConntrackClear: lambda run, _a, _t, _d: run.packet.clear(_CONNTRACK_FIELDS),
    Learn: lambda run, a, _t, _d: run.learn(a),
    SendToController: lambda run, a, _t, _d: run.send_to_controller(a),
    CheckPacketLarger: lambda run, a, _t, _d: _check_packet_larger(run, a),
    DecrementTtl: lambda run, _a, _t, _d: run.decrement_ttl(),
    PushVlan: lambda run, _a, _t, _d: headers.push_vlan(run.packet),
    PopVlan: lambda run, _a, _t, _d: headers.pop_vlan(run.packet),
    PushMpls: lambda run, a, _t, _d: headers.push_mpls(run.packet, a.eth_type),
    PopMpls: lambda run, a, _t, _d: headers.pop_mpls(run.packet, a.eth_type),
    Encap: lambda run, a, _t, _d: _encap(run, a),
    Decap: lambda run, a, _t, _d: headers.decap(run.packet, a.packet_type),
    Clone: lambda run, a, table, depth: run.metered_clone(a, table, depth),
    Note: lambda _run, _a, _t, _d: None,
}
