"""Given a launcher's command, when it answers, refuses, is not there or talks nonsense, then that is what is told."""

from pathlib import Path

import pytest

from overlace.orchestration.launcher import CommandLauncher, Place
from overlace.orchestration.migrator import MigrationFailed, Unreachable

SCRIPT = """#!/bin/sh
echo "$@" >> {log}
case "$1 $2" in
"find web") echo '{{"monitor": "/run/web.qmp", "address": "192.0.2.1", "disks": ["disk0"]}}' ;;
"find nobody" | "remove web") echo '{{}}' ;;
"receive web") echo 'no memory is left' >&2; exit 1 ;;
"start web") echo 'the host does not answer' >&2; exit 75 ;;
"find strange") echo 'hello' ;;
"find partly") echo '{{"monitor": "/run/partly.qmp"}}' ;;
*) exit 3 ;;
esac
"""


@pytest.fixture
def launcher(tmp_path: Path) -> CommandLauncher:
    script = tmp_path / "launch it"
    script.write_text(SCRIPT.format(log=tmp_path / "log"))
    script.chmod(0o755)
    return CommandLauncher(f"'{script}'")


async def test_it_says_where_a_guest_is(launcher: CommandLauncher, tmp_path: Path) -> None:
    assert await launcher.find("web", "h1") == Place("/run/web.qmp", "192.0.2.1", ("disk0",))
    assert await launcher.find("nobody", "h1") is None
    await launcher.remove("web", "h2")
    assert (tmp_path / "log").read_text().splitlines() == ["find web h1", "find nobody h1", "remove web h2"]


async def test_a_refusal_is_told_in_its_words(launcher: CommandLauncher) -> None:
    with pytest.raises(MigrationFailed, match=r"`receive web h2` failed: no memory is left") as refused:
        await launcher.receive("web", "h2")
    assert not isinstance(refused.value, Unreachable)
    with pytest.raises(MigrationFailed, match="exit 3"):
        await launcher.receive("nobody", "h2")


async def test_trying_again_may_help_where_it_says_so(launcher: CommandLauncher) -> None:
    with pytest.raises(Unreachable, match="the host does not answer"):
        await launcher.start("web", "h2")


@pytest.mark.parametrize(
    ("machine", "words"), [("strange", "no JSON object"), ("partly", "where the guest is")]
)
async def test_nonsense_is_called_so(launcher: CommandLauncher, machine: str, words: str) -> None:
    with pytest.raises(MigrationFailed, match=words):
        await launcher.find(machine, "h1")


async def test_a_command_that_is_not_there_is_named() -> None:
    with pytest.raises(MigrationFailed, match="/nowhere/launcher cannot be run"):
        await CommandLauncher("/nowhere/launcher --fast").find("web", "h1")
