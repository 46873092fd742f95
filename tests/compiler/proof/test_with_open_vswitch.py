"""A real switch takes what the compiler planned, gives it back as it was, and treats frames as the interpreter does:
frames of random lives, and IP packets under every layout that a guest can think of."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from random import Random

import pytest
from hypothesis import event, given, settings, strategies as st
from tests.compiler.proof.choice import RandomChoice
from tests.compiler.proof.cloud import Cloud
from tests.compiler.proof.conversations import group_cast, unicast
from tests.compiler.proof.driver import step
from tests.compiler.proof.spoken import HOST, NETWORK_KEY, OCTETS, WORDS, Spoken, cloud_of_all_kinds
from tests.datapath.interpreter.test_against_ofproto_trace import CT_STATES, LONGEST_CHAIN, UNSHRUNK
from tests.datapath.ip_layouts import Layout, laid_out, layouts
from tests.datapath.ofproto_trace import outcome_of, trace
from tests.datapath.private_switch import BRIDGE, PrivateSwitch, private_switch
from tests.southbound.harness import LOOPBACK, added, controller

from overlace.compiler.pipeline import TUNNEL_OFPORT, Table
from overlace.compiler.plan import SwitchPlan
from overlace.datapath.fields import Field
from overlace.datapath.flow import Flow
from overlace.datapath.interpreter import Packet, Surroundings, Tables, format_trace, run
from overlace.datapath.interpreter.conntrack import AssumedConntrack
from overlace.datapath.interpreter.decode import from_frame
from overlace.datapath.text import format_flow, format_group, format_meter
from overlace.model.port import Binding, BindingState, Port
from overlace.southbound.expected import ExpectedSwitch, SwitchKind
from overlace.wire.openflow.codec import canonical_flow

FRAMES = 60
_LIFE, _LONGEST_LIFE = 100, 5000
_WORKLOADS = 4

pytestmark = pytest.mark.switch


@contextmanager
def switch_of_a_host() -> Iterator[PrivateSwitch]:
    with private_switch() as started:
        started.add_tunnel_port("ovl-vxlan", TUNNEL_OFPORT)
        for number in range(2, 5):
            started.tunnel_neighbour(f"10.1.0.{number}")
            started.tunnel_neighbour(f"fd01::{number}")
        yield started


@pytest.fixture
def switch() -> Iterator[PrivateSwitch]:
    with switch_of_a_host() as started:
        yield started


def lived(seed: int) -> Cloud:
    """A cloud after a while, everything delivered, with some workloads on the host."""
    cloud, choice = Cloud(), RandomChoice(Random(seed))
    for number in range(_LONGEST_LIFE):
        step(cloud, choice, cold=False, conversations=0)
        if number >= _LIFE and _active_here(cloud) >= _WORKLOADS:
            return cloud
    raise AssertionError("no workload came to the host for long")


def _active_here(cloud: Cloud) -> int:
    bindings = cloud.world.snapshot.members(Binding, "host", HOST)
    return sum(each.state is BindingState.ACTIVE for each in bindings)


class Unlearning(Tables):
    """ofproto/trace has no side effects: what it would learn, the packet does not meet."""

    def learn(self, flow: Flow, now: float = 0.0) -> bool:  # noqa: ARG002
        return False


def planned_for(cloud: Cloud) -> Unlearning:
    plan = cloud.compiler.switch_plan(HOST).values()
    return Unlearning(
        (flow for fragment in plan for flow in fragment.flows),
        (group for fragment in plan for group in fragment.groups),
        (meter for fragment in plan for meter in fragment.meters),
    )


def frames(cloud: Cloud, choice: RandomChoice) -> Iterator[Packet]:
    """Frames of the workloads of the host, and frames that its peers send through the tunnel."""
    bindings = sorted(cloud.world.snapshot.all(Binding), key=lambda binding: binding.id)
    for _ in range(FRAMES):
        one = cloud.world.snapshot.get(Port, choice.one_of(bindings).port_id)
        other = cloud.world.snapshot.get(Port, choice.one_of(bindings).port_id)
        assert one is not None and other is not None
        conversation = unicast(choice, one, other) if choice.one_of((True, False)) else None
        said = group_cast(choice, one) if conversation is None else conversation.first
        here = [i for i in cloud.plugged.values() if (i.host, i.port_id) == (HOST, one.id)]
        yield _arriving(said.packet, here[-1].ofport if here else None, choice)


def _arriving(packet: Packet, ofport: int | None, choice: RandomChoice) -> Packet:
    if ofport is not None:
        return packet.replace({Field.IN_PORT: ofport})
    sender = choice.one_of(("10.1.0.2", "10.1.0.3", "10.1.0.99"))
    return packet.replace(
        {
            Field.IN_PORT: TUNNEL_OFPORT,
            Field.TUN_ID: choice.one_of((5001, 5002, 5003, 5004, 6000)),
            Field.TUN_SRC: int(ip_address(sender)),
            Field.TUN_DST: int(ip_address("10.1.0.1")),
        }
    )


async def told_by_the_southbound(switch: PrivateSwitch, plan: SwitchPlan) -> list[Flow]:
    """Bring a plan to the switch as the controller does, and read back what it then holds."""
    number = int(switch.vsctl("get", "Bridge", BRIDGE, "datapath_id").strip().strip('"'), 16)
    async with controller() as running:
        running.hub.set_expected({HOST: ExpectedSwitch(SwitchKind.HOST, BRIDGE, number)})
        running.hub.publish(added(1, HOST, *plan.values()))
        running.hub.plan_ready()
        target = f"tcp:{LOOPBACK}:{running.openflow_port}"
        await asyncio.to_thread(switch.vsctl, "set-controller", BRIDGE, target)
        await running.acknowledged(HOST, 1)
        assert not running.record.failures
        held = await running.hub.dump_flows(HOST)
    return [entry.flow for entry in held if entry.flow.table != Table.MARKER]


@pytest.mark.parametrize("seed", [1, 2])
async def test_a_planned_switch_is_a_real_switch(switch: PrivateSwitch, seed: int) -> None:
    # given a cloud that has lived for a while
    cloud, choice = lived(seed), RandomChoice(Random(seed))
    tables = planned_for(cloud)
    interfaces = sorted(place[1] for place in cloud.plugged if place[0] == HOST)
    for number in interfaces:
        switch.add_port(f"p{number}", number)
    # when the plan of one of its hosts comes to a real switch
    held = await told_by_the_southbound(switch, cloud.compiler.switch_plan(HOST))
    # then the switch holds exactly the plan
    assert {flow.key: flow for flow in held} == {flow.key: flow for flow in map(canonical_flow, tables)}
    # and frames fare in it as in the interpreter, whatever connection tracking says of them
    around = {*interfaces, TUNNEL_OFPORT}
    outputs = sum(
        compare(switch, tables, packet, choice.one_of(CT_STATES), around) for packet in frames(cloud, choice)
    )
    assert outputs > 0


def compare(
    switch: PrivateSwitch,
    tables: Tables,
    packet: Packet,
    state: int,
    ports: set[int],
    frame: bytes | None = None,
) -> int:
    """Let both say what comes of a packet, or of the frame that it was read from; returns how many copies leave."""
    theirs = trace(switch, BRIDGE, packet, [state] * LONGEST_CHAIN, TUNNEL_OFPORT, frame)
    around = Surroundings(conntrack=AssumedConntrack(state), ports=ports)
    ours = run(tables, packet, packet[Field.IN_PORT], around)
    if not theirs.is_that_of_packets:
        return 0
    meant = outcome_of(ours.effects, TUNNEL_OFPORT)
    assert meant == theirs.outcome, f"{packet}\n{theirs.text}\n\n{format_trace(ours)}"
    return meant.outputs.total()


@dataclass(frozen=True)
class Filled:
    """A switch that holds the plan of the host with a port of each kind."""

    switch: PrivateSwitch
    cloud: Cloud
    tables: Tables

    @property
    def ofports(self) -> dict[str, int]:
        """By port, of those that are here."""
        return {each.port_id: each.ofport for each in self.cloud.plugged.values() if each.host == HOST}

    def arriving(self, spoken: Spoken, layout: Layout) -> tuple[Packet, bytes]:
        """What the switch gets: from the sender's interface, or through the tunnel from its host."""
        frame = laid_out(spoken.packet(), layout)
        packet = from_frame(frame)
        if spoken.sender in self.ofports:
            return packet.replace({Field.IN_PORT: self.ofports[spoken.sender]}), frame
        tunnelled = {Field.IN_PORT: TUNNEL_OFPORT, Field.TUN_ID: 5000 + NETWORK_KEY}
        ends = {Field.TUN_SRC: int(ip_address("10.1.0.2")), Field.TUN_DST: int(ip_address("10.1.0.1"))}
        return packet.replace(tunnelled | ends), frame


@pytest.fixture(scope="module")
def filled() -> Iterator[Filled]:
    cloud = cloud_of_all_kinds()
    with switch_of_a_host() as switch:
        made = Filled(switch, cloud, planned_for(cloud))
        for number in made.ofports.values():
            switch.add_port(f"p{number}", number)
        for group in made.tables.groups.values():
            switch.ofctl("add-group", BRIDGE, format_group(group))
        for meter in made.tables.meters.values():
            switch.ofctl("add-meter", BRIDGE, format_meter(meter))
        switch.replace_flows([format_flow(flow) for flow in made.tables])
        yield made


def spoken() -> st.SearchStrategy[Spoken]:
    ends = st.sampled_from(sorted(OCTETS))
    return st.builds(Spoken, ends, ends, st.sampled_from((4, 6)), st.sampled_from(sorted(WORDS)))


UNTRACKED = 0
"""ct() has found nothing out, as for what it was not asked about."""


@settings(
    max_examples=80,
    phases=UNSHRUNK,
    deadline=None,
    report_multiple_bugs=False,
)
@given(spoken(), layouts(), st.sampled_from((*CT_STATES, UNTRACKED)))
def test_a_packet_of_any_layout_fares_as_in_open_vswitch(
    filled: Filled, said: Spoken, layout: Layout, state: int
) -> None:
    packet, frame = filled.arriving(said, layout)
    ports = {*filled.ofports.values(), TUNNEL_OFPORT}
    copies = compare(filled.switch, filled.tables, packet, state, ports, frame)
    event(f"copies: {min(copies, 2)}")
