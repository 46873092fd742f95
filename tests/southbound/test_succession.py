"""Make before break across switches."""

from collections.abc import Iterable

from tests.southbound.harness import fragment

from overlace.compiler.plan import Fragment, FragmentId, PlanChange, SwitchChange
from overlace.southbound.succession import Succession

A, B = fragment("a"), fragment("b")


class Switches:
    """Records what each switch is told; those in `absent` are not in sync."""

    def __init__(self) -> None:
        self.told: list[tuple[str, set[FragmentId], set[FragmentId], int]] = []
        self.leaving: dict[str, set[FragmentId]] = {}
        self.absent: set[str] = set()
        self.succession = Succession(
            lambda names, change, sequence: self.told.extend(
                (name, set(change.added), set(change.removed), sequence) for name in names
            ),
            self.leaving.__setitem__,
            lambda name: name not in self.absent,
            grace=1.0,
        )

    def publish(self, sequence: int, **changes: tuple[Iterable[Fragment], Iterable[Fragment]]) -> None:
        switches = {
            name: SwitchChange({each.id: each for each in new}, {each.id: each for each in old})
            for name, (new, old) in changes.items()
        }
        self.succession.publish(PlanChange(sequence, switches), now=0.0)


def test_a_removal_waits_until_the_others_have_answered() -> None:
    switches = Switches()
    switches.publish(5, new=([B], []), old=([], [A]))
    assert switches.told == [("new", {B.id}, set(), 5)]
    assert switches.leaving["old"] == {A.id}
    assert switches.succession.done_up_to("old", 5) == 4

    switches.succession.heard("new", 5)
    assert switches.told[1:] == [("old", set(), {A.id}, 5)]
    assert switches.leaving["old"] == set()
    assert switches.succession.done_up_to("old", 5) == 5


def test_nobody_is_waited_for_longer_than_the_grace() -> None:
    switches = Switches()
    switches.publish(5, new=([B], []), old=([], [A]))
    switches.succession.tick(0.9)
    assert len(switches.told) == 1
    switches.succession.tick(1.0)
    assert len(switches.told) == 2


def test_replacements_and_changes_of_one_switch_alone_do_not_wait() -> None:
    switches = Switches()
    switches.publish(5, one=([A], [A]), two=([B], []))
    switches.publish(6, one=([B], [A]))
    assert switches.told == [
        ("one", {A.id}, {A.id}, 5),
        ("two", {B.id}, set(), 5),
        ("one", {B.id}, {A.id}, 6),
    ]


def test_who_is_not_in_sync_neither_waits_nor_is_waited_for() -> None:
    switches = Switches()
    switches.absent = {"away"}
    switches.publish(5, away=([B], []), old=([], [A]))
    switches.publish(6, new=([B], []), away=([], [B]))
    assert [each[0] for each in switches.told] == ["away", "old", "new", "away"]


def test_a_switch_that_is_lost_is_not_waited_for() -> None:
    switches = Switches()
    switches.publish(5, new=([B], []), old=([], [A]))
    switches.succession.heard("new", 10**9)
    assert len(switches.told) == 2


def test_what_comes_back_before_it_was_removed_stays() -> None:
    switches = Switches()
    switches.publish(5, new=([B], []), old=([], [A]))
    switches.publish(6, old=([A], []))
    assert switches.leaving["old"] == set()
    switches.succession.heard("new", 5)
    assert switches.told[-1] == ("old", set(), set(), 6)


def test_additions_and_replacements_of_a_switch_go_ahead_of_its_removals() -> None:
    switches = Switches()
    switches.publish(5, new=([B], []), old=([B], [A]))
    assert ("old", {B.id}, set(), 5) in switches.told
    switches.succession.heard("new", 5)
    switches.succession.heard("old", 5)
    assert switches.told[-1] == ("old", set(), {A.id}, 5)
