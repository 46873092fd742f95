"""The switches in C: what they take in, they tell again; what they do not understand, they refuse."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import cast

from bench.controller_process import LOOPBACK
from bench.simulated_switches import SimulatedSwitches, address, datapath_id, simulated_switches

from overlace.datapath.actions import Goto, Output, SendToGroup, set_field
from overlace.datapath.fields import Field
from overlace.datapath.flow import Bucket, Flow, Group, GroupType
from overlace.datapath.match import match
from overlace.southbound.encoding import Encoder
from overlace.southbound.operations import Changes, TableOperations
from overlace.wire.openflow import messages as m
from overlace.wire.openflow.codec import encode
from overlace.wire.openflow.session import MessageReceived, Ready, Session

MAC = 0x02FE00000001


@dataclass
class Controller(asyncio.Protocol):
    """The other end of one switch."""

    session: Session = field(default_factory=lambda: Session(0.0))
    received: asyncio.Queue[m.Message] = field(default_factory=asyncio.Queue)
    peer: str = ""
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.peer = transport.get_extra_info("peername")[0]
        self.send(self.session.data_to_send())

    def data_received(self, data: bytes) -> None:
        for event in self.session.receive(data, 0.0):
            if isinstance(event, MessageReceived):
                self.received.put_nowait(event.message)
            elif isinstance(event, Ready):
                self.ready.set()
        self.send(self.session.data_to_send())

    def send(self, data: bytes) -> None:
        assert self.transport is not None
        self.transport.write(data)

    async def answers(self, data: bytes, number: int) -> list[m.Message]:
        """So many of what comes back."""
        self.send(data)
        async with asyncio.timeout(5):
            return [await self.received.get() for _ in range(number)]


@asynccontextmanager
async def one_switch() -> AsyncIterator[tuple[SimulatedSwitches, Controller]]:
    controller = Controller()
    server = await asyncio.get_running_loop().create_server(lambda: controller, LOOPBACK, 0)
    with simulated_switches() as switches:
        switches.connect(3, 1, server.sockets[0].getsockname()[1])
        async with asyncio.timeout(5):
            await controller.ready.wait()
        yield switches, controller
    server.close()


def operations(*flows: Flow, groups: tuple[Group, ...] = ()) -> bytes:
    change = TableOperations(flows=Changes(list(flows)), groups=Changes(list(groups)))
    [batch] = Encoder().batches(change, None, 1000)
    return batch.at_once


def located(table: int = 20) -> Flow:
    where = match({Field.METADATA: 7, Field.ETH_DST: MAC})
    return Flow(table, 100, where, (set_field(Field.REG2, 5), Goto(30)), cookie=0x0401000000000005)


async def test_a_switch_connects_from_its_own_address_and_says_who_it_is() -> None:
    async with one_switch() as (_, controller):
        assert controller.peer == address(3)
        assert controller.session.features is not None
        assert controller.session.features.datapath_id == datapath_id(3)


async def test_what_a_bundle_brought_is_told_again_flow_by_flow_and_counted() -> None:
    group = Group(9, GroupType.INDIRECT, (Bucket(0, (Output(4),)),))
    to_group = Flow(21, 5, match({Field.IN_PORT: 1}), (SendToGroup(9),), cookie=1)
    async with one_switch() as (switches, controller):
        # when a flow, a group and a flow that needs it come in one bundle, of which one address is watched
        switches.watch("02:fe:00:00:00:01", 1)
        await controller.answers(operations(located(), to_group, groups=(group,)), 3)

        # then the switch says that it holds the address, and gives the bytes back
        reached = switches.wait(5)
        assert reached is not None and reached.switches == 1
        assert switches.heard() == operations(located(), to_group, groups=(group,))
        # and its tables are those, in a dump and by cookie
        [dump] = await controller.answers(encode(m.FlowStatsRequest(0xFF), 8), 1)
        assert isinstance(dump, m.FlowStatsReply)
        assert {entry.flow for entry in dump.entries} == {located(), to_group}
        [piece] = await controller.answers(encode(m.FlowStatsRequest(0xFF, cookie=1, cookie_mask=0xF), 9), 1)
        assert isinstance(piece, m.FlowStatsReply)
        assert [entry.flow for entry in piece.entries] == [to_group]
        [groups] = await controller.answers(encode(m.GroupDescRequest(), 10), 1)
        assert isinstance(groups, m.GroupDescReply) and groups.groups == (group,)
        totals = switches.totals()
        assert (totals.flows, totals.flow_mods, totals.bundles, totals.errors) == (2, 2, 1, 0)


async def test_a_bundle_with_one_bad_flow_leaves_the_tables_as_they_were() -> None:
    missing = Flow(21, 5, match({}), (SendToGroup(77),))
    async with one_switch() as (switches, controller):
        switches.watch("02:fe:00:00:00:01", 1)
        answers = await controller.answers(operations(located(), missing), 4)

        errors = [each for each in answers if isinstance(each, m.Error)]
        assert [(each.type, each.code) for each in errors] == [(2, 9), (17, 13)]
        assert switches.totals().flows == 0
        assert switches.seen().switches == 0


async def test_an_action_that_nobody_knows_is_refused() -> None:
    unknown = bytearray(encode(m.FlowMod(m.FlowModCommand.ADD, Flow(1, 1, match({}), (Output(1),))), 5))
    unknown[-16:-14] = (99).to_bytes(2, "big")
    async with one_switch() as (switches, controller):
        [error] = await controller.answers(bytes(unknown), 1)

        assert isinstance(error, m.Error) and (error.type, error.code) == (2, 0)
        assert switches.totals().flows == 0


async def test_a_stale_generation_does_not_become_master() -> None:
    async with one_switch() as (_, controller):
        await controller.answers(encode(m.RoleRequest(m.Role.MASTER, 5), 6), 1)
        [error] = await controller.answers(encode(m.RoleRequest(m.Role.MASTER, 4), 7), 1)

        assert isinstance(error, m.Error) and error.type == 11
