"""Admission: who may connect, and as whom."""

import pytest

from overlace.southbound.expected import ExpectedSwitch, ExpectedSwitches, RefusedError, SwitchKind

HOST = ExpectedSwitch(SwitchKind.HOST, "br-int")
TRANSIT = ExpectedSwitch(SwitchKind.TRANSIT, "", 9)


@pytest.fixture
def expected() -> ExpectedSwitches:
    register = ExpectedSwitches()
    register.replace({"h1": HOST, "h2": ExpectedSwitch(SwitchKind.HOST, "br-int", 2), "t1": TRANSIT})
    return register


def test_a_host_is_admitted_by_its_system_id_and_certificate(expected: ExpectedSwitches) -> None:
    assert expected.admit_host("h1", None) == "h1"
    assert expected.admit_host("h1", "host:h1") == "h1"
    expected.check_certificate("t1", "switch:t1")


@pytest.mark.parametrize(
    ("system_id", "common_name", "why"),
    [
        (None, None, "system-id"),
        ("nobody", None, "overlace host add nobody"),
        ("t1", None, "not known"),
        ("h1", "host:h2", "made out to 'host:h2'"),
        ("h1", "", "made out to ''"),
        ("h1", "switch:h1", "not 'host:h1'"),
    ],
)
def test_who_is_not_refused_with_the_reason(
    expected: ExpectedSwitches, system_id: str | None, common_name: str | None, why: str
) -> None:
    with pytest.raises(RefusedError, match=why):
        expected.admit_host(system_id, common_name)


def test_a_host_s_database_tells_its_datapath_id_but_never_another_s(expected: ExpectedSwitches) -> None:
    expected.learn_datapath("h1", 0x1A)
    assert expected.name_of_datapath(0x1A) == "h1"
    expected.learn_datapath("h1", 0x1B)
    assert expected.name_of_datapath(0x1A) is None and expected.datapath_of("h1") == 0x1B
    with pytest.raises(RefusedError, match="that of t1"):
        expected.learn_datapath("h1", 9)
    with pytest.raises(RefusedError, match="expected is"):
        expected.learn_datapath("h2", 3)


def test_what_was_learned_survives_a_new_register_and_goes_with_the_host(expected: ExpectedSwitches) -> None:
    expected.learn_datapath("h1", 0x1A)
    expected.replace({"h1": HOST})
    assert expected.name_of_datapath(0x1A) == "h1"
    expected.replace({"t1": TRANSIT})
    assert expected.name_of_datapath(0x1A) is None


def test_two_switches_cannot_have_one_datapath_id(expected: ExpectedSwitches) -> None:
    with pytest.raises(ValueError, match="both have datapath id"):
        expected.replace({"a": TRANSIT, "b": TRANSIT})


def test_one_switch_comes_changes_and_goes_without_the_others_being_named(expected: ExpectedSwitches) -> None:
    expected.learn_datapath("h1", 0x1A)
    # a new one, and another word about one that leaves its datapath id open: what was learned stays
    expected.update({"h3": ExpectedSwitch(SwitchKind.HOST, "br-int", 3), "h1": HOST})
    assert expected.name_of_datapath(3) == "h3" and expected.datapath_of("h1") == 0x1A
    # two that exchange what they are
    expected.update(
        {
            "h3": ExpectedSwitch(SwitchKind.HOST, "br-int", 2),
            "h2": ExpectedSwitch(SwitchKind.HOST, "br-int", 3),
        }
    )
    assert (expected.datapath_of("h2"), expected.datapath_of("h3")) == (3, 2)
    # a declared one takes what another has only told
    expected.update({"t1": ExpectedSwitch(SwitchKind.TRANSIT, "", 0x1A)})
    assert expected.name_of_datapath(0x1A) == "t1" and expected.datapath_of("h1") is None
    # one that goes
    expected.update({"h3": None})
    assert "h3" not in expected and expected.name_of_datapath(2) is None
    with pytest.raises(ValueError, match="h2 and h4 both have datapath id 0000000000000003"):
        expected.update({"h4": ExpectedSwitch(SwitchKind.HOST, "br-int", 3)})
