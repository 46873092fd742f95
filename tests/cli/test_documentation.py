"""Given the pages on commands and operations, when a command or an option is added, then they name it."""

from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from overlace.cli.main import main
from overlace.cli.serve import serve

DOCS = Path(__file__).parents[2] / "docs"
ELSEWHERE = {"pki", "lab"}
"""Groups with a page of their own."""


def commands() -> Iterator[tuple[str, str]]:
    for name, command in main.commands.items():
        if isinstance(command, click.Group) and name not in ELSEWHERE:
            yield from ((name, each) for each in command.commands)
        else:
            yield (name, "")


@pytest.mark.parametrize(("group", "name"), list(commands()))
def test_every_command_is_on_its_page(group: str, name: str) -> None:
    lines = (DOCS / "cli.md").read_text().splitlines()
    assert any(f"overlace {group}" in line and name in line for line in lines)


@pytest.mark.parametrize(
    "option", [each.opts[0].lstrip("-") for each in serve.params if each.name not in ("config", "help")]
)
def test_every_option_of_serve_is_on_its_page(option: str) -> None:
    table = [line for line in (DOCS / "operations.md").read_text().splitlines() if line.startswith("| `")]
    assert any(f"`{option}`" in line or f"`--{option}`" in line for line in table)
