"""Errors of the laboratory.  Each says what is wrong and what to do about it."""

from collections.abc import Sequence


class LabError(Exception):
    """Something the user asked for cannot be done; the message names the cause and the cure."""


class CommandFailed(LabError):
    """A program that the laboratory ran exited with a failure or did not end in time."""

    def __init__(self, argv: Sequence[str], status: int | None, output: str) -> None:
        self.argv = tuple(argv)
        self.status = status
        self.output = output.strip()
        how = "did not end in time" if status is None else f"exited with status {status}"
        super().__init__(f"{' '.join(argv)}: {how}: {self.output or 'no output'}")


class TopologyError(LabError):
    """A topology description contradicts itself; `problems` lists every fault found with its cure."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("topology refused: " + "; ".join(problems))
