"""Given a program that is to run at a kernel host, when its shell runs it, then output, errors and status are told
apart; a shell of ours is enough to see it."""

import subprocess

from overlace.lab.kernel_hosts.agent import script

MARK = "0123456789abcdef"


def told(*argv: str, stdin: str = "", env: dict[str, str] | None = None) -> tuple[int, str, str]:
    text = script(argv, env or {}, stdin, MARK, 5)
    done = subprocess.run(["sh", "-c", text], capture_output=True, text=True, check=False)
    output, _, errors = done.stdout.partition(f"{MARK}\n")
    assert done.stderr == ""
    return done.returncode, output, errors


def test_output_errors_and_status_are_told_apart() -> None:
    assert told("sh", "-c", "echo out; echo err >&2; exit 3") == (3, "out\n", "err\n")


def test_input_and_environment_arrive_as_they_are() -> None:
    assert told("sh", "-c", 'cat; echo "$WORD"', stdin="it's\n$HOME", env={"WORD": "two words"}) == (
        0,
        "it's\n$HOMEtwo words\n",
        "",
    )


def test_what_does_not_end_is_ended() -> None:
    text = script(["sleep", "60"], {}, "", MARK, 0.1)
    assert subprocess.run(["sh", "-c", text], capture_output=True, timeout=30, check=False).returncode != 0
