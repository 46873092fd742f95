"""Numbers go from free to allocated to quarantined to free."""

import pytest
from hypothesis import given, strategies as st

from overlace.store.allocation import Allocations, pool_range
from overlace.store.errors import NumberTaken, PoolExhausted


def test_numbers_are_given_in_order_behind_the_last() -> None:
    first, allocations = Allocations().allocate("vni")
    allocations = allocations.release("vni", first).end_quarantine("vni", first)
    second, _ = allocations.allocate("vni")
    assert (first, second) == (4096, 4097)


def test_low_wire_identifiers_are_only_given_when_asked_for() -> None:
    allocations = Allocations().request("vni", 1)
    assert allocations.allocate("vni")[0] == 4096
    with pytest.raises(NumberTaken, match="outside"):
        allocations.request("vni", 0xFF0000)


def test_every_host_has_its_own_zones() -> None:
    one, allocations = Allocations().allocate("zone:a")
    other, _ = allocations.allocate("zone:b")
    assert (one, other) == (1, 1)


def test_a_name_that_is_no_pool_is_refused() -> None:
    with pytest.raises(KeyError):
        pool_range("nothing")


def test_a_full_pool_says_so_and_wraps_round_when_a_number_is_free_again() -> None:
    allocations = Allocations()
    for _ in range(0xFFFF):
        _, allocations = allocations.allocate("host_key")
    allocations = allocations.release("host_key", 7)
    with pytest.raises(PoolExhausted):
        allocations.allocate("host_key")
    assert allocations.end_quarantine("host_key", 7).allocate("host_key")[0] == 7


def test_quarantine_cannot_end_for_a_number_in_use() -> None:
    number, allocations = Allocations().allocate("port_key")
    assert allocations.end_quarantine("port_key", number) is allocations
    assert allocations.release("port_key", number + 1) is allocations
    assert list(allocations.quarantined()) == []
    assert list(allocations.release("port_key", number).quarantined()) == [("port_key", number)]


@given(st.lists(st.tuples(st.sampled_from(["allocate", "request", "release", "end"]), st.integers(1, 12))))
def test_no_number_is_held_twice(steps: list[tuple[str, int]]) -> None:
    allocations, held = Allocations(), dict[int, bool]()
    for step, number in steps:
        if step == "allocate":
            given_number, allocations = allocations.allocate("host_key")
            assert given_number not in held
            held[given_number] = True
        elif step == "request" and number in held:
            with pytest.raises(NumberTaken):
                allocations.request("host_key", number)
        elif step == "request":
            allocations, held[number] = allocations.request("host_key", number), True
        elif step == "release":
            allocations = allocations.release("host_key", number)
            held |= {number: False} if held.get(number) else {}
        elif held.get(number) is not True:
            allocations = allocations.end_quarantine("host_key", number)
            held.pop(number, None)
        assert {n: s for n in range(1, 400) if (s := allocations.state("host_key", n)) is not None} == held
