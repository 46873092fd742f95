"""Given peers that are turned away, when asked who they are, then those are told that still try."""

from overlace.kit.clock import ManualClock
from overlace.southbound.refusals import LATELY, MOST, Refusals


def test_given_a_peer_that_tries_again_when_asked_then_it_is_one_refusal() -> None:
    refusals = Refusals(ManualClock())
    for source in ("192.0.2.1:1000", "192.0.2.1:1001"):
        refusals.refused("ovsdb", source, "no certificate")
    refusals.refused("ovsdb", "2001:db8::1:1002", "no certificate")
    told = [(each.address, each.times) for each in refusals.lately()]
    assert told == [("192.0.2.1", 2), ("2001:db8::1", 1)]


def test_given_a_peer_that_is_admitted_or_gone_when_asked_then_it_is_not_told() -> None:
    clock = ManualClock()
    refusals = Refusals(clock)
    refusals.refused("ovsdb", "192.0.2.1:1", "no certificate")
    refusals.refused("openflow", "192.0.2.1:2", "no certificate")
    refusals.admitted("ovsdb", "192.0.2.1:3")
    assert [each.port for each in refusals.lately()] == ["openflow"]
    clock.advance(LATELY.total_seconds() + 1)
    assert refusals.lately() == []


def test_given_many_peers_when_remembered_then_the_memory_is_bounded() -> None:
    refusals = Refusals(ManualClock())
    for number in range(2 * MOST):
        refusals.refused("openflow", f"192.0.2.1:{number}", f"reason {number}")
    assert len(refusals.lately()) == MOST
    assert refusals.lately()[-1].reason == f"reason {2 * MOST - 1}"
