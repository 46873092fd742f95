"""The codec against the switch that everybody runs: what is sent comes back, and means what ovs-ofctl says."""

import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from tests.compiler.worlds import WorldBuilder
from tests.wire.openflow.private_switch import BRIDGE, PrivateSwitch

from overlace.compiler.compiler import Compiler
from overlace.datapath import actions as a
from overlace.datapath.fields import EthType, Field
from overlace.datapath.flow import Bucket, Flow, Group, GroupType, Meter, MeterUnit
from overlace.datapath.match import MatchValue, match
from overlace.datapath.text import format_flow
from overlace.model.port import BindingState
from overlace.wire.openflow import messages as m
from overlace.wire.openflow.codec import encode

pytestmark = pytest.mark.switch


@pytest.fixture(scope="module")
def switch() -> Iterator[PrivateSwitch]:
    with tempfile.TemporaryDirectory(prefix="ovl-") as directory:
        switch = PrivateSwitch(Path(directory))
        try:
            switch.start()
            yield switch
        finally:
            switch.stop()


@pytest.fixture(autouse=True)
def empty(switch: PrivateSwitch) -> None:
    for what in ("flows", "groups", "meters"):
        switch.run("ovs-ofctl", "-O", "OpenFlow15", f"del-{what}", BRIDGE)


def bundle(*inner: m.Message, first_xid: int = 3) -> list[m.Message]:
    """Messages in one atomic, ordered bundle, whose opening has the number `first_xid`."""
    control = m.BundleControlType
    adds = [m.BundleAdd(1, 3, encode(message, first_xid + 1 + index)) for index, message in enumerate(inner)]
    opening = m.BundleControl(1, control.OPEN_REQUEST, 3)
    return [opening, *adds, m.BundleControl(1, control.COMMIT_REQUEST, 3), m.BarrierRequest()]


def install(switch: PrivateSwitch, *flows: Flow, meters: Iterable[Meter] = ()) -> None:
    sent: list[m.Message] = [m.MeterMod(m.MeterModCommand.ADD, meter) for meter in meters]
    sent += bundle(*(m.FlowMod(m.FlowModCommand.ADD, flow) for flow in flows), first_xid=3 + len(sent))
    replies = switch.ask(*sent, until=m.BarrierReply)
    errors = [message for _, message in replies if isinstance(message, m.Error)]
    assert errors == []


def dump(switch: PrivateSwitch) -> set[Flow]:
    replies = switch.ask(m.FlowStatsRequest(), m.BarrierRequest(), until=m.BarrierReply)
    stats = [message for _, message in replies if isinstance(message, m.FlowStatsReply)]
    assert sum(reply.unreadable for reply in stats) == 0
    return {entry.flow for reply in stats for entry in reply.entries}


def test_a_whole_plan_comes_back_as_it_was_sent(switch: PrivateSwitch) -> None:
    world = WorldBuilder()
    world.hosts("h1", "h2")
    world.network("n", 1)
    world.group("g", 1)
    world.permit_everything("g")
    here, there = world.port("a", 1, "n", 11, "g"), world.port("b", 2, "n", 12)
    world.bind(here, "h1", 5)
    world.bind(there, "h2", 6)
    world.bind(there, "h1", 7, BindingState.PREPARED, 2)
    compiler = Compiler()
    compiler.advance(world.world)
    fragments = compiler.switch_plan("h1").values()
    plan = {flow for fragment in fragments for flow in fragment.flows}
    install(switch, *plan, meters={meter for fragment in fragments for meter in fragment.meters})
    assert dump(switch) == plan


def whole(field: Field) -> a.Subfield:
    return a.whole(field)


IP: dict[Field, MatchValue] = {Field.ETH_TYPE: EthType.IPV4}
CONSTRUCTS: dict[str, tuple[dict[Field, MatchValue], tuple[a.Action, ...]]] = {
    "drop": ({}, ()),
    "output": ({}, (a.Output(7),)),
    "in port": ({}, (a.Output(a.IN_PORT),)),
    "output to a field": ({}, (a.OutputField(a.Subfield(Field.REG0, 4, 16), 0xFFFF),)),
    "set under a mask": ({}, (a.set_field(Field.REG3, 0x30, 0xF0),)),
    "set metadata": ({}, (a.set_field(Field.METADATA, 5),)),
    "set in port": ({}, (a.set_field(Field.IN_PORT, 0),)),
    "set tunnel": ({}, (a.set_field(Field.TUN_ID, 5), a.set_field(Field.TUN_DST, 1), a.Output(1))),
    "set IPv6 tunnel": ({}, (a.set_field(Field.TUN_IPV6_DST, 1 << 100), a.Output(1))),
    "move": ({}, (a.move(Field.ETH_SRC, Field.ETH_DST),)),
    "move bits": ({}, (a.Move(a.Subfield(Field.REG0, 3, 5), a.Subfield(Field.REG1, 9, 5)),)),
    "resubmit": ({}, (a.Resubmit(9), a.Resubmit(10, 4))),
    "goto": ({}, (a.set_field(Field.REG0, 1), a.Goto(20))),
    "ct": (IP, (a.Conntrack(5, table=3),)),
    "ct commit": (IP, (a.Conntrack(a.Subfield(Field.REG4, 0, 16), commit=True), a.Goto(40))),
    "ct exec": (IP, (a.Conntrack(5, commit=True, set_fields=(a.set_field(Field.CT_MARK, 9),)),)),
    "ct force": (IP, (a.Conntrack(5, commit=True, force=True),)),
    "ct clear": ({}, (a.ConntrackClear(),)),
    "learn": (
        {},
        (
            a.Learn(
                7,
                100,
                0xAC01,
                (
                    a.LearnMatch(whole(Field.REG2), 5),
                    a.LearnMatch(whole(Field.ETH_DST), whole(Field.ETH_SRC)),
                    a.LearnLoad(whole(Field.REG3), 0x12345),
                    a.LearnLoad(a.Subfield(Field.REG0, 3, 1), 1),
                    a.LearnOutput(whole(Field.IN_PORT)),
                ),
                idle_timeout=5,
                hard_timeout=60,
            ),
        ),
    ),
    "controller": ({}, (a.SendToController(b"userdata-odd"),)),
    "decrement ttl": (IP, (a.DecrementTtl(),)),
    "push vlan": ({}, (a.PushVlan(EthType.VLAN),)),
    "pop vlan": ({Field.VLAN_TCI: (0x1000, 0x1000)}, (a.PopVlan(),)),
    "encapsulate": ({}, (a.Encap(a.PACKET_TYPE_MPLS), a.set_field(Field.MPLS_LABEL, 17), a.Encap(0))),
    "decapsulate": ({Field.ETH_TYPE: EthType.MPLS}, (a.Decap(), a.Decap(0), a.Resubmit(9))),
    "pop mpls": ({Field.ETH_TYPE: EthType.MPLS}, (a.PopMpls(EthType.IPV4),)),
    "push mpls": ({}, (a.PushMpls(EthType.MPLS),)),
    "clone": ({}, (a.Clone((a.set_field(Field.REG0, 1), a.Output(3))), a.Output(4))),
    "check length": ({}, (a.CheckPacketLarger(1400, a.Subfield(Field.REG0, 0, 1)),)),
    "note": ({}, (a.Note(b"123456"),)),
}


@pytest.mark.parametrize("name", CONSTRUCTS)
def test_every_construct_comes_back(switch: PrivateSwitch, name: str) -> None:
    conditions, actions = CONSTRUCTS[name]
    flow = Flow(5, 1234, match(dict(conditions)), actions, 0xABCDEF, 10, 20)
    install(switch, flow)
    assert dump(switch) == {flow}


@pytest.mark.parametrize("name", CONSTRUCTS)
def test_every_construct_reads_as_ovs_ofctl_writes_it(switch: PrivateSwitch, name: str) -> None:
    conditions, actions = CONSTRUCTS[name]
    flow = Flow(5, 1234, match(dict(conditions)), actions, 0xABCDEF)
    switch.run("ovs-ofctl", "-O", "OpenFlow15", "add-flow", BRIDGE, format_flow(flow))
    assert dump(switch) == {flow}


@pytest.mark.parametrize(
    "conditions",
    [
        {Field.VLAN_TCI: 0},
        {Field.VLAN_TCI: (0x1000, 0x1000)},
        {**IP, Field.IPV4_SRC: (0x0A000000, 0xFF000000)},
        {**IP, Field.IP_PROTO: 6, Field.TCP_DST: (0x0050, 0xFFF0)},
        {**IP, Field.IP_PROTO: 6, Field.TCP_FLAGS: (0x002, 0x012)},
        {**IP, Field.IP_FRAG: (1, 1)},
        {**IP, Field.IP_TTL: 1},
        {**IP, Field.CT_STATE: (0x21, 0x23), Field.CT_ZONE: 5, Field.CT_MARK: 3},
        {Field.ETH_DST: (1 << 40, 1 << 40)},
        {Field.TUN_SRC: 0x0A010001, Field.TUN_ID: 99},
        {Field.TUN_IPV6_SRC: 1 << 120},
        {Field.REG15: 5, Field.METADATA: (5, 0xFF)},
    ],
    ids=str,
)
def test_matches_come_back(switch: PrivateSwitch, conditions: dict[Field, MatchValue]) -> None:
    flow = Flow(5, 1234, match(dict(conditions)), (a.Output(1),))
    install(switch, flow)
    assert dump(switch) == {flow}


def test_groups_and_meters_come_back(switch: PrivateSwitch) -> None:
    group = Group(
        7,
        GroupType.FAST_FAILOVER,
        (Bucket(1, (a.Output(1),), watch_port=1), Bucket(2, (a.Output(2),), watch_port=2)),
    )
    meter = Meter(9, MeterUnit.PKTPS, 100, 20)
    added = switch.ask(
        m.MeterMod(m.MeterModCommand.ADD, meter),
        m.GroupMod(m.GroupModCommand.ADD, group),
        m.BarrierRequest(),
        until=m.BarrierReply,
    )
    assert [message for _, message in added if isinstance(message, m.Error)] == []
    asked: list[m.Message] = [m.GroupDescRequest(), m.MeterConfigRequest(), m.BarrierRequest()]
    replies = [message for _, message in switch.ask(*asked, until=m.BarrierReply)]
    assert m.GroupDescReply((group,)) in replies
    assert m.MeterConfigReply((meter,)) in replies
    flow = Flow(5, 1, match(), (a.ApplyMeter(9), a.SendToController(b"x", meter_id=9), a.SendToGroup(7)))
    install(switch, flow)
    assert dump(switch) == {flow}


def test_one_bad_message_fails_the_bundle(switch: PrivateSwitch) -> None:
    good = Flow(5, 1, match(), (a.Output(1),))
    bad = Flow(5, 2, match(), (a.SendToGroup(99),))
    sent = bundle(*(m.FlowMod(m.FlowModCommand.ADD, flow) for flow in (good, bad)))
    replies = [message for _, message in switch.ask(*sent, until=m.BarrierReply)]
    assert any(isinstance(message, m.Error) for message in replies)
    assert dump(switch) == set()


def test_a_frame_sent_out_comes_in_with_its_userdata(switch: PrivateSwitch) -> None:
    install(
        switch,
        Flow(0, 1, match(), (a.set_field(Field.REG1, 77), a.SendToController(b"hello")), cookie=0xC0),
    )
    frame = bytes.fromhex("ffffffffffff020000000001") + b"\x08\x06" + bytes(50)
    through_the_tables = a.Output(0xFFFFFFF9)
    replies = switch.ask(
        m.SetConfig(0, 0xFFFF),
        m.NxSetPacketInFormat(2),
        m.PacketOut(frame, (through_the_tables,), a.LOCAL),
        until=m.PacketIn,
    )
    packet_in = next(message for _, message in replies if isinstance(message, m.PacketIn))
    assert (packet_in.frame, packet_in.userdata, packet_in.cookie) == (frame, b"hello", 0xC0)
    register = packet_in.metadata.get(Field.REG1)
    assert register is not None and register.value == 77


def test_an_older_generation_is_refused_the_role(switch: PrivateSwitch) -> None:
    taken = switch.ask(m.RoleRequest(m.Role.MASTER, 5), until=m.RoleReply)
    assert (m.RoleReply(m.Role.MASTER, 5)) in [message for _, message in taken]
    refused = switch.ask(m.RoleRequest(m.Role.MASTER, 4), until=m.Error)
    assert any(isinstance(message, m.Error) and message.type == 11 for _, message in refused)
