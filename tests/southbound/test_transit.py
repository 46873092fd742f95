"""Transit switches are asked for plain OpenFlow alone, and refused by name what they cannot do."""

from tests.southbound.fake_switch import fake_switch
from tests.southbound.flow_samples import flow, flow_to_meter, meter
from tests.southbound.harness import added, controller, eventually, fragment

from overlace.datapath.actions import Output, set_field
from overlace.datapath.fields import Field
from overlace.datapath.flow import Flow
from overlace.datapath.match import match
from overlace.southbound.expected import ExpectedSwitch, SwitchKind
from overlace.southbound.marker import Stamp
from overlace.wire.openflow.messages import FlowMod, NxSetPacketInFormat

T1 = {"t1": ExpectedSwitch(SwitchKind.TRANSIT, "", 1)}
CLUSTER = "6f1c0e52-3b4e-4c57-9d0a-0d6f0a5f7c11"
ROUTES = fragment("routes", flows=(flow(1, table=0), flow(2, table=0)))


async def test_a_transit_switch_gets_no_extensions_and_one_table() -> None:
    async with controller(stamp=Stamp(CLUSTER, 1, 1)) as running:
        running.hub.set_expected(T1)
        running.hub.publish(added(1, "t1", ROUTES))
        running.hub.plan_ready()
        async with fake_switch(running.openflow_port) as switch:
            await running.acknowledged("t1", 1)
            assert switch.flows == set(ROUTES.flows)
            assert not any(isinstance(each, NxSetPacketInFormat) for each in switch.received)
            assert {each.flow.table for each in switch.changes if isinstance(each, FlowMod)} == {0}


async def test_the_marker_of_a_transit_switch_is_read_again() -> None:
    # given a switch that a store has written
    async with controller(stamp=Stamp(CLUSTER, 3, 7)) as running:
        running.hub.set_expected(T1)
        running.hub.publish(added(1, "t1", ROUTES))
        running.hub.plan_ready()
        async with fake_switch(running.openflow_port) as switch:
            await running.acknowledged("t1", 1)
            before = len(switch.changes)
            # when it connects anew, then nothing is written
            switch.disconnect()
            await eventually(lambda: ("t1", False) in running.record.connections)
            await switch.connect(running.openflow_port)
            await eventually(lambda: running.record.acknowledgements.count(("t1", 1)) == 2)
            assert len(switch.changes) == before
            # when the store is older than the switch, then it is left alone
            running.stamp = Stamp(CLUSTER, 3, 6)
            switch.disconnect()
            await eventually(lambda: running.record.connections.count(("t1", False)) == 2)
            await switch.connect(running.openflow_port)
            await eventually(lambda: running.record.holds)
            assert "written by a state of this store that it does not know" in running.record.holds[0][1]


async def test_what_a_transit_switch_cannot_do_is_refused_by_name_and_the_rest_goes_in() -> None:
    stamped = Flow(0, 5, match({Field.REG1: 5}), (set_field(Field.METADATA, 1), Output(1)), 99)
    odd = fragment("odd", flows=(stamped,))
    metered = fragment("metered", flows=(flow_to_meter(3, 5, table=0),), meters=(meter(5),))
    async with controller() as running:
        running.hub.set_expected(T1)
        running.hub.publish(added(1, "t1", ROUTES, odd, metered))
        running.hub.plan_ready()
        async with fake_switch(running.openflow_port) as switch:
            await eventually(lambda: running.record.failures)
            [(name, _, failure)] = running.record.failures
            assert (name, set(failure.fragments)) == ("t1", {odd.id, metered.id})
            assert "the switch is not known to have: match reg1, set metadata" in str(failure)
            assert "action ApplyMeter, meters" in str(failure)
            assert switch.flows == set(ROUTES.flows)
