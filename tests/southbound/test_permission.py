"""When a switch may be written to at all: roles and leases, copies and other clusters, other releases, the brake."""

from dataclasses import replace

from tests.southbound.fake_switch import FakeSwitch
from tests.southbound.flow_samples import flow
from tests.southbound.harness import PLAN, added, controller, eventually, fragment, hosts, one_switch

from overlace.compiler.pipeline import PIPELINE_VERSION, Cookie, CookieClass
from overlace.southbound.marker import Stamp, Verdict, marker_flow
from overlace.southbound.settings import MARKER_PLACE, Settings
from overlace.southbound.status import Phase
from overlace.wire.openflow.messages import Role


async def test_the_loss_of_the_master_role_ends_all_writing_until_our_lease_is_newer() -> None:
    async with one_switch() as (running, switch):
        switch.lose_role(5)
        await eventually(lambda: running.hub.status().switches["s1"].phase is Phase.PASSIVE)
        assert running.record.connections[-1] == ("s1", False)
        running.hub.publish(added(2, "s1", fragment("late", flows=(flow(70),))))
        assert flow(70) not in switch.flows

        running.generation = 6
        await running.acknowledged("s1", 2)
        assert flow(70) in switch.flows


async def test_a_stale_lease_is_never_master() -> None:
    async with controller() as running:
        running.hub.set_expected(hosts("s1"))
        running.hub.plan_ready()
        switch = FakeSwitch(1)
        switch.generation = 9
        await switch.connect(running.openflow_port)
        await eventually(lambda: running.hub.status().switches["s1"].phase is Phase.PASSIVE)
        assert ("s1", True) not in running.record.connections
        switch.disconnect()


async def test_a_switch_of_another_cluster_is_only_observed() -> None:
    async with one_switch() as (running, switch):
        switch.disconnect()
        running.stamp = Stamp("other-cluster", 1, 1)
        await eventually(lambda: not running.hub.status().switches["s1"].peer)
        switch.received.clear()
        await switch.connect(running.openflow_port)
        await eventually(lambda: running.record.holds)
        assert "another cluster" in running.record.holds[0][1]
        assert switch.changes == []


async def test_given_observe_mode_when_a_switch_calls_then_it_is_read_and_not_even_its_role_is_taken() -> (
    None
):
    async with controller() as running:
        running.hub.set_expected(hosts("s1"))
        running.hub.set_observe("s1", True)
        running.hub.publish(added(1, "s1", fragment("base", flows=(flow(1), flow(2)))))
        running.hub.plan_ready()
        switch = FakeSwitch(1)
        await switch.connect(running.openflow_port)
        await eventually(lambda: running.record.holds)
        assert "2 differences are not written" in running.record.holds[0][1]
        role = switch.role
        assert switch.changes == []

        found = await running.hub.difference("s1")
        assert (len(found.flows.missing), len(found.flows.foreign)) == (2, 0)
        assert found.verdict is Verdict.UNMARKED

        running.hub.set_observe("s1", False)
        await running.acknowledged("s1", 1)
        assert (role, switch.role) == (Role.EQUAL, Role.MASTER)
        assert not (await running.hub.difference("s1")).flows.differs


async def test_given_a_switch_that_is_being_written_when_observe_mode_comes_then_nothing_more_is_written() -> (
    None
):
    async with one_switch() as (running, switch):
        switch.hold()
        running.hub.publish(added(2, "s1", fragment("late", flows=(flow(70),))))
        running.hub.set_observe("s1", True)
        running.hub.publish(added(3, "s1", fragment("later", flows=(flow(71),))))
        switch.go_on()
        await eventually(lambda: running.record.holds)
        assert running.hub.status().switches["s1"].phase is Phase.HELD
        assert flow(71) in (await running.hub.difference("s1")).flows.missing


async def test_given_a_copy_of_an_older_store_when_its_numbers_have_caught_up_then_it_writes_nothing_still() -> (
    None
):
    async with one_switch() as (running, switch):
        switch.disconnect()
        running.stamp = Stamp("test-cluster", 2, 500)  # a copy from before the first revision, started anew
        await eventually(lambda: not running.hub.status().switches["s1"].peer)
        switch.received.clear()
        await switch.connect(running.openflow_port)
        await eventually(lambda: running.record.holds)
        assert "older copy" in running.record.holds[0][1]
        assert switch.changes == []
        running.hub.adopt("s1")
        await eventually(lambda: running.hub.status().switches["s1"].phase is Phase.IN_SYNC)
        assert len(switch.changes) == 1  # the marker: it need not be adopted again
        switch.disconnect()
        await eventually(lambda: not running.hub.status().switches["s1"].peer)
        await switch.connect(running.openflow_port)
        await eventually(lambda: running.hub.status().switches["s1"].phase is Phase.IN_SYNC)
        assert len(running.record.holds) == 1


async def test_given_a_marker_of_another_pipeline_version_when_read_then_it_counts() -> None:
    async with one_switch() as (running, switch):
        switch.disconnect()
        await eventually(lambda: not running.hub.status().switches["s1"].peer)
        place = replace(MARKER_PLACE, cookie=MARKER_PLACE.cookie + (1 << 48))
        foreign = marker_flow(place, Stamp("other-cluster", 1, 1))
        switch.tables.flows[foreign.key] = foreign
        await switch.connect(running.openflow_port)
        await eventually(lambda: running.record.holds)
        assert "another cluster" in running.record.holds[0][1]


async def test_given_a_switch_of_another_release_when_it_calls_then_it_goes_over_as_a_whole() -> None:
    async with one_switch(Settings(batch_limit=2, brake_minimum=0)) as (running, switch):
        # given tables that mean something else, and what the data path made by them
        switch.disconnect()
        await eventually(lambda: not running.hub.status().switches["s1"].peer)
        place = replace(MARKER_PLACE, cookie=MARKER_PLACE.cookie + (1 << 48))
        learned = flow(60, cookie=int(Cookie(CookieClass.LEARNED, 1, version=PIPELINE_VERSION + 1)))
        theirs = [
            *(flow(number, table=11) for number in range(6)),
            learned,
            marker_flow(place, running.stamp),
        ]
        switch.tables.flows.clear()
        switch.tables.flows.update((each.key, each) for each in theirs)
        before = running.hub.status().switches["s1"].batches

        # when it calls, then all is replaced in one bundle, which the brake does not take for a loss
        await switch.connect(running.openflow_port)
        await eventually(lambda: running.record.acknowledgements.count(("s1", 1)) == 2)
        assert running.record.holds == []
        assert running.hub.status().switches["s1"].batches - before == 1
        assert switch.flows == set(PLAN.flows)
        assert running.record.made_by_switches["s1"] == [learned]
        assert (await running.hub.difference("s1")).version == PIPELINE_VERSION


async def test_given_a_switch_of_another_release_when_most_would_go_then_the_brake_holds_it() -> None:
    async with one_switch(Settings(brake_minimum=5)) as (running, switch):
        switch.disconnect()
        await eventually(lambda: not running.hub.status().switches["s1"].peer)
        place = replace(MARKER_PLACE, cookie=MARKER_PLACE.cookie + (1 << 48))
        theirs = [*(flow(number, table=11) for number in range(30)), marker_flow(place, running.stamp)]
        switch.tables.flows.clear()
        switch.tables.flows.update((each.key, each) for each in theirs)
        await switch.connect(running.openflow_port)
        await eventually(lambda: running.record.holds)
        assert "would remove 26 of 30 flows" in running.record.holds[0][1]
        assert (await running.hub.difference("s1")).version == PIPELINE_VERSION + 1
