"""The binding state machine, told as the life of one port between hosts."""

from ipaddress import ip_address

import pytest
from tests.engine.ledger import Ledger

from overlace.engine import binder
from overlace.kit.addresses import Mac
from overlace.model.port import Port
from overlace.model.site import Host, TunnelEndpoint


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


def test_the_old_interface_going_away_ends_the_move(ledger: Ledger) -> None:
    binder.plugged(ledger, "p", "h1")
    binder.plugged(ledger, "p", "h2")
    binder.activated(ledger, "p", "h2")
    assert binder.unplugged(ledger, "p", "h1")
    assert ledger.states() == {"h2": ("active", 2)}
    assert [pool for pool, _ in ledger.released] == ["zone:h1"]


def test_a_move_given_up_leaves_no_trace_at_the_destination(ledger: Ledger) -> None:
    binder.plugged(ledger, "p", "h1")
    binder.plugged(ledger, "p", "h2")
    binder.unplugged(ledger, "p", "h2")
    assert ledger.states() == {"h1": ("active", 1)}


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
