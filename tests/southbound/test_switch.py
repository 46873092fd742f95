"""Dialogues between the southbound and fake switches."""

from contextlib import AsyncExitStack

import pytest
from tests.southbound.fake_switch import FakeSwitch, fake_switch
from tests.southbound.flow_samples import flow, flow_to_group, group
from tests.southbound.harness import PLAN, added, controller, eventually, fragment, hosts, one_switch

from overlace.compiler.pipeline import CookieClass, cookie
from overlace.compiler.plan import PlanChange, SwitchChange
from overlace.datapath.actions import Output
from overlace.datapath.match import match
from overlace.southbound.failures import NotConnectedError
from overlace.southbound.settings import Settings
from overlace.southbound.status import Phase
from overlace.wire.openflow.messages import FlowMod, GroupMod, MeterMod, PacketIn


async def test_a_new_switch_gets_everything_meters_first_and_outside_the_bundle() -> None:
    async with one_switch() as (_, switch):
        assert switch.flows == set(PLAN.flows)
        assert list(switch.tables.groups.values()) == list(PLAN.groups)
        assert [type(each) for each in switch.changes] == [MeterMod, GroupMod, *[FlowMod] * 5]


async def test_nothing_is_written_before_the_plan_counts() -> None:
    async with controller() as running:
        running.hub.set_expected(hosts("s1"))
        async with fake_switch(running.openflow_port) as switch:
            switch.tables.flows[flow(9).key] = flow(9)
            await eventually(lambda: running.hub.status().switches["s1"].phase is Phase.WAITING)
            running.hub.publish(added(1, "s1", PLAN))
            assert switch.changes == []

            running.hub.plan_ready("s1")
            await running.acknowledged("s1", 1)
            assert switch.flows == set(PLAN.flows)


async def test_changes_that_come_while_a_switch_is_busy_are_sent_as_one() -> None:
    async with one_switch() as (running, switch):
        before = running.hub.status().switches["s1"].batches
        switch.hold()
        for number in range(100, 200):
            running.hub.publish(added(number, "s1", fragment("port", str(number), flows=(flow(number),))))
        short_lived = fragment("port", "150", flows=(flow(150),))
        running.hub.publish(added(200, "s1", removed=(short_lived,)))
        switch.go_on()
        await running.acknowledged("s1", 200)

        assert running.hub.status().switches["s1"].batches - before == 2
        assert len(switch.flows) == len(PLAN.flows) + 99
        sent = {each.flow for each in switch.changes if isinstance(each, FlowMod)}
        assert flow(150) not in sent


async def test_a_slow_switch_slows_nobody_else() -> None:
    async with controller() as running:
        running.hub.set_expected(hosts("slow", "quick"))
        running.hub.plan_ready()
        async with fake_switch(running.openflow_port, 1) as slow, fake_switch(running.openflow_port, 2):
            await running.acknowledged("slow", 0)
            await running.acknowledged("quick", 0)
            slow.hold()
            change = SwitchChange({PLAN.id: PLAN}, {})
            running.hub.publish(PlanChange(1, {"slow": change, "quick": change}))
            await running.acknowledged("quick", 1)
            assert running.record.acknowledged_up_to["slow"] == 0
            slow.go_on()
            await running.acknowledged("slow", 1)


async def test_the_same_fragment_is_encoded_once_for_all_switches() -> None:
    names = [f"s{number}" for number in range(1, 6)]
    async with controller() as running:
        running.hub.set_expected(hosts(*names))
        running.hub.plan_ready()
        switches = [FakeSwitch(number) for number in range(1, 6)]
        for switch, name in zip(switches, names, strict=True):
            await switch.connect(running.openflow_port)
            await running.acknowledged(name, 0)
        before = running.hub.status()
        shared = fragment("mac", flows=tuple(flow(number) for number in range(10)))
        change = PlanChange(1, {name: SwitchChange({shared.id: shared}, {}) for name in names})
        running.hub.publish(change)
        for name in names:
            await running.acknowledged(name, 1)
        after = running.hub.status()
        assert after.encoded_flows - before.encoded_flows == len(shared.flows)
        assert after.cache_hits - before.cache_hits == 4 * len(shared.flows)
        for switch in switches:
            switch.disconnect()


async def test_an_error_inside_the_bundle_fails_it_though_the_rest_could_be_applied() -> None:
    async with one_switch() as (running, switch):
        bad = fragment("bad", flows=(flow(20), flow_to_group(21, 99), flow(22)))
        good = fragment("good", flows=(flow(30),))
        running.hub.publish(added(2, "s1", bad, good))
        await eventually(lambda: running.record.failures)

        name, sequence, failure = running.record.failures[0]
        assert (name, sequence, failure.fragments) == ("s1", 2, (bad.id,))
        assert "actions=group:99" in failure.reason
        assert switch.flows == {*PLAN.flows, *good.flows}
        assert list(running.hub.status().switches["s1"].held_out) == [bad.id]


async def test_what_a_bad_fragment_replaced_comes_back() -> None:
    async with one_switch() as (running, switch):
        worse = fragment("base", flows=(flow_to_group(3, 99),))
        running.hub.publish(added(2, "s1", worse, removed=(PLAN,)))
        await eventually(lambda: running.record.failures)
        assert switch.flows == set(PLAN.flows)
        assert set(switch.tables.meters) == {5}


async def test_fragments_that_contradict_each_other_are_both_named() -> None:
    async with one_switch() as (running, switch):
        contrary = fragment("contrary", flows=(flow(1, port=9), flow(40)))
        running.hub.publish(added(2, "s1", contrary))
        await eventually(lambda: running.record.failures)

        _, _, failure = running.record.failures[0]
        assert failure.fragments == (contrary.id,)
        assert "contrary" in failure.reason and "base" in failure.reason
        assert switch.flows == set(PLAN.flows)


async def test_a_reconnecting_switch_is_repaired_where_it_was_tampered_with_and_nowhere_else() -> None:
    async with one_switch() as (running, switch):
        switch.disconnect()
        await eventually(lambda: not running.hub.status().switches["s1"].peer)
        del switch.tables.flows[flow(1).key]
        switch.tables.flows[flow(2).key] = flow(2, port=66)
        switch.tables.flows[flow(50).key] = flow(50)
        switch.received.clear()
        await switch.connect(running.openflow_port)
        await eventually(lambda: running.record.acknowledgements.count(("s1", 1)) == 2)

        found = running.hub.status().switches["s1"].last_resync
        assert found is not None and (found.added, found.changed, found.removed) == (1, 1, 1)
        assert switch.flows == set(PLAN.flows)
        assert len(switch.changes) == 3


async def test_learned_flows_are_never_repaired_away() -> None:
    async with one_switch() as (running, switch):
        learned = flow(60, cookie=cookie(CookieClass.LEARNED, 1))
        switch.tables.flows[learned.key] = learned
        assert (await running.hub.audit_now("s1")).repaired == 0
        running.hub.resynchronise("s1")
        await eventually(lambda: running.record.acknowledgements.count(("s1", 1)) == 2)
        assert learned in switch.flows


async def test_an_audit_reads_large_tables_in_pieces_and_repairs_each_thing_once() -> None:
    many = fragment("many", flows=tuple(flow(number, table=number % 3) for number in range(1000, 1600)))
    async with one_switch(Settings(piece_size=64)) as (running, switch):
        running.hub.publish(added(2, "s1", many))
        await running.acknowledged("s1", 2)
        del switch.tables.flows[many.flows[0].key]
        recoloured = flow(1001, table=1001 % 3, cookie=0xDEAD)
        switch.tables.flows[recoloured.key] = recoloured
        switch.tables.flows[flow(1, table=200).key] = flow(1, table=200)
        del switch.tables.groups[7]
        del switch.tables.flows[flow_to_group(3, 7).key]

        found = await running.hub.audit_now("s1")

        assert (found.added + found.changed, found.removed) == (4, 1)
        assert switch.flows == {*PLAN.flows, *many.flows}
        assert (await running.hub.audit_now("s1")).repaired == 0


async def test_an_audit_restores_the_marker() -> None:
    async with one_switch() as (running, switch):
        key = next(key for key in switch.tables.flows if key.table == 250)
        del switch.tables.flows[key]
        assert (await running.hub.audit_now("s1")).repaired == 1
        assert key in switch.tables.flows


@pytest.mark.parametrize(
    "garbage", [b"\x06\x00\x00\x04\0\0\0\1", b"GET / HTTP/1.1\r\n\r\n", b"\x06\x13\x00\x09\0\0\0\1x"]
)
async def test_malformed_bytes_end_only_the_session_they_came_in(garbage: bytes) -> None:
    async with controller() as running:
        running.hub.set_expected(hosts("evil", "good"))
        running.hub.plan_ready()
        async with (
            fake_switch(running.openflow_port, 1) as evil,
            fake_switch(running.openflow_port, 2) as good,
        ):
            await running.acknowledged("evil", 0)
            await running.acknowledged("good", 0)
            evil.send_bytes(garbage)
            await eventually(lambda: not evil.connected)
            running.hub.publish(added(1, "good", PLAN))
            await running.acknowledged("good", 1)
            assert good.connected


async def test_an_unknown_switch_is_kept_waiting_and_let_go() -> None:
    async with controller(settings=Settings(parking_time=0.1)) as running:
        running.hub.set_expected(hosts("s1"))
        async with fake_switch(running.openflow_port, 77) as stranger:
            await eventually(lambda: not stranger.connected)
            assert stranger.changes == []


async def test_a_switch_that_becomes_known_while_it_waits_is_taken() -> None:
    async with controller() as running:
        running.hub.plan_ready()
        async with fake_switch(running.openflow_port, 1):
            running.hub.publish(added(1, "s1", PLAN))
            running.hub.set_expected(hosts("s1"))
            await running.acknowledged("s1", 1)


async def test_a_switch_that_does_not_answer_a_transaction_is_dropped() -> None:
    async with one_switch(Settings(transaction_timeout=0.2)) as (running, switch):
        switch.hold()
        running.hub.publish(added(2, "s1", fragment("late", flows=(flow(70),))))
        await eventually(lambda: not switch.connected)


async def test_packets_go_out_and_come_in() -> None:
    async with one_switch() as (running, switch):
        packet = PacketIn(b"frame", 5, 0, 3, 9, match(), b"data")
        switch.punt(packet)
        await eventually(lambda: running.record.packets == [("s1", packet)])
        assert running.hub.packet_out("s1", b"frame", (Output(1),))
        await eventually(lambda: switch.packets_out)
        assert not running.hub.packet_out("nobody", b"frame", (Output(1),))


async def test_flows_can_be_dumped() -> None:
    async with one_switch() as (running, _):
        assert {entry.flow for entry in await running.hub.dump_flows("s1")} >= set(PLAN.flows)
        with pytest.raises(NotConnectedError):
            await running.hub.dump_flows("nobody")


async def test_removals_wait_for_the_additions_on_other_switches() -> None:
    async with controller(settings=Settings(removal_grace=30)) as running:
        running.hub.set_expected(hosts("old", "new"))
        running.hub.plan_ready()
        here = fragment("binding", "old", flows=(flow(1),))
        there = fragment("binding", "new", flows=(flow(1, port=2),))
        running.hub.publish(added(1, "old", here))
        async with fake_switch(running.openflow_port, 1) as old, fake_switch(running.openflow_port, 2) as new:
            await running.acknowledged("old", 1)
            await running.acknowledged("new", 0)
            new.hold()
            running.hub.publish(
                PlanChange(
                    2, {"old": SwitchChange({}, {here.id: here}), "new": SwitchChange({there.id: there}, {})}
                )
            )
            await running.acknowledged("old", 1)
            assert old.flows == {flow(1)}

            new.go_on()
            await running.acknowledged("new", 2)
            await running.acknowledged("old", 2)
            assert old.flows == set()


async def test_what_many_switches_get_is_made_once_and_comes_to_each_as_it_can_take_it() -> None:
    names = [f"s{number}" for number in range(1, 6)]
    async with controller() as running, AsyncExitStack() as stack:
        # given five switches: one with another thing under the same key, one busy, one with all of it already
        running.hub.set_expected(hosts(*names))
        running.hub.plan_ready()
        switches = {
            name: await stack.enter_async_context(fake_switch(running.openflow_port, number))
            for number, name in enumerate(names, 1)
        }
        contrary = fragment("contrary", flows=(flow(1, port=9),))
        shared = fragment("shared", flows=(flow(1), flow(2)))
        running.hub.publish(added(1, "s2", contrary))
        running.hub.publish(added(1, "s4", shared))
        for name in names:
            await running.acknowledged(name, 1 if name in ("s2", "s4") else 0)
        switches["s3"].hold()
        running.hub.publish(added(2, "s3", fragment("other", flows=(flow(7),))))

        # when all of them get it in one change
        change = SwitchChange({shared.id: shared}, {})
        running.hub.publish(PlanChange(3, dict.fromkeys(names, change)))
        await running.acknowledged("s1", 3)
        await running.acknowledged("s5", 3)
        await eventually(lambda: running.record.failures)
        switches["s3"].go_on()
        await running.acknowledged("s3", 3)

        # then each holds it, but the one where it contradicts, and that one says so
        assert switches["s1"].flows == switches["s4"].flows == switches["s5"].flows == set(shared.flows)
        assert switches["s3"].flows == {*shared.flows, flow(7)}
        assert switches["s2"].flows == set(contrary.flows)
        assert [(name, failure.fragments) for name, _, failure in running.record.failures] == [
            ("s2", (shared.id,))
        ]

        # and when it is replaced everywhere, only what differs is sent, where it is held
        after = fragment("shared", flows=(flow(1), flow(2, port=5)))
        change = SwitchChange({after.id: after}, {shared.id: shared})
        sent = len(switches["s5"].changes)
        running.hub.publish(PlanChange(4, dict.fromkeys(("s1", "s3", "s4", "s5"), change)))
        for name in ("s1", "s3", "s4", "s5"):
            await running.acknowledged(name, 4)
        assert switches["s1"].flows == switches["s4"].flows == switches["s5"].flows == set(after.flows)
        assert len(switches["s5"].changes) - sent == 1


async def test_a_fragment_refused_by_one_of_many_is_held_out_there_alone() -> None:
    names = ["s1", "s2", "s3"]
    async with controller() as running, AsyncExitStack() as stack:
        running.hub.set_expected(hosts(*names))
        running.hub.plan_ready()
        switches = [
            await stack.enter_async_context(fake_switch(running.openflow_port, number))
            for number in (1, 2, 3)
        ]
        base = fragment("base", flows=(flow(1),))
        running.hub.publish(PlanChange(1, dict.fromkeys(names, SwitchChange({base.id: base}, {}))))
        running.hub.publish(added(2, "s1", fragment("group", groups=(group(7, 1),))))
        running.hub.publish(added(2, "s2", fragment("group", groups=(group(7, 1),))))
        await running.acknowledged("s1", 2)
        await running.acknowledged("s2", 2)
        await running.acknowledged("s3", 1)
        # when what replaces it needs a group that the third does not have
        needy = fragment("base", flows=(flow_to_group(3, 7),))
        change = SwitchChange({needy.id: needy}, {base.id: base})
        running.hub.publish(PlanChange(3, dict.fromkeys(names, change)))
        await running.acknowledged("s1", 3)
        await running.acknowledged("s2", 3)
        await eventually(lambda: running.record.failures)
        # then the others have it, and there what it replaced has come back
        assert [each.flows for each in switches] == [set(needy.flows), set(needy.flows), set(base.flows)]


async def test_an_empty_switch_is_filled_at_once_and_one_that_forwards_bit_by_bit() -> None:
    many = fragment("many", flows=tuple(flow(number) for number in range(100, 130)))
    async with one_switch(Settings(batch_limit=10)) as (running, switch):
        # given what comes while it is at work: ten at a time
        before = running.hub.status().switches["s1"].batches
        running.hub.publish(added(2, "s1", many))
        await running.acknowledged("s1", 2)
        assert running.hub.status().switches["s1"].batches - before == 3
        # when it comes back empty, then everything is one bundle (and meters stay outside)
        switch.disconnect()
        await eventually(lambda: not running.hub.status().switches["s1"].peer)
        switch.tables.flows.clear()
        switch.tables.groups.clear()
        switch.tables.meters.clear()
        before = running.hub.status().switches["s1"].batches
        await switch.connect(running.openflow_port)
        await eventually(lambda: running.record.acknowledgements.count(("s1", 2)) == 2)
        assert running.hub.status().switches["s1"].batches - before == 1
        assert switch.flows == {*PLAN.flows, *many.flows}
