"""Given switches that follow a plan, each in its own time, then they hold what it says, and hold it in common."""

from collections.abc import Callable

from hypothesis import given, strategies as st
from tests.southbound.harness import fragment

from overlace.compiler.placement import PlanBuilder
from overlace.compiler.plan import SwitchChange, SwitchName
from overlace.compiler.unit import Memberships, Output
from overlace.southbound.desired import DesiredTable
from overlace.wire.openflow.codec import canonical_flow

AUDIENCES = (("network", "red"), ("network", "blue"))
SWITCHES = ("h1", "h2", "h3")

audiences = st.sampled_from(AUDIENCES)


@st.composite
def outputs(draw: st.DrawFn, name: str) -> Output:
    """A fragment or two for one audience each, and switches that join."""
    made = tuple(fragment(name, str(number)).to(draw(audiences)) for number in range(draw(st.integers(0, 2))))
    joins = draw(st.sets(st.tuples(st.sampled_from(SWITCHES), audiences), max_size=3))
    return Output(made, Memberships(tuple(sorted(joins))))


class Follower:
    """A switch's table, and what it has been told and not done yet."""

    def __init__(self, name: SwitchName) -> None:
        self.name = name
        self.table = DesiredTable(lambda _: False, canonical_flow)
        self.waiting = SwitchChange()

    def told(self, change: SwitchChange | None) -> None:
        if change is not None:
            self.waiting.follow(change)

    def catch_up(self) -> None:
        self.table.absorb(self.waiting)
        self.waiting = SwitchChange()


@given(st.data())
def test_what_is_held_is_the_plans_own_however_changes_were_merged(data: st.DataObject) -> None:
    builder, followers = PlanBuilder(), [Follower(name) for name in SWITCHES]
    present: dict[str, Output] = {}
    for _ in range(data.draw(st.integers(1, 8))):
        # when units come to something else, and some switches are too busy to do it now
        name = data.draw(st.sampled_from("abc"))
        before, present[name] = present.get(name, Output()), data.draw(outputs(name))
        change = builder.apply([(before, present[name])])
        for follower in followers:
            follower.told(change.switches.get(follower.name))
            if data.draw(st.booleans()):
                follower.catch_up()
    # then each holds what the plan says once it has caught up, and the very objects that the plan has
    for follower in followers:
        follower.catch_up()
        planned = builder.held_by(follower.name)
        assert dict(follower.table.fragments.items()) == planned
        for audience in AUDIENCES:
            held = follower.table.fragments.share(audience)
            assert not held or held is builder.share(audience)


def test_who_holds_something_else_for_a_while_comes_back_to_what_all_hold() -> None:
    red = AUDIENCES[0]
    builder = PlanBuilder()
    joining = Output((), Memberships((("h1", red), ("h2", red))))
    one, two, three = (Output((fragment(name).to(red),)) for name in ("one", "two", "three"))
    steps = [builder.apply([(Output(), each)]) for each in (joining, one, two)]
    followers = [Follower("h1"), Follower("h2")]

    def tell(change: SwitchChange, does: Callable[[SwitchChange], None]) -> None:
        copy = change.copy()
        does(copy)
        followers[0].told(change)
        followers[1].told(copy)
        for each in followers:
            each.catch_up()

    def shares() -> list[object]:
        return [each.table.fragments.share(red) for each in followers]

    # given two switches of which one cannot take a fragment
    def refuse(told: SwitchChange) -> None:
        told.not_add(one.fragments[0].id)

    for step in steps[1:]:
        (change,) = {id(each): each for each in step.switches.values()}.values()
        tell(change, refuse)
    first, second = shares()
    assert first is builder.share(red)
    assert second is not first
    # when that fragment goes
    (change,) = {id(e): e for e in builder.apply([(one, Output())]).switches.values()}.values()
    tell(change, lambda _: None)
    # then both hold the same object again, and go on so
    assert shares()[0] is shares()[1] is builder.share(red)
    (change,) = {id(e): e for e in builder.apply([(Output(), three)]).switches.values()}.values()
    tell(change, lambda _: None)
    assert shares()[0] is shares()[1] is builder.share(red)


def test_a_fragment_that_is_put_off_and_comes_back_for_others_is_not_left_behind() -> None:
    red, blue = AUDIENCES
    table = DesiredTable(lambda _: False, canonical_flow)
    old, new = fragment("one").to(red), fragment("one").to(blue)
    table.absorb(SwitchChange({old.id: old}))
    table.absorb(SwitchChange({new.id: new}, {old.id: old}))
    assert list(table.fragments.all()) == [new]
