"""Given the unmodified `openstack` client and a real controller, when a line is run, then it does what is promised.

The lines and their outcomes are declared in tools/openstack_client, from which docs/openstack-client.md is made.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from string import Template
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from tests.cli.controller import PASSWORD, bootstrap, serving
from tests.cli.openstack_client import Answer, Session, process, session
from tools.openstack_client import document, membership
from tools.openstack_client.chapters import CHAPTERS
from tools.openstack_client.command import (
    CLOUD,
    LOCAL,
    Changed,
    Chapter,
    Command,
    Counted,
    Listed,
    Outcome,
    Refused,
    Removed,
    Shown,
)

from overlace.cli.main import main

TRIALS = [
    pytest.param(cloud, chapter, id=f"{cloud}: {chapter.title}")
    for chapter in CHAPTERS
    for cloud in (chapter.cloud, LOCAL)
    if cloud != LOCAL or not chapter.needs_login
]


class Clients:
    """One for each cloud, since the first line that is said to it."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._running: dict[str, Session] = {}

    def of(self, cloud: str) -> Session:
        if cloud not in self._running:
            self._running[cloud] = self._stack.enter_context(session(cloud))
        return self._running[cloud]


@pytest.fixture(scope="module")
def clients(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clients]:
    directory = tmp_path_factory.mktemp("clouds")
    with_login, without_login = directory / "identity", directory / "none"
    for each in (with_login, without_login):
        each.mkdir()
    bootstrap(with_login / "overlace.db")
    with ExitStack() as stack:
        guarded = stack.enter_context(serving(with_login, "--auth", "identity"))
        open_to_all = stack.enter_context(serving(without_login, "--auth", "none"))
        clouds = directory / "clouds.yaml"
        clouds.write_text(yaml.safe_dump({"clouds": entries(guarded.url, open_to_all.url)}))
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setenv("OS_CLIENT_CONFIG_FILE", str(clouds))
        yield Clients(stack)


def entries(guarded: str, open_to_all: str) -> dict[str, Any]:
    """The entries of clouds.yaml, as docs/openstack-client.md shows them, and a member's."""
    (shown,) = re.findall(r"^    clouds:.*?^\n", document.document(), re.MULTILINE | re.DOTALL)
    login, local = yaml.safe_load(shown)["clouds"].values()
    auth = login["auth"] | {"auth_url": f"{guarded}/identity/v3", "password": PASSWORD}
    member = auth | {"username": membership.ALICE, "password": membership.SECRET, "project_name": "blue"}
    local = yaml.safe_load(yaml.safe_dump(local).replace("http://127.0.0.1:9696", open_to_all))
    return {CLOUD: {"auth": auth}, membership.MEMBER.cloud: {"auth": member}, LOCAL: local}


class Reader:
    """Runs the lines of a chapter, remembers the ids that they print, and judges what comes of them."""

    def __init__(self, run: Callable[[str], Answer], *, with_login: bool) -> None:
        self._run = run
        self._with_login = with_login
        self._ids: dict[str, str] = {}

    def reads(self, command: Command) -> None:
        answer = self._answer(command.line)
        self._judge(command, answer, command.expected(with_login=self._with_login))
        if command.keep:
            found = answer.content
            first = found[0] if isinstance(found, list) else found
            self._ids[command.keep] = first.get("ID") or first["id"]

    def _answer(self, line: str) -> Answer:
        return self._run(self._filled(line))

    def _judge(self, command: Command, answer: Answer, outcome: Outcome) -> None:
        told = f"openstack {command.line}: {answer.status} {answer.out}{answer.err}"
        if isinstance(outcome, Refused):
            assert answer.status != 0, told
            said = " ".join(answer.err.split())
            assert self._filled(outcome.message) in said and bool(outcome.message) == bool(said), told
            return
        assert answer.status == 0, told
        match outcome:
            case Shown(attributes) if attributes:
                assert self._has(answer, attributes), told
            case Listed(values, column, ordered):
                found = [row[column] for row in answer.content]
                assert (found if ordered else sorted(found)) == list(values), told
            case Counted(number):
                assert len(answer.content) == number, told
            case Changed(attributes, seen_by):
                seen = self._answer(seen_by)
                assert seen.status == 0, seen.err
                assert self._has(seen, attributes), f"{told}\nthen {seen_by}: {seen.out}"
            case Removed(missed_by):
                for each in missed_by:
                    missed = self._answer(each)
                    assert missed.status != 0, f"{told}\nthen {each}: {missed.out}"
                    assert re.search("No .* found for|Error while executing", missed.err), missed.err

    def _has(self, answer: Answer, attributes: Mapping[str, Any]) -> bool:
        rows = answer.content if isinstance(answer.content, list) else [answer.content]
        wanted = self._filled_value(attributes)
        return any(all(name in row and row[name] == wanted[name] for name in wanted) for row in rows)

    def _filled_value(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._filled(value)
        if isinstance(value, Mapping):
            return {name: self._filled_value(each) for name, each in value.items()}
        return [self._filled_value(each) for each in value] if isinstance(value, list) else value

    def _filled(self, text: str) -> str:
        return Template(text).substitute(self._ids)


@pytest.mark.parametrize(("cloud", "chapter"), TRIALS)
def test_given_a_chapter_when_its_lines_are_run_then_each_has_its_outcome(
    clients: Clients, cloud: str, chapter: Chapter
) -> None:
    reader = Reader(clients.of(cloud), with_login=cloud != LOCAL)
    for line in chapter.before:
        overlace(cloud, line)
    for command in chapter.commands:
        reader.reads(command)
    for line in chapter.after:
        overlace(cloud, line)


@pytest.mark.parametrize("cloud", [CLOUD, LOCAL])
def test_given_processes_of_their_own_when_a_network_comes_and_goes_then_each_finds_it(
    clients: Clients,  # noqa: ARG001
    cloud: str,
) -> None:
    assert process(cloud, "network create red").content["name"] == "red"
    assert [each["Name"] for each in process(cloud, "network list").content] == ["red"]
    assert process(cloud, "network delete red").status == 0
    missing = process(cloud, "network show red")
    assert (missing.status, missing.err) == (1, "No Network found for red\n")


def test_the_page_tells_what_is_tried() -> None:
    assert document.TARGET.read_text() == document.document(), "run `make docs`"


def overlace(cloud: str, line: str) -> None:
    """Overlace's own commands read the same clouds.yaml."""
    result = CliRunner().invoke(main, line.split(), env={"OS_CLOUD": cloud})
    assert result.exit_code == 0, result.output
