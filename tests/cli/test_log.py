"""Given a running controller, when `overlace log` is asked, then people and programs read who changed what."""

import json
import signal
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import pytest
from click.testing import CliRunner
from tests.cli.controller import OVERLACE, Controller, serving

from overlace.cli.log import difference, moment
from overlace.cli.main import main


@pytest.fixture(scope="module")
def controller(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Controller]:
    with serving(tmp_path_factory.mktemp("log")) as controller:
        yield controller


def told(controller: Controller, line: str, status: int = 0) -> str:
    result = CliRunner().invoke(main, line.split(), env={"OVERLACE_API_URL": controller.url})
    assert result.exit_code == status, result.output
    return result.output


def test_given_changes_when_asked_then_each_says_who_what_and_from_where(controller: Controller) -> None:
    told(controller, "site add tokyo --mtu 9000")
    told(controller, "site set tokyo --mtu 1500")
    told(controller, "site remove tokyo")
    lines = told(controller, "log tokyo").splitlines()
    assert [line.strip() for line in lines if line.startswith("  ") and not line.startswith("   ")] == [
        "created site tokyo",
        "changed site tokyo",
        "removed site tokyo",
    ]
    assert "      mtu: 9000 -> 1500" in lines
    heads = [line for line in lines if not line.startswith(" ")]
    assert all("admin, through api from 127.0.0.1 (req-" in line for line in heads)


def test_given_json_when_asked_then_a_program_reads_it(controller: Controller) -> None:
    told(controller, "site add osaka")
    [entry] = json.loads(told(controller, "log osaka --json"))
    assert entry["changes"][0]["after"]["id"] == "osaka"
    assert json.loads(told(controller, "log osaka --until 1d --json")) == []
    assert "is no time" in told(controller, "log --since yesterday", status=2)
    assert "site/1/42" in told(controller, "log --before 7", status=1)


def test_given_a_proxy_on_this_machine_when_it_names_its_client_then_that_address_is_logged(
    controller: Controller,
) -> None:
    site = {"site": {"id": "kyoto"}}
    httpx.post(f"{controller.url}/v2.0/overlace/sites", json=site, headers={"X-Forwarded-For": "2001:db8::7"})
    assert "through api from 2001:db8::7" in told(controller, "log kyoto")


def test_given_a_small_page_when_shown_then_the_way_to_the_one_before_is_named(
    controller: Controller,
) -> None:
    for name in ("a", "b", "c"):
        told(controller, f"site add page-{name}")
    shown = told(controller, "log --kind site --limit 2")
    assert "page-a" not in shown and shown.index("page-b") < shown.index("page-c")
    before = shown.split("--before ")[1].split()[0]
    assert "page-a" in told(controller, f"log --kind site --limit 1 --before {before}")


def test_given_a_follower_when_something_changes_then_it_is_told_at_once_and_ends_well(
    controller: Controller,
) -> None:
    command = [
        *OVERLACE,
        "log",
        "--follow",
        "--json",
        "--limit",
        "1",
        "--kind",
        "site",
        "--api-url",
        controller.url,
    ]
    told(controller, "site add already-there")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as follower:
        try:
            assert follower.stdout is not None
            assert "already-there" in follower.stdout.readline()
            told(controller, "site add just-now")
            assert json.loads(follower.stdout.readline())["changes"][0]["id"] == "just-now"
            follower.send_signal(signal.SIGINT)
            assert follower.wait(timeout=30) == 0
        finally:
            follower.kill()


def test_given_values_when_compared_then_only_what_differs_is_told() -> None:
    before = {"id": "p", "name": "web", "tags": ["a", "b"], "mtu": 1500, "revision_number": 1}
    after = {"id": "p", "name": "db", "tags": ["b", "c"], "mtu": 1500, "revision_number": 2}
    assert list(difference(before, after)) == ["name: web -> db", "tags: + c, - a"]
    assert list(difference({}, {"id": "p", "name": "web", "mtu": 1500, "tags": []})) == ["mtu: 1500"]
    assert list(difference({"tags": ["a", "b"]}, {"tags": ["b", "a"]})) == ["tags: in another order"]


def test_given_words_for_a_time_when_read_then_they_mean_that_moment() -> None:
    now = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
    assert moment("90m", now) == "2026-11-26T10:30:00+00:00"
    assert moment("7d", now) == "2026-11-19T12:00:00+00:00"
    assert datetime.fromisoformat(moment("2026-11-26T10:00:00+01:00", now)) == datetime(
        2026, 11, 26, 9, tzinfo=UTC
    )
