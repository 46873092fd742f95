"""docs/conformance.md, made from the outcome and the lists."""

from collections import Counter, defaultdict
from collections.abc import Iterable

from tools.conformance.lists import Lists
from tools.conformance.outcome import Outcome

_HEAD = """\
# Conformance to the networking API

Written by `make conformance`, which starts a controller with identity authentication, lets the public conformance
suite ({suite}, `tempest.api.network`) make its own projects and users in it, and runs the tests below. The lists are
`tools/conformance/run.txt` and `not_run.txt`; a test of the suite that is in neither ends the run.

| of {total} tests | |
|---|---|
| run | {run} |
| passed | {passed} |
| not run, with the reason below | {not_run} |

Extensions claimed: {extensions}.
"""


def document(lists: Lists, outcome: Outcome, extensions: list[str], suite: str) -> str:
    """The whole page."""
    text = _HEAD.format(
        suite=suite,
        total=len(lists.run) + len(lists.not_run),
        run=len(lists.run),
        passed=len(outcome.passed),
        not_run=len(lists.not_run),
        extensions=", ".join(f"`{each}`" for each in extensions),
    )
    if outcome.otherwise:
        text += "\n## Not passed\n\n" + _items(f"`{n}`: {fate}" for n, fate in outcome.otherwise.items())
    text += "\n## Run\n\n| module | tests |\n|---|---|\n"
    for module, count in sorted(Counter(_module(name) for name in lists.run).items()):
        text += f"| `{module}` | {count} |\n"
    text += "\n<details><summary>every test</summary>\n\n"
    text += _items(f"`{_short(name)}`" for name in sorted(lists.run)) + "\n</details>\n"
    return text + "\n## Not run\n" + _not_run(lists)


def _not_run(lists: Lists) -> str:
    reasons: defaultdict[str, list[str]] = defaultdict(list)
    for name, reason in lists.not_run.items():
        reasons[reason].append(name)
    text = ""
    for reason, names in reasons.items():
        text += f"\n{reason[0].upper()}{reason[1:]} ({len(names)}):\n\n"
        text += _items(f"`{_short(name)}`" for name in names)
    return text


def _items(lines: Iterable[str]) -> str:
    return "".join(f"- {line}\n" for line in lines)


def _short(name: str) -> str:
    return name.removeprefix("tempest.api.network.")


def _module(name: str) -> str:
    return _short(name).rpartition(".")[0].rpartition(".")[0]
