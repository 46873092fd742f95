"""The way of a packet through the tables, as a tree that people can read."""

from collections.abc import Iterator
from dataclasses import dataclass

from overlace.datapath.actions import Action
from overlace.datapath.flow import Flow
from overlace.datapath.interpreter.effects import Effect
from overlace.datapath.text import format_action, format_match


@dataclass(frozen=True, slots=True)
class ActionStep:
    """An action that was executed; `below` is what happened inside: resubmit, ct, clone, group."""

    action: Action
    notes: tuple[str, ...] = ()
    below: tuple["Step", ...] = ()


@dataclass(frozen=True, slots=True)
class TableStep:
    """A lookup: the flow found, None on a miss, and what its actions did."""

    table: int
    flow: Flow | None
    actions: tuple[ActionStep, ...] = ()


Step = TableStep | ActionStep


@dataclass(frozen=True, slots=True)
class Trace:
    """All of one run: the steps as a tree, the effects as a list in the order they happened."""

    steps: tuple[TableStep, ...]
    effects: tuple[Effect, ...]

    def lookups(self) -> Iterator[TableStep]:
        """Every table lookup, in the order of execution."""
        return _lookups(self.steps)


def format_trace(trace: Trace) -> str:
    """The tree as indented text, in the manner of ``ovs-appctl ofproto/trace``."""
    return "\n".join(line for step in trace.steps for line in _lines(step, 0))


def _lookups(steps: tuple[Step, ...]) -> Iterator[TableStep]:
    for step in steps:
        if isinstance(step, TableStep):
            yield step
            yield from _lookups(step.actions)
        else:
            yield from _lookups(step.below)


def _lines(step: Step, depth: int) -> Iterator[str]:
    indent = "    " * depth
    if isinstance(step, TableStep):
        yield f"{indent}{step.table:3}. {_title(step.flow)}"
        below: tuple[Step, ...] = step.actions
    else:
        yield f"{indent}{format_action(step.action)}"
        yield from (f"{indent} -> {note}" for note in step.notes)
        below = step.below
    for inner in below:
        yield from _lines(inner, depth + 1)


def _title(flow: Flow | None) -> str:
    if flow is None:
        return "no match"
    return f"{format_match(flow.match) or 'any'}, priority {flow.priority}, cookie {flow.cookie:#x}"
