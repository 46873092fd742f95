"""What the suite's output says of each test."""

import re
from collections import Counter
from dataclasses import dataclass

_TEST = re.compile(r"\{\d+\} (?P<name>\S+) (?:\[.*\] )?\.\.\. (?P<fate>ok|FAILED|SKIPPED)(?:: (?P<why>.*))?")
_CLASS = re.compile(
    r"\{\d+\} setUpClass \((?P<name>\S+)\) (?:\[.*\] )?\.\.\. (?P<fate>FAILED|SKIPPED)(?:: (?P<why>.*))?"
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The wanted tests that passed, and what became of each other one."""

    passed: frozenset[str]
    otherwise: dict[str, str]

    def counts(self) -> dict[str, int]:
        """How many of each."""
        return {"passed": len(self.passed), **Counter(fate.split(":")[0] for fate in self.otherwise.values())}


def read_outcome(output: str, wanted: frozenset[str]) -> Outcome:
    """A test that the output does not mention did not run, and that is no pass."""
    fates: dict[str, str] = {}
    classes: dict[str, str] = {}
    for line in output.splitlines():
        if found := _CLASS.match(line):
            classes[found["name"]] = _fate(found)
        elif found := _TEST.match(line):
            fates[found["name"]] = _fate(found)
    otherwise = {}
    for name in sorted(wanted):
        fate = classes.get(name.rpartition(".")[0]) or fates.get(name, "not run")
        if fate != "ok":
            otherwise[name] = fate
    return Outcome(wanted - otherwise.keys(), otherwise)


def _fate(found: re.Match[str]) -> str:
    fate = found["fate"].lower()
    return f"{fate}: {found['why']}" if found["why"] else fate
