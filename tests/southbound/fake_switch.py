"""A switch that is a small program: connects over TCP, keeps tables, answers as Open vSwitch does.

It knows bundles (atomic; a meter_mod inside one is refused and the commit succeeds all the same), roles with
generation ids, dumps in several parts, barriers and packet-outs. It can be made slow, and it can be tampered
with through `tables`.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import cast

from tests.southbound.fake_tables import BUNDLE_FAILED, BUNDLE_UNSUPPORTED, FakeTables, RefusedMessage

from overlace.datapath.flow import Flow
from overlace.wire.openflow.codec import Decoder, encode
from overlace.wire.openflow.messages import (
    ALL_TABLES,
    AggregateReply,
    AggregateRequest,
    BarrierReply,
    BarrierRequest,
    BundleAdd,
    BundleControl,
    BundleControlType,
    Error,
    FeaturesReply,
    FlowEntry,
    FlowMod,
    FlowStatsReply,
    FlowStatsRequest,
    GetConfigReply,
    GetConfigRequest,
    GroupDescReply,
    GroupDescRequest,
    GroupMod,
    Message,
    MeterConfigReply,
    MeterConfigRequest,
    MeterMod,
    PacketIn,
    PacketOut,
    PortDescReply,
    PortDescRequest,
    PortDescription,
    PortStatus,
    Role,
    RoleReply,
    RoleRequest,
    RoleStatus,
    SetConfig,
)
from overlace.wire.openflow.session import Closed, MessageReceived, Ready, SwitchSession

_PART = 50
_STALE = Error(11, 0)
_IS_SLAVE = Error(1, 10)


class FakeSwitch(asyncio.Protocol):
    """One switch; `connect` as often as you like, the tables stay."""

    def __init__(self, datapath_id: int) -> None:
        self.datapath_id = datapath_id
        self.tables = FakeTables()
        self.received: list[Message] = []
        """Every message but the session's own, bundled ones unpacked."""
        self.packets_out: list[PacketOut] = []
        self.ports: list[PortDescription] = []
        self.role = Role.EQUAL
        self.fragments = 0
        self.generation = -1
        self.connected = False
        self._session = self._new_session()
        self._transport: asyncio.Transport | None = None
        self._bundle: list[tuple[int, Message]] | None = None
        self._held: list[bytes] | None = None

    # --- the test's side

    async def connect(self, port: int, host: str = "127.0.0.1") -> None:
        """Connect to a controller."""
        self._session = self._new_session()
        self._bundle, self.role = None, Role.EQUAL
        await asyncio.get_running_loop().create_connection(lambda: self, host, port)

    def disconnect(self) -> None:
        """Drop the connection."""
        if self._transport is not None:
            self._transport.abort()

    def hold(self) -> None:
        """From now on hear everything and do nothing, like a switch whose main thread is busy."""
        self._held = []

    def go_on(self) -> None:
        """Do what was held."""
        held, self._held = self._held or [], None
        for data in held:
            self.data_received(data)

    def send_bytes(self, data: bytes) -> None:
        """Send anything at all."""
        assert self._transport is not None
        self._transport.write(data)

    def send(self, message: Message) -> None:
        """Say something by itself."""
        self._session.send(message)
        self._flush()

    def lose_role(self, generation: int) -> None:
        """Another controller has become master."""
        self.role, self.generation = Role.SLAVE, generation
        self.send(RoleStatus(Role.SLAVE, 0, generation))

    def set_port(self, number: int, name: str, *, carrier: bool) -> None:
        """A port is there, with or without a carrier; a controller that is connected hears of it."""
        known = any(port.number == number for port in self.ports)
        port = PortDescription(number, name, number, 0, 0 if carrier else 1)
        self.ports = [*(each for each in self.ports if each.number != number), port]
        if self.connected:
            self.send(PortStatus(2 if known else 0, port))

    def remove_port(self, number: int) -> None:
        """A port is gone."""
        [port] = [each for each in self.ports if each.number == number]
        self.ports.remove(port)
        self.send(PortStatus(1, port))

    def punt(self, packet: PacketIn) -> None:
        """Send a packet-in."""
        self.send(packet)

    @property
    def changes(self) -> list[Message]:
        """The flow, group and meter messages received."""
        return [each for each in self.received if isinstance(each, FlowMod | GroupMod | MeterMod)]

    @property
    def flows(self) -> set[Flow]:
        """The flows, the marker left out."""
        return {flow for flow in self.tables.flows.values() if flow.cookie >> 56 != 0x0B}

    # --- asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self.connected = True
        self._flush()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 (asyncio names it)
        self._transport = None
        self.connected = False

    def data_received(self, data: bytes) -> None:
        if self._held is not None:
            self._held.append(data)
            return
        for event in self._session.receive(data, time.monotonic()):
            match event:
                case MessageReceived(xid, message):
                    self._on_message(xid, message)
                case Closed():
                    self.disconnect()
                case Ready():
                    pass
        self._flush()

    # --- behaviour

    def _new_session(self) -> SwitchSession:
        return SwitchSession(time.monotonic(), FeaturesReply(self.datapath_id))

    def _flush(self) -> None:
        data = self._session.data_to_send()
        if self._transport is not None and data:
            self._transport.write(data)

    def _on_message(self, xid: int, message: Message) -> None:
        answer = self._answers.get(type(message))
        if answer is not None:
            answer(self, xid, message)
            return
        self.received.append(message)
        if isinstance(message, PacketOut):
            self.packets_out.append(message)
        elif isinstance(message, FlowMod | GroupMod | MeterMod):
            self._change(xid, message)

    def _change(self, xid: int, message: Message) -> None:
        try:
            if self.role is Role.SLAVE:
                raise RefusedMessage(_IS_SLAVE)
            self.tables.apply(message)
        except RefusedMessage as refusal:
            self._refuse(xid, refusal.error, message)

    def _refuse(self, xid: int, error: Error, about: Message) -> None:
        self._session.reply(xid, Error(error.type, error.code, encode(about, xid)[:64]))

    def _on_bundle(self, xid: int, message: BundleControl) -> None:
        if message.type is BundleControlType.COMMIT_REQUEST and not self._commit(xid, message):
            return
        self._bundle = [] if message.type is BundleControlType.OPEN_REQUEST else None
        answer = BundleControlType(message.type + 1)
        self._session.reply(xid, BundleControl(message.bundle_id, answer, message.flags))

    def _on_bundle_add(self, xid: int, message: BundleAdd) -> None:
        [(inner_xid, inner)] = Decoder().feed(message.message)
        assert inner_xid == xid, "OpenFlow 1.5, 7.3.9.6: the same transaction id inside"
        self.received.append(inner)
        if isinstance(inner, MeterMod):
            self._refuse(xid, BUNDLE_UNSUPPORTED, message)
        elif self._bundle is not None:
            self._bundle.append((xid, inner))

    def _commit(self, xid: int, message: BundleControl) -> bool:
        attempt = self.tables.copy()
        bundle, self._bundle = self._bundle or [], None
        for inner_xid, inner in bundle:
            try:
                if self.role is Role.SLAVE:
                    raise RefusedMessage(_IS_SLAVE)
                attempt.apply(inner)
            except RefusedMessage as refusal:
                self._refuse(inner_xid, refusal.error, inner)
                self._refuse(xid, BUNDLE_FAILED, message)
                return False
        self.tables = attempt
        return True

    def _on_role(self, xid: int, message: RoleRequest) -> None:
        if message.generation_id < self.generation:
            self._refuse(xid, _STALE, message)
            return
        self.generation, self.role = message.generation_id, message.role
        self._session.reply(xid, RoleReply(self.role, self.generation))

    def _on_flow_stats(self, xid: int, message: FlowStatsRequest) -> None:
        entries = [FlowEntry(flow, 0, 0, 0.0) for flow in self._selected(message)]
        parts = [tuple(entries[at : at + _PART]) for at in range(0, len(entries), _PART)] or [()]
        for index, part in enumerate(parts, 1):
            self._session.reply(xid, FlowStatsReply(part, more=index < len(parts)))

    def _on_aggregate(self, xid: int, message: AggregateRequest) -> None:
        self._session.reply(xid, AggregateReply(0, 0, len(self._selected(message))))

    def _selected(self, message: FlowStatsRequest | AggregateRequest) -> list[Flow]:
        return [
            flow
            for flow in self.tables.flows.values()
            if message.table in (ALL_TABLES, flow.table)
            and flow.cookie & message.cookie_mask == message.cookie & message.cookie_mask
        ]

    _answers: dict[type, Callable[..., None]] = {
        PortDescRequest: lambda self, xid, _: self._session.reply(xid, PortDescReply(tuple(self.ports))),
        GetConfigRequest: lambda self, xid, _: self._session.reply(
            xid, GetConfigReply(self.fragments, 0xFFFF)
        ),
        SetConfig: lambda self, _, message: setattr(self, "fragments", message.flags),
        BarrierRequest: lambda self, xid, _: self._session.reply(xid, BarrierReply()),
        BundleControl: _on_bundle,
        BundleAdd: _on_bundle_add,
        RoleRequest: _on_role,
        FlowStatsRequest: _on_flow_stats,
        AggregateRequest: _on_aggregate,
        GroupDescRequest: lambda self, xid, _: self._session.reply(
            xid, GroupDescReply(tuple(self.tables.groups.values()))
        ),
        MeterConfigRequest: lambda self, xid, _: self._session.reply(
            xid, MeterConfigReply(tuple(self.tables.meters.values()))
        ),
    }


@asynccontextmanager
async def fake_switch(port: int, datapath_id: int = 1) -> AsyncIterator[FakeSwitch]:
    """A fake switch that is connected to the controller at this loopback port."""
    switch = FakeSwitch(datapath_id)
    await switch.connect(port)
    try:
        yield switch
    finally:
        switch.disconnect()
