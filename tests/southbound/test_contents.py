"""Given a datapath that cannot do something, when the plan comes and changes, then that part stays off the switch."""

import pytest
from tests.southbound.flow_samples import flow
from tests.southbound.harness import fragment

from overlace.compiler.plan import Fragment, FragmentId, SwitchChange
from overlace.compiler.respond import NEIGHBOUR_ANSWERS
from overlace.southbound.abilities import beyond
from overlace.southbound.contents import Contents
from overlace.southbound.shared_change import flows_change
from overlace.wire.openflow.codec import canonical_flow

BASE = fragment("base", flows=(flow(1),))
ANSWERS = fragment(*NEIGHBOUR_ANSWERS, flows=(flow(2),))


def contents(*held: Fragment) -> Contents:
    made = Contents(lambda _: False, canonical_flow)
    made.absorb(SwitchChange({each.id: each for each in held}, {}))
    return made


def held(there: Contents) -> set[FragmentId]:
    return set(there.table.fragments)


def test_only_the_kernels_datapath_goes_without_neighbour_answers() -> None:
    assert beyond("system") == beyond("") == {NEIGHBOUR_ANSWERS}
    assert beyond("netdev") == beyond(None) == frozenset()


def test_what_a_datapath_goes_without_leaves_and_stays_away() -> None:
    there = contents(BASE, ANSWERS)
    there.go_without(beyond("system"))
    assert held(there) == {BASE.id}
    changed = fragment(*NEIGHBOUR_ANSWERS, flows=(flow(3),))
    operations = there.apply(SwitchChange({ANSWERS.id: changed}, {ANSWERS.id: ANSWERS}))
    assert held(there) == {BASE.id}
    assert not operations
    assert there.new_failure() is None
    there.go_without(beyond("netdev"))
    assert there.table.fragments[ANSWERS.id] is changed


@pytest.mark.parametrize("kept", [BASE, ANSWERS])
def test_what_is_the_same_to_many_is_taken_where_nothing_is_kept_off(kept: Fragment) -> None:
    there = contents()
    there.go_without(beyond("system"))
    coming, going = (
        flows_change(each) for each in (SwitchChange({kept.id: kept}, {}), SwitchChange({}, {kept.id: kept}))
    )
    assert coming is not None
    assert going is not None
    # when the switch is away, then it is taken unless it is of what the datapath goes without
    assert there.take_uncounted(coming) == (kept is BASE)
    assert there.take_uncounted(going) == (kept is BASE)
    # and so it is when the switch is here
    there.count()
    assert there.awaits(coming) == (kept is BASE)
    assert not there.take_uncounted(coming)
    assert held(there) == set()


def test_what_the_plan_has_let_go_of_does_not_come_back() -> None:
    there = contents(BASE)
    there.go_without(beyond("system"))
    there.absorb(SwitchChange({ANSWERS.id: ANSWERS}, {}))
    there.absorb(SwitchChange({}, {ANSWERS.id: ANSWERS}))
    there.go_without(frozenset())
    assert held(there) == {BASE.id}
