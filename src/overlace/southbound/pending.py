"""Changes that wait because the switch is busy, merged into one."""

from overlace.compiler.plan import SwitchChange


class PendingChange:
    """However many changes wait, they cost the memory and the transaction of one."""

    def __init__(self) -> None:
        self._change = SwitchChange()
        self._sequence: int | None = None

    def __bool__(self) -> bool:
        return self._sequence is not None

    def merge(self, change: SwitchChange, sequence: int) -> None:
        """Let `change` follow what waits."""
        self._change.follow(change)
        self._sequence = sequence

    def take(self) -> tuple[SwitchChange, int]:
        """Everything that waits, and the newest sequence in it. Raises LookupError when nothing waits."""
        if self._sequence is None:
            raise LookupError("nothing is pending")
        taken = self._change, self._sequence
        self._change, self._sequence = SwitchChange(), None
        return taken
