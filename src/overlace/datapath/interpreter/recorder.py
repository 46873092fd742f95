"""Building the frozen trace tree while a packet is on its way."""

from overlace.datapath.actions import Action
from overlace.datapath.flow import Flow
from overlace.datapath.interpreter.trace import ActionStep, Step, TableStep


class _OpenAction:
    def __init__(self, action: Action) -> None:
        self.action = action
        self.notes: list[str] = []
        self.below: list[Step] = []

    def finished(self) -> ActionStep:
        return ActionStep(self.action, tuple(self.notes), tuple(self.below))


class _OpenTable:
    def __init__(self, table: int, flow: Flow | None) -> None:
        self.table = table
        self.flow = flow
        self.actions: list[ActionStep] = []

    def finished(self) -> TableStep:
        return TableStep(self.table, self.flow, tuple(self.actions))


class Recorder:
    """Lookups nest in actions and actions in lookups; `enter_*` opens a step, `leave_*` closes it."""

    def __init__(self) -> None:
        self.steps: list[TableStep] = []
        """The finished lookups of the outermost level."""
        self._tables: list[_OpenTable] = []
        self._actions: list[_OpenAction] = []

    def enter_table(self, table: int, flow: Flow | None) -> None:
        """A lookup has been made."""
        self._tables.append(_OpenTable(table, flow))

    def leave_table(self) -> None:
        """All actions of the flow are done."""
        step = self._tables.pop().finished()
        if self._actions:
            self._actions[-1].below.append(step)
        else:
            self.steps.append(step)

    def enter_action(self, action: Action) -> None:
        """An action begins."""
        self._actions.append(_OpenAction(action))

    def leave_action(self, *, nested: bool) -> None:
        """An action is done; `nested` when another action contains it (clone, group)."""
        step = self._actions.pop().finished()
        if nested:
            self._actions[-1].below.append(step)
        else:
            self._tables[-1].actions.append(step)

    def note(self, text: str) -> None:
        """Say something about the action being executed."""
        self._actions[-1].notes.append(text)
