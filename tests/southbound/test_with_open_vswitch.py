"""The southbound against a real ovs-vswitchd and ovsdb-server that connect to it over loopback."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from tests.datapath.private_switch import BRIDGE, PrivateSwitch, private_switch
from tests.southbound.flow_samples import flow, flow_to_group, flow_to_meter, group, meter
from tests.southbound.harness import LOOPBACK, Controller, added, controller, eventually, fragment

from overlace.compiler.plan import Fragment, TunnelPort
from overlace.datapath.actions import Resubmit, SendToController
from overlace.datapath.flow import Flow
from overlace.datapath.match import match
from overlace.southbound.expected import ExpectedSwitch, SwitchKind
from overlace.southbound.marker import Stamp
from overlace.southbound.server import Listen
from overlace.southbound.settings import Settings
from overlace.southbound.status import Phase

pytestmark = pytest.mark.switch

HOST = "host-1"
EXPECTED = {HOST: ExpectedSwitch(SwitchKind.HOST, BRIDGE)}
VXLAN = TunnelPort("vx0", "vxlan", 65000, (("key", "flow"), ("remote_ip", "flow")))
PLAN = fragment(
    "network",
    "blue",
    flows=(*(flow(n) for n in range(1, 41)), flow_to_group(50, 7), flow_to_meter(60, 3)),
    groups=(group(7, 1, 2),),
    meters=(meter(3),),
    tunnel_ports=(VXLAN,),
)


@pytest.fixture
def switch() -> Iterator[PrivateSwitch]:
    with private_switch() as running:
        running.vsctl("set", "Open_vSwitch", ".", f"external_ids:system-id={HOST}")
        managers = "db:Open_vSwitch,Open_vSwitch,manager_options"
        running.command("ovs-appctl", "-t", "ovsdb-server", "ovsdb-server/add-remote", managers)
        yield running
        kill_vswitchd(running)  # it takes seconds to leave by itself


def kill_vswitchd(switch: PrivateSwitch) -> None:
    """End ovs-vswitchd without warning."""
    pid_file = switch.directory / "ovs-vswitchd.pid"
    os.kill(int(pid_file.read_text()), signal.SIGKILL)
    pid_file.unlink()


async def join(switch: PrivateSwitch, hub: Controller) -> None:
    """Let the switch connect to the controller with both protocols."""
    await asyncio.to_thread(
        switch.vsctl,
        *("set-manager", f"tcp:{LOOPBACK}:{hub.hub.ovsdb_port}"),
        *("--", "set-controller", BRIDGE, f"tcp:{LOOPBACK}:{hub.hub.openflow_port}"),
        *("--", "set", "Controller", BRIDGE, "max_backoff=1000"),
    )


def dumped(switch: PrivateSwitch) -> list[str]:
    """The flows as ovs-ofctl shows them, the marker left out."""
    lines = switch.ofctl("--no-stats", "dump-flows", BRIDGE).splitlines()
    return sorted(line.strip() for line in lines if "actions=" in line and "note:" not in line)


@asynccontextmanager
async def joined(switch: PrivateSwitch) -> AsyncIterator[Controller]:
    """A controller with the switch in sync with PLAN."""
    async with controller(with_databases=True) as running:
        running.hub.set_expected(EXPECTED)
        running.hub.publish(added(1, HOST, PLAN))
        running.hub.plan_ready()
        await join(switch, running)
        await running.acknowledged(HOST, 1)
        yield running


@asynccontextmanager
async def joined_again(
    first: Controller, *, stamp: Stamp | None = None, settings: Settings | None = None, plan: Fragment = PLAN
) -> AsyncIterator[Controller]:
    """The controller after a restart: another object on the same ports, when the first one has stopped."""
    ports = (Listen(LOOPBACK, first.openflow_port), Listen(LOOPBACK, first.ovsdb_port))
    async with controller(
        with_databases=True, stamp=stamp, settings=settings, generation=2, openflow=ports[0], ovsdb=ports[1]
    ) as again:
        again.hub.set_expected(EXPECTED)
        again.hub.publish(added(1, HOST, plan))
        again.hub.plan_ready()
        yield again


async def test_a_joining_host_gets_the_plan_and_acknowledges_it(switch: PrivateSwitch) -> None:
    async with joined(switch) as running:
        assert len(dumped(switch)) == len(PLAN.flows)
        assert "group_id=7" in switch.ofctl("dump-groups", BRIDGE)
        assert "meter=3" in switch.ofctl("dump-meters", BRIDGE)
        assert switch.vsctl("get", "Interface", "vx0", "ofport").strip() == "65000"
        assert running.record.hosts[-1].connected_ovsdb and running.record.hosts[-1].connected_openflow
        assert running.record.interfaces[HOST, "vx0"].ofport == 65000
        assert not running.record.failures


async def test_three_tampered_flows_are_exactly_three_repairs(switch: PrivateSwitch) -> None:
    async with joined(switch) as running:
        good = dumped(switch)
        switch.ofctl("--strict", "del-flows", BRIDGE, "table=10,priority=100,dl_dst=00:00:00:00:00:01")
        switch.ofctl(
            "--strict", "mod-flows", BRIDGE, "table=10,priority=100,dl_dst=00:00:00:00:00:02,actions=drop"
        )
        switch.ofctl("add-flow", BRIDGE, "table=99,priority=7,cookie=0xbad,actions=normal")

        found = await running.hub.audit_now(HOST)

        assert (found.added, found.changed, found.removed) == (1, 1, 1)
        assert 0xBAD in found.cookies
        assert dumped(switch) == good
        assert (await running.hub.audit_now(HOST)).repaired == 0


async def test_a_switch_that_is_read_in_pieces_shows_what_is_foreign_and_not_its_own_hidden_flows(
    switch: PrivateSwitch,
) -> None:
    async with joined(switch) as first:
        good = dumped(switch)
    in_pieces = Settings(piece_size=2)
    # Open vSwitch has a table 254 with flows that nobody may remove, and tells them when asked for that table
    async with joined_again(first, settings=in_pieces) as again:
        await again.acknowledged(HOST, 1)
        status = again.hub.status().switches[HOST]
        assert status.hold is None and status.flows_sent == 0
        assert (await again.hub.audit_now(HOST)).repaired == 0
        # a foreign flow in a table of ours, and one in a table that is nobody's
        switch.ofctl("add-flow", BRIDGE, "table=10,priority=7,cookie=0xbad,actions=normal")
        switch.ofctl("add-flow", BRIDGE, "table=99,priority=7,cookie=0xbad,actions=normal")
        assert (await again.hub.audit_now(HOST)).removed == 2
        assert dumped(switch) == good


async def test_an_audit_notices_that_somebody_has_fragments_matched_otherwise(switch: PrivateSwitch) -> None:
    async with joined(switch) as running:
        assert switch.ofctl("get-frags", BRIDGE).strip() == "nx-match"
        switch.ofctl("set-frags", BRIDGE, "normal")

        found = await running.hub.audit_now(HOST)

        assert (found.added, found.changed, found.removed) == (0, 1, 0)
        assert found.flows == ("changed: how fragments are matched (set-frags)",)
        assert (await running.hub.audit_now(HOST)).repaired == 0
        assert switch.ofctl("get-frags", BRIDGE).strip() == "nx-match"


async def test_a_restarted_controller_that_finds_all_in_place_writes_nothing(switch: PrivateSwitch) -> None:
    async with joined(switch) as first:
        good = switch.ofctl("--no-stats", "dump-flows", BRIDGE)
    async with joined_again(first) as again:
        await again.acknowledged(HOST, 1)

        status = again.hub.status().switches[HOST]
        assert status.last_resync is not None and status.last_resync.repaired == 0
        assert status.flows_sent == 0
        assert switch.ofctl("--no-stats", "dump-flows", BRIDGE) == good


async def test_what_was_tampered_with_while_no_controller_ran_is_all_that_is_repaired(
    switch: PrivateSwitch,
) -> None:
    async with joined(switch) as first:
        good = dumped(switch)
    switch.ofctl("--strict", "del-flows", BRIDGE, "table=10,priority=100,dl_dst=00:00:00:00:00:01")
    switch.ofctl(
        "--strict", "mod-flows", BRIDGE, "table=10,priority=100,dl_dst=00:00:00:00:00:02,actions=drop"
    )
    switch.ofctl("add-flow", BRIDGE, "table=99,priority=7,cookie=0xbad,actions=normal")
    async with joined_again(first) as again:
        await again.acknowledged(HOST, 1)

        found = again.hub.status().switches[HOST].last_resync
        assert found is not None and (found.added, found.changed, found.removed) == (1, 1, 1)
        assert dumped(switch) == good


async def test_a_restarted_vswitchd_is_filled_again(switch: PrivateSwitch) -> None:
    async with joined(switch) as running:
        good = dumped(switch)
        await restart_vswitchd(switch)
        await eventually(lambda: running.record.acknowledgements.count((HOST, 1)) == 2)

        assert dumped(switch) == good
        assert switch.vsctl("get", "Interface", "vx0", "ofport").strip() == "65000"


async def restart_vswitchd(switch: PrivateSwitch) -> None:
    """Kill ovs-vswitchd without warning and start it again."""
    kill_vswitchd(switch)
    await asyncio.to_thread(
        switch.command,
        *("ovs-vswitchd", f"unix:{switch.directory}/db.sock", "--enable-dummy", "--disable-system"),
        *("--disable-system-route", "--pidfile", "--detach", "--no-chdir", "--log-file", "-vconsole:off"),
    )


async def test_changes_are_sent_as_they_come_and_shared_flows_stay_until_the_last_holder_goes(
    switch: PrivateSwitch,
) -> None:
    async with joined(switch) as running:
        one = fragment("port", "1", flows=(flow(100), flow(101)))
        two = fragment("port", "2", flows=(flow(101), flow(102)))
        running.hub.publish(added(2, HOST, one, two))
        await running.acknowledged(HOST, 2)
        assert len(dumped(switch)) == len(PLAN.flows) + 3

        running.hub.publish(added(3, HOST, removed=(two,)))
        await running.acknowledged(HOST, 3)
        assert len(dumped(switch)) == len(PLAN.flows) + 2


async def test_groups_and_meters_are_replaced_and_removed_in_a_safe_order(switch: PrivateSwitch) -> None:
    async with joined(switch) as running:
        other = fragment(
            "network",
            "blue",
            flows=(flow_to_group(50, 8), flow_to_meter(61, 4)),
            groups=(group(8, 3),),
            meters=(meter(4),),
        )
        running.hub.publish(added(2, HOST, other, removed=(PLAN,)))
        await running.acknowledged(HOST, 2)

        assert "group_id=8" in switch.ofctl("dump-groups", BRIDGE)
        assert "group_id=7" not in switch.ofctl("dump-groups", BRIDGE)
        assert "meter=4" in switch.ofctl("dump-meters", BRIDGE)
        assert "meter=3 " not in switch.ofctl("dump-meters", BRIDGE)
        assert len(dumped(switch)) == 2
        await eventually(lambda: (HOST, "vx0") not in running.record.interfaces)


async def test_a_fragment_that_the_switch_refuses_is_named_and_keeps_nobody_else_out(
    switch: PrivateSwitch,
) -> None:
    async with joined(switch) as running:
        bad = fragment("port", "bad", flows=(flow(200), flow_to_group(201, 99)))
        good = fragment("port", "good", flows=(flow(300),))
        running.hub.publish(added(2, HOST, bad, good))
        await eventually(lambda: running.record.failures)

        switch_name, sequence, failure = running.record.failures[0]
        assert (switch_name, sequence, failure.fragments) == (HOST, 2, (bad.id,))
        assert "group:99" in failure.reason
        assert len(dumped(switch)) == len(PLAN.flows) + 1

        running.hub.publish(added(3, HOST, fragment("port", "bad", flows=(flow(200),)), removed=(bad,)))
        await running.acknowledged(HOST, 3)
        assert len(dumped(switch)) == len(PLAN.flows) + 2
        assert not running.hub.status().switches[HOST].held_out


async def test_a_store_that_is_older_than_its_switch_only_observes_until_told_to_adopt(
    switch: PrivateSwitch,
) -> None:
    smaller = fragment("network", "blue", flows=(flow(1),))
    async with joined(switch) as first:
        good = dumped(switch)
    async with joined_again(first, stamp=Stamp("test-cluster", 1, 0), plan=smaller) as again:
        await eventually(lambda: again.record.holds)
        assert "adopt" in again.record.holds[0][1]
        assert dumped(switch) == good

        again.hub.adopt(HOST)
        await again.acknowledged(HOST, 1)
        assert len(dumped(switch)) == 1


async def test_a_plan_that_would_remove_most_of_a_switch_stops_and_asks(switch: PrivateSwitch) -> None:
    many = fragment("network", "red", flows=tuple(flow(n) for n in range(1000, 1300)))
    async with joined(switch) as first:
        first.hub.publish(added(2, HOST, many))
        await first.acknowledged(HOST, 2)
    async with joined_again(first) as again:
        await eventually(lambda: again.record.holds)
        assert "would remove 300 of" in again.record.holds[0][1]
        assert again.hub.status().switches[HOST].phase is Phase.HELD

        again.hub.allow_removal(HOST)
        await again.acknowledged(HOST, 1)
        assert len(dumped(switch)) == len(PLAN.flows)


async def test_in_observe_mode_the_difference_is_shown_and_nothing_is_written(switch: PrivateSwitch) -> None:
    async with joined(switch) as running:
        running.hub.set_observe(HOST, True)
        await eventually(lambda: running.record.holds)
        before = dumped(switch)
        running.hub.publish(added(2, HOST, fragment("port", "1", flows=(flow(100),))))
        running.hub.resynchronise(HOST)
        await eventually(lambda: len(running.record.holds) == 2)
        found = running.hub.status().switches[HOST].last_resync
        assert found is not None and found.added == 1
        assert dumped(switch) == before

        running.hub.set_observe(HOST, False)
        await running.acknowledged(HOST, 2)
        assert len(dumped(switch)) == len(before) + 1


async def test_when_a_newer_controller_takes_over_the_old_one_falls_silent(switch: PrivateSwitch) -> None:
    async with joined(switch) as old, controller(with_databases=True, generation=2) as new:
        new.hub.set_expected(EXPECTED)
        new.hub.publish(added(1, HOST, PLAN))
        new.hub.plan_ready()
        targets = [f"tcp:{LOOPBACK}:{each.hub.openflow_port}" for each in (old, new)]
        managers = [f"tcp:{LOOPBACK}:{each.hub.ovsdb_port}" for each in (old, new)]
        await asyncio.to_thread(
            switch.vsctl, "set-manager", *managers, "--", "set-controller", BRIDGE, *targets
        )
        await new.acknowledged(HOST, 1)

        await eventually(lambda: old.hub.status().switches[HOST].phase is Phase.PASSIVE)
        assert old.record.connections[-1] == (HOST, False)
        old.hub.publish(added(2, HOST, fragment("port", "1", flows=(flow(100),))))
        await asyncio.sleep(0.2)
        assert len(dumped(switch)) == len(PLAN.flows)


async def test_packets_out_and_in(switch: PrivateSwitch) -> None:
    async with joined(switch) as running:
        to_controller = Flow(0, 1, match(), (SendToController(b"why"),), 77)
        running.hub.publish(added(2, HOST, fragment("punt", flows=(to_controller,))))
        await running.acknowledged(HOST, 2)
        frame = bytes.fromhex("0200000000020200000000010800") + bytes(46)

        assert running.hub.packet_out(HOST, frame, (Resubmit(0),))

        await eventually(lambda: running.record.packets)
        name, packet = running.record.packets[0]
        assert (name, packet.frame, packet.userdata, packet.cookie) == (HOST, frame, b"why", 77)


async def test_tunnel_ports_of_others_are_left_alone(switch: PrivateSwitch) -> None:
    switch.vsctl(
        "add-port", BRIDGE, "own", "--", "set", "Interface", "own", "type=vxlan", "options:remote_ip=9.9.9.9"
    )
    async with joined(switch) as running:
        taken = fragment("host", "x", tunnel_ports=(TunnelPort("own", "vxlan", 70),))
        running.hub.publish(added(2, HOST, taken))
        await eventually(lambda: running.record.failures)

        assert "did not make" in running.record.failures[0][2].reason
        assert "9.9.9.9" in switch.vsctl("get", "Interface", "own", "options")


async def test_the_stamp_reaches_the_bridge_row(switch: PrivateSwitch) -> None:
    async with joined(switch):
        await eventually(lambda: "test-cluster" in switch.vsctl("get", "Bridge", BRIDGE, "external_ids"))
