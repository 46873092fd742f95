"""docs/conformance.md, made from the outcome and the lists."""

from collections import Counter
from collections.abc import Iterable, Iterator

from tools.conformance.lists import Lists
from tools.conformance.outcome import Outcome

_HEAD = """\
# Conformance to the networking API

Written by `make conformance`, which serves the API with identity authentication, lets the public conformance
suites ({suite}) make their own projects and users in it, and runs the tests below.
Every test by name is in [run.txt](../tools/conformance/run.txt) or, with the reason, in
[not_run.txt](../tools/conformance/not_run.txt); a test of `tempest.api.network` or `neutron_tempest_plugin.api` that
is in neither ends the run.

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
    text += "\n## Not run\n\n| tests | reason | modules |\n|---|---|---|\n"
    return text + "".join(f"| {row} |\n" for row in _reasons(lists))


def _reasons(lists: Lists) -> Iterator[str]:
    for reason, count in Counter(lists.not_run.values()).most_common():
        modules = sorted({_module(name) for name, each in lists.not_run.items() if each == reason})
        yield f"{count} | {reason} | {', '.join(f'`{each}`' for each in modules)}"


def _items(lines: Iterable[str]) -> str:
    return "".join(f"- {line}\n" for line in lines)


def _module(name: str) -> str:
    module = name.rpartition(".")[0].rpartition(".")[0]
    return module.replace("tempest.api.network.", "").replace("neutron_tempest_plugin.api.", "plugin: ")
