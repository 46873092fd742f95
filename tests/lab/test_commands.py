"""Given the command line, when people and programs use it, then both are served and errors are plain."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from overlace.lab.commands import lab_group
from overlace.lab.description import builtin_text
from overlace.lab.lab import Lab
from overlace.lab.state import DIRECTORY_VARIABLE

PASSING_ON = ("exec", "vm console", "vm launcher")
"""These print what a program in the laboratory prints, or JSON always."""


def lab_command(*arguments: str) -> Result:
    return CliRunner().invoke(lab_group, arguments)


def as_json(*arguments: str) -> Any:
    result = lab_command(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.output)


def commands(group: click.Group = lab_group, before: str = "") -> Iterator[str]:
    """Every command by its words, those of groups in the group included."""
    for name, command in group.commands.items():
        words = f"{before}{name}"
        if isinstance(command, click.Group):
            yield from commands(command, f"{words} ")
        else:
            yield words


@pytest.mark.parametrize("command", ["", "vm", *commands()])
def test_every_command_explains_itself_with_an_example(command: str) -> None:
    result = lab_command(*command.split(), "--help")
    assert result.exit_code == 0
    assert "Example" in result.output
    assert f"overlace lab {command}".strip() in result.output


@pytest.mark.parametrize("command", [name for name in commands() if name not in PASSING_ON])
def test_every_command_but_those_that_run_programs_can_answer_in_json(command: str) -> None:
    assert "--json" in lab_command(*command.split(), "--help").output


def test_a_topology_is_printed_as_it_can_be_read() -> None:
    assert lab_command("topology", "transit").output == builtin_text("transit")
    assert [site["name"] for site in as_json("topology")["sites"]] == ["site-a", "site-b"]


@pytest.fixture
def directory(base: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(DIRECTORY_VARIABLE, str(base))
    return base


@pytest.mark.usefixtures("directory")
def test_errors_are_one_line_with_status_one() -> None:
    result = lab_command("status", "--name", "nothere")
    assert result.exit_code == 1
    assert result.output.startswith("Error: there is no laboratory 'nothere'")
    assert "Traceback" not in result.output


@pytest.fixture
def running(directory: Path, name: str) -> Iterator[str]:
    """A laboratory brought up and down by the commands themselves."""
    brought_up = as_json("up", "--name", name)
    assert brought_up["phase"] == "up"
    yield name
    assert as_json("down", "--name", name) == {"removed": [name]}
    assert as_json("down", "--name", name) == {"removed": []}
    assert name not in Lab.names(directory)


@pytest.mark.lab
def test_a_session_at_the_command_line(running: str) -> None:
    where = ("--name", running)
    assert running in [lab["name"] for lab in as_json("list")]
    status = as_json("status", *where)
    assert [node["running"] for node in status["nodes"]] == [True] * 4
    bridge = ["add-br", "br-overlace", "--", "set", "Bridge", "br-overlace", "datapath_type=netdev"]
    for host in ("h1", "h2"):
        done = at_shell("exec", *where, host, "--", "ovs-vsctl", *bridge)
        assert done.returncode == 0, done.stderr
    options = ("--mac", "fa:16:3e:00:00:01", "--iface-id", "port-1", "--ip", "192.168.0.1/24")
    assert as_json("attach", *where, "h1", "web", *options)["workload"]["active"]["host"] == "h1"
    assert "192.168.0.1/24" in at_shell("exec", *where, "web", "--", "ip", "-br", "address").stdout
    assert as_json("move", *where, "web", "h2")["cutover"]["destination"] == "h2"
    assert as_json("wan", *where, "--delay", "50")["wan"][0]["delay_ms"] == 50
    assert as_json("cut", *where, "uplink-h1") == {"link": "uplink-h1", "cut": True}
    cut = [link["name"] for link in as_json("status", *where)["links"] if link["cut"]]
    assert cut == ["uplink-h1"]
    as_json("heal", *where, "uplink-h1")
    shown = lab_command("status", *where).output
    assert "web" in shown
    assert f"ovl-{running}-mgmt" in shown
    assert as_json("detach", *where, "web") == {"detached": "web"}


@pytest.mark.lab
def test_exec_passes_on_the_status_and_refuses_unknown_places(running: str) -> None:
    assert at_shell("exec", "--name", running, "controller", "--", "sh", "-c", "exit 7").returncode == 7
    refused = at_shell("exec", "--name", running, "moon", "--", "true")
    assert refused.returncode == 1
    assert "there is no 'moon'" in refused.stderr
    assert "controller, h1, h2, h3, h4" in refused.stderr


def at_shell(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """The command in a process of its own: `exec` replaces the process."""
    command = [sys.executable, "-m", "overlace.lab", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=dict(os.environ), timeout=60)
