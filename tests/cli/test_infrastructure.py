"""Given a controller with users, when operators work with sites, hosts and users, then commands say what is so."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result
from tests.cli.controller import PASSWORD, Controller, bootstrap, serving

from overlace.cli.main import main

Environment = dict[str, str]


@pytest.fixture(scope="module")
def controller(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Controller]:
    directory = tmp_path_factory.mktemp("controller")
    bootstrap(directory / "overlace.db")
    with serving(directory, "--auth", "identity") as controller:
        yield controller


def access(controller: Controller, user: str, password: str, project: str) -> Environment:
    who = {"OS_USERNAME": user, "OS_PASSWORD": password, "OS_PROJECT_NAME": project}
    return {"OVERLACE_API_URL": controller.url, **who}


@pytest.fixture
def admin(controller: Controller) -> Environment:
    return access(controller, "admin", PASSWORD, "admin")


def overlace(environment: Environment, line: str, typed: str | None = None) -> Result:
    return CliRunner().invoke(main, line.split(), env=environment, input=typed)


def told(environment: Environment, line: str, typed: str | None = None) -> str:
    result = overlace(environment, line, typed)
    assert result.exit_code == 0, result.output
    return result.output


def as_json(environment: Environment, line: str, typed: str | None = None) -> Any:
    return json.loads(told(environment, f"{line} --json", typed))


def refused(environment: Environment, line: str, status: int) -> str:
    result = overlace(environment, line)
    assert result.exit_code == status, result.output
    return result.output


def test_given_a_site_when_hosts_come_and_go_then_what_is_in_use_stays(admin: Environment) -> None:
    assert "there is no site yet" in told(admin, "site list")
    assert as_json(admin, "site add tokyo --mtu 9000")["mtu"] == 9000
    assert as_json(admin, "site set tokyo --description east")["description"] == "east"
    added = as_json(admin, "host add h1 --site tokyo --endpoint 192.0.2.1 --endpoint 2001:db8::1")
    assert [each["address"] for each in added["endpoints"]] == ["192.0.2.1", "2001:db8::1"]
    assert "a host h1 already" in refused(admin, "host add h1 --site tokyo", 6)
    assert "could not be found" in refused(admin, "host add h2 --site osaka", 5)
    assert "say where it stands: --site" in refused(admin, "host add h2", 2)
    assert "--check wants --controller" in refused(admin, "host add h2 --check", 2)
    assert "still has hosts" in refused(admin, "site remove tokyo", 6)
    changed = as_json(admin, "host set h1 --endpoint 192.0.2.9")
    assert [each["address"] for each in changed["endpoints"]] == ["192.0.2.9"]
    assert "192.0.2.9" in told(admin, "host list")
    told(admin, "host add h3 --site tokyo --endpoint 192.0.2.3")
    for line in (
        *(
            "host add h4 --site tokyo --endpoint 192.0.2.4 --endpoint 192.0.2.9",
            "host set h3 --endpoint 192.0.2.9",
        ),
        "host set h3 --endpoint 2001:db8::3 --endpoint 192.0.2.9",
    ):
        message = refused(admin, line, 6)
        assert "Tunnel endpoint 192.0.2.9 is that of host h1" in message
        assert "overlace host set h1 --endpoint ADDRESS" in message
    assert "is given twice" in refused(
        admin, "host set h3 --endpoint 2001:db8::3 --endpoint 2001:db8:0::3", 1
    )
    assert as_json(admin, "host set h3 --endpoint 192.0.2.3")["id"] == "h3"  # its own
    told(admin, "host remove h3")
    assert as_json(admin, "host show h1")["switch"]["phase"] == "absent"
    assert "removed" in told(admin, "host remove h1")
    assert as_json(admin, "site remove tokyo") == {"remove": "tokyo"}


def test_given_a_fabric_when_links_are_laid_then_their_nodes_stay(admin: Environment) -> None:
    told(admin, "site add kyoto")
    told(admin, "host add k1 --site kyoto")
    told(admin, "switch add s1 --site kyoto --datapath-id 00000000000000ab")
    assert "00000000000000ab" in told(admin, "switch list")
    assert "is that of s1" in refused(admin, "switch add s2 --site kyoto --datapath-id 0xab", 6)
    assert "is not a datapath id" in refused(admin, "switch add s2 --site kyoto --datapath-id xyz", 2)
    link = as_json(admin, "link add k1:eth1 s1:p1")["id"]
    assert as_json(admin, f"link set {link} --cost 7")["cost"] == 7
    assert "is no end of a cable" in refused(admin, "link add k1 s1:p1", 2)
    for node in ("host remove k1", "switch remove s1"):
        assert f"remove {link} first" in refused(admin, node, 6)
    for line in (f"link remove {link}", "switch remove s1", "host remove k1", "site remove kyoto"):
        told(admin, line)


def test_given_a_host_that_is_away_when_asked_for_work_then_it_says_so_and_observing_is_kept(
    admin: Environment,
) -> None:
    told(admin, "site add nara")
    told(admin, "host add n1 --site nara --endpoint 192.0.2.7")
    for operation in ("resync", "audit", "allow-removal"):
        assert "not connected" in refused(admin, f"host {operation} n1", 6)
    assert as_json(admin, "host observe n1")["observe_only"] is True
    assert "n1 is written to" in told(admin, "host observe n1 --off")
    assert "n1" in told(admin, "status")
    assert as_json(admin, "status")["switches"]["n1"]["connected"] is False
    told(admin, "host remove n1")
    told(admin, "site remove nara")


def test_given_the_whole_controller_when_told_to_observe_then_it_says_so_until_it_is_over(
    admin: Environment,
) -> None:
    told(admin, "site add gifu")
    told(admin, "host add g1 --site gifu --endpoint 192.0.2.8")
    assert "only observed" in told(admin, "observe")
    assert "observe mode" in told(admin, "status")
    assert as_json(admin, "status")["switches"]["g1"]["observed_only"] is True
    assert "g1: not connected, so it cannot be compared" in told(admin, "diff")
    for line in ("diff g1", "adopt g1 --yes", "recover g1"):
        assert "not connected" in refused(admin, line, 6)
    assert "g2" in refused(admin, "diff g2", 5)
    assert as_json(admin, "observe --off")["observe_only"] is False
    assert "observe mode" not in told(admin, "status")
    told(admin, "host remove g1")
    told(admin, "site remove gifu")


def test_given_a_wrong_word_when_asked_then_the_right_ones_are_suggested(admin: Environment) -> None:
    told(admin, "site add osaka")
    assert "did you mean osaka?" in refused(admin, "site show osak", 5)
    assert "there are osaka" in refused(admin, "site show x", 5)
    assert "say what to change" in refused(admin, "site set osaka", 2)
    told(admin, "site remove osaka")


def test_given_users_when_roles_change_then_they_may_do_what_they_may(
    controller: Controller, admin: Environment
) -> None:
    told(admin, "project create blue")
    assert as_json(admin, "user create alice --project blue", "first\n")["role"] == "member"
    alice = access(controller, "alice", "first", "blue")
    assert "ask as an administrator" in refused(alice, "status", 4)
    assert "does not accept user alice" in refused(alice | {"OS_PASSWORD": "wrong"}, "status", 4)
    told(admin, "user password alice", "second\n")
    assert "does not accept user alice" in refused(alice, "status", 4)
    told(admin, "user grant alice --project blue --role admin")
    alice["OS_PASSWORD"] = "second"
    assert as_json(alice, "status")["revision"]
    told(admin, "user revoke alice --project blue --role admin")
    refused(alice, "status", 4)
    assert "is empty" in refused(admin, "user create bob", 2)
    for line in ("user delete alice", "project delete blue"):
        told(admin, line)


def test_given_basic_credentials_or_none_when_asked_then_each_is_answered(
    admin: Environment, controller: Controller
) -> None:
    assert as_json(admin | {"OS_AUTH_TYPE": "http_basic"}, "status")["cluster"]
    assert "set OS_CLOUD" in refused({"OVERLACE_API_URL": controller.url}, "status", 4)
    result = overlace({"OVERLACE_API_URL": controller.url}, "status --json")
    assert json.loads(result.stderr)["error"]["kind"] == "not_allowed"


def test_given_no_controller_when_asked_then_cause_and_cure_are_named(tmp_path: Path) -> None:
    message = refused({"OVERLACE_API_URL": Controller(tmp_path).url}, "status", 3)
    assert "is `overlace serve` running there?" in message


def every_command(group: click.Group, *names: str) -> Iterator[tuple[str, ...]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from every_command(command, *names, name)
        else:
            yield (*names, name)


@pytest.mark.parametrize("words", list(every_command(main)), ids=" ".join)
def test_every_command_explains_itself_with_an_example(words: tuple[str, ...]) -> None:
    result = CliRunner().invoke(main, [*words, "--help"])
    assert result.exit_code == 0
    assert "Example" in result.output
    assert f"overlace {' '.join(words)}" in result.output
