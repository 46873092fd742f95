from overlace.compiler.plan import Fragment, PlanChange, SwitchChange
from overlace.engine.realisation import Realisation


def change(sequence: int, *switches: str, port: str = "p") -> PlanChange:
    fragment = Fragment(("port", port))
    changes = {switch: SwitchChange(added={fragment.id: fragment}) for switch in switches}
    return PlanChange(sequence, changes, frozenset({fragment.id}))


def test_a_port_waits_for_every_connected_switch_concerned() -> None:
    realisation = Realisation()
    realisation.connected("h1", True)
    realisation.connected("h2", True)
    realisation.published(change(7, "h1", "h2"))
    assert realisation.waiting_for("p") == ["h1", "h2"]
    realisation.acknowledged("h1", 7)
    assert realisation.waiting_for("p") == ["h2"]
    realisation.acknowledged("h2", 6)
    assert realisation.waiting_for("p") == ["h2"]
    realisation.acknowledged("h2", 8)
    assert realisation.waiting_for("p") == []


def test_an_absent_switch_holds_nothing_up_but_is_listed() -> None:
    realisation = Realisation()
    realisation.connected("h1", True)
    realisation.published(change(1, "h1", "h2"))
    realisation.acknowledged("h1", 1)
    assert realisation.waiting_for("p") == []
    assert realisation.pending("p") == ["h2"]


def test_a_fragment_that_only_reaches_another_switch_does_not_make_its_port_wait() -> None:
    realisation = Realisation()
    realisation.connected("h3", True)
    fragment = Fragment(("port", "p"))
    realisation.published(PlanChange(2, {"h3": SwitchChange(added={fragment.id: fragment})}))
    assert realisation.waiting_for("p") == []


def test_a_refusal_is_told_until_the_switch_acknowledges() -> None:
    realisation = Realisation()
    realisation.connected("h1", True)
    realisation.published(change(1, "h1"))
    realisation.failed("h1", "OFPBAC_BAD_OUT_PORT")
    assert realisation.faults("p") == {"h1": "OFPBAC_BAD_OUT_PORT"}
    realisation.acknowledged("h1", 1)
    assert realisation.faults("p") == {}


def test_a_deleted_port_waits_for_nobody() -> None:
    realisation = Realisation()
    realisation.connected("h1", True)
    realisation.published(change(1, "h1"))
    realisation.forget("p")
    assert realisation.acknowledged("h1", 1) == set()
