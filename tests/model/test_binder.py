"""The binding state machine, told as the life of one port between hosts."""

from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_address

import pytest
from tests.model.ledger import Ledger

from overlace.kit.addresses import Mac
from overlace.model import binder, receipts
from overlace.model.move import Cause, Move, MoveState, Trigger
from overlace.model.port import Port
from overlace.model.site import Host, TunnelEndpoint
from overlace.model.trail import is_old, trails_of

HOSTS_OF_A_JOURNEY = tuple(f"j{number}" for number in range(19))


@pytest.fixture
def ledger() -> Ledger:
    ledger = Ledger()
    for number, name in enumerate(("h1", "h2", "h3"), start=1):
        ledger.put(
            Host(
                id=name, site_id="a", endpoints=(TunnelEndpoint(ip_address(f"10.0.0.{number}")),), key=number
            )
        )
    ledger.put(
        Port(id="p", project_id="red", network_id="n", name="", mac_address=Mac(2), device_id="", key=1)
    )
    return ledger


def test_the_first_plug_binds_the_port(ledger: Ledger) -> None:
    assert binder.plugged(ledger, "p", "h1")
    assert ledger.states() == {"h1": ("active", 1)}


def test_a_second_host_is_only_prepared(ledger: Ledger) -> None:
    binder.plugged(ledger, "p", "h1")
    binder.plugged(ledger, "p", "h2")
    assert ledger.states() == {"h1": ("active", 1), "h2": ("prepared", 2)}


def test_the_first_frame_moves_the_port_and_stragglers_do_not_move_it_back(ledger: Ledger) -> None:
    binder.plugged(ledger, "p", "h1")
    binder.plugged(ledger, "p", "h2")
    assert binder.activated(ledger, "p", "h2")
    assert ledger.states() == {"h1": ("releasing", 1), "h2": ("active", 2)}
    assert not binder.activated(ledger, "p", "h1")
    assert not binder.activated(ledger, "p", "h2")
    assert ledger.states() == {"h1": ("releasing", 1), "h2": ("active", 2)}


def test_the_profile_that_a_binding_was_given_is_the_ports_once_its_first_frame_is_seen(
    ledger: Ledger,
) -> None:
    binder.plugged(ledger, "p", "h1")
    binder.plugged(ledger, "p", "h2")
    (prepared,) = (each for each in binder.bindings_of(ledger, "p") if each.host_id == "h2")
    ledger.put(replace(prepared, profile='{"rack":2}'))
    binder.activated(ledger, "p", "h2")
    port, before = ledger.get(Port, "p"), binder.binding_at(ledger, "p", "h1")
    assert port is not None and before is not None
    assert (port.profile, before.profile) == ('{"rack":2}', "")


def test_the_old_interface_going_away_ends_the_move(ledger: Ledger) -> None:
    binder.plugged(ledger, "p", "h1")
    binder.plugged(ledger, "p", "h2")
    binder.activated(ledger, "p", "h2")
    assert binder.unplugged(ledger, "p", "h1")
    assert ledger.states() == {"h2": ("active", 2)}


def test_the_zone_of_a_host_that_the_port_has_left_is_kept_for_questions_about_its_connections(
    ledger: Ledger,
) -> None:
    binder.plugged(ledger, "p", "h1")
    zone = ledger.binding("h1").zone
    binder.plugged(ledger, "p", "h2")
    binder.activated(ledger, "p", "h2")
    binder.unplugged(ledger, "p", "h1")
    assert [(each.host_id, each.zone) for each in trails_of(ledger, "p")] == [("h1", zone)]
    assert ledger.released == []
    # and a port that comes back gets another: what the old one knows of connections that went on is wrong by then
    ledger.wait(1)
    binder.plugged(ledger, "p", "h1")
    binder.activated(ledger, "p", "h1")
    assert ledger.binding("h1").zone != zone
    assert [each.host_id for each in trails_of(ledger, "p")] == ["h2", "h1"]


def test_trails_end_a_day_after_the_day_on_which_they_began(ledger: Ledger) -> None:
    binder.plugged(ledger, "p", "h1")
    binder.plugged(ledger, "p", "h2")
    binder.activated(ledger, "p", "h2")
    (trail,) = trails_of(ledger, "p")
    began = trail.since.date().isoformat()
    binder.unplugged(ledger, "p", "h1")
    assert not is_old(began, trail.since + timedelta(days=1))
    assert is_old(began, trail.since + timedelta(days=2))
    assert binder.forgotten(ledger, [began])
    assert trails_of(ledger, "p") == []
    assert [pool for pool, _ in ledger.released] == ["zone:h1"]
    assert not binder.forgotten(ledger, [began])


def test_only_the_newest_trails_are_kept(ledger: Ledger) -> None:
    for key, host in enumerate(HOSTS_OF_A_JOURNEY, start=11):
        ledger.put(Host(id=host, site_id="a", key=key))
        binder.plugged(ledger, "p", host)
        binder.activated(ledger, "p", host)
        for old in list(ledger.states()):
            if old != host:
                binder.unplugged(ledger, "p", old)
        ledger.wait(60)
    assert [each.host_id for each in trails_of(ledger, "p")] == [f"j{number}" for number in range(17, 1, -1)]
    assert [pool for pool, _ in ledger.released] == ["zone:j0", "zone:j1"]


def test_a_move_given_up_leaves_no_trace_at_the_destination(ledger: Ledger) -> None:
    binder.plugged(ledger, "p", "h1")
    binder.plugged(ledger, "p", "h2")
    binder.unplugged(ledger, "p", "h2")
    assert ledger.states() == {"h1": ("active", 3)}, "what peers learned of the move matches nothing now"
    assert ledger.receipt(2).state is MoveState.ABORTED


def test_the_source_interface_vanishing_first_does_not_end_the_active_binding(ledger: Ledger) -> None:
    binder.plugged(ledger, "p", "h1")
    binder.plugged(ledger, "p", "h2")
    assert not binder.unplugged(ledger, "p", "h1")
    binder.activated(ledger, "p", "h2")
    assert ledger.states() == {"h1": ("releasing", 1), "h2": ("active", 2)}


def test_a_round_trip_raises_the_generation_each_time(ledger: Ledger) -> None:
    binder.plugged(ledger, "p", "h1")
    for there, back in (("h2", "h1"), ("h1", "h2")):
        binder.plugged(ledger, "p", there)
        binder.activated(ledger, "p", there)
        binder.unplugged(ledger, "p", back)
    assert ledger.states() == {"h1": ("active", 3)}


def test_a_host_reserved_for_others_binds_nothing(ledger: Ledger) -> None:
    ledger.put(Host(id="h9", site_id="a", projects=("blue",), key=9))
    assert not binder.plugged(ledger, "p", "h9")
    assert ledger.states() == {}


def test_unknown_ports_and_hosts_are_nothing_to_bind(ledger: Ledger) -> None:
    assert not binder.plugged(ledger, "nobody", "h1")
    assert not binder.plugged(ledger, "p", "nowhere")
    assert not binder.unplugged(ledger, "p", "h1")


def test_every_step_of_a_move_is_on_its_receipt(ledger: Ledger) -> None:
    binder.plugged(ledger, "p", "h1")
    binder.plugged(ledger, "p", "h2")
    receipt = ledger.receipt(2)
    assert (receipt.from_host, receipt.to_host, receipt.state) == ("h1", "h2", MoveState.PREPARED)
    assert (receipt.prepared_by, receipt.prepared_at) == (Trigger.INTERFACE, ledger.now)
    ledger.wait(2)
    binder.activated(ledger, "p", "h2")
    receipt = ledger.receipt(2)
    assert (receipt.state, receipt.activated_by) == (MoveState.ACTIVATED, Trigger.FIRST_FRAME)
    assert receipt.activated_at == ledger.now and receipt.ended_at is None
    ledger.wait(3)
    binder.unplugged(ledger, "p", "h1")
    assert (ledger.receipt(2).state, ledger.receipt(2).ended_at) == (MoveState.DONE, ledger.now)


def test_who_asked_for_a_move_is_on_its_receipt(ledger: Ledger) -> None:
    asked = Cause(Trigger.API, "alice")
    binder.activate(ledger, binder.prepare(ledger, "p", "h1", asked), asked)
    binder.activate(ledger, binder.prepare(ledger, "p", "h2", asked), asked)
    receipt = ledger.receipt(2)
    assert (receipt.prepared_by, receipt.activated_by, receipt.actor) == (Trigger.API, Trigger.API, "alice")


def test_only_the_newest_receipts_of_a_port_are_kept(ledger: Ledger) -> None:
    asked = Cause(Trigger.API)
    for each in range(2 * receipts.KEPT):
        binder.activate(ledger, binder.prepare(ledger, "p", f"h{1 + each % 2}", asked), asked)
    kept = sorted(move.generation for move in ledger.members(Move, "port", "p"))
    assert kept == list(range(receipts.KEPT + 1, 2 * receipts.KEPT + 1))


def test_a_release_ends_after_a_while_though_the_interface_stays(ledger: Ledger) -> None:
    binder.plugged(ledger, "p", "h1")
    binder.plugged(ledger, "p", "h2")
    binder.activated(ledger, "p", "h2")
    assert not binder.expired(ledger)
    ledger.wait(61)
    assert binder.expired(ledger)
    assert ledger.states() == {"h1": ("fenced", 1), "h2": ("active", 2)}
    assert ledger.receipt(2).state is MoveState.DONE
    assert not binder.plugged(ledger, "p", "h1"), "the old workload may still run: it stays out"
    binder.unplugged(ledger, "p", "h1")
    assert binder.plugged(ledger, "p", "h1")
    assert ledger.states() == {"h1": ("prepared", 3), "h2": ("active", 2)}


def test_a_copy_of_the_workload_cannot_steal_the_port_back_and_forth(ledger: Ledger) -> None:
    binder.plugged(ledger, "p", "h1")
    for each in range(binder.FLIPS + 1):
        here, there = ("h1", "h2") if each % 2 == 0 else ("h2", "h1")
        binder.plugged(ledger, "p", there)
        binder.activated(ledger, "p", there)
        if ledger.states()[there][0] == "active":
            binder.unplugged(ledger, "p", here)
    assert ledger.states()["h1"][0] == "fenced"
    assert ledger.states()["h2"][0] == "active"
    assert "two hosts" in ledger.binding("h1").reason
    ledger.wait(31)
    binder.unplugged(ledger, "p", "h1")
    binder.plugged(ledger, "p", "h1")
    binder.activated(ledger, "p", "h1")
    assert ledger.states()["h1"][0] == "active", "a real move later is nobody's copy"


def test_a_port_asked_for_by_name_stays_bound_without_its_interface(ledger: Ledger) -> None:
    port = ledger.get(Port, "p")
    ledger.put(replace(port, host_id="h1"))
    asked = Cause(Trigger.API)
    binder.activate(ledger, binder.prepare(ledger, "p", "h1", asked), asked)
    binder.prepare(ledger, "p", "h2", asked)
    assert not binder.unplugged(ledger, "p", "h1")
    assert not binder.unplugged(ledger, "p", "h2"), "its interface is still to come"


def test_steps_that_may_not_be_taken_are_refused_with_the_cause(ledger: Ledger) -> None:
    asked = Cause(Trigger.API)
    ledger.put(Host(id="h9", site_id="a", projects=("blue",), key=9))
    with pytest.raises(binder.UnknownHost):
        binder.prepare(ledger, "p", "nowhere", asked)
    with pytest.raises(binder.HostReserved, match="reserved for other projects than red"):
        binder.prepare(ledger, "p", "h9", asked)
    active = binder.activate(ledger, binder.prepare(ledger, "p", "h1", asked), asked)
    with pytest.raises(binder.NotPrepared, match="is active on host h1"):
        binder.activate(ledger, active, asked)
    assert ledger.states() == {"h1": ("active", 1)}


def test_a_copy_of_the_workload_gets_no_binding_where_the_port_was_asked_for_elsewhere(
    ledger: Ledger,
) -> None:
    binder.plugged(ledger, "p", "h1")
    port = ledger.get(Port, "p")
    assert port is not None
    ledger.put(replace(port, host_id="h1"))
    assert not binder.plugged(ledger, "p", "h2")
    assert not binder.activated(ledger, "p", "h2")
    assert ledger.states() == {"h1": ("active", 1)}


def test_a_move_that_was_asked_for_by_name_is_no_copy(ledger: Ledger) -> None:
    binder.plugged(ledger, "p", "h1")
    port = ledger.get(Port, "p")
    assert port is not None
    ledger.put(replace(port, host_id="h1"))
    binder.prepare(ledger, "p", "h2", Cause(Trigger.API, "nova"))
    assert not binder.plugged(ledger, "p", "h2")
    assert binder.activated(ledger, "p", "h2")
    assert ledger.states() == {"h1": ("releasing", 1), "h2": ("active", 2)}
