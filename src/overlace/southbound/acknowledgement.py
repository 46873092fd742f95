"""Tell the plan's owner how far one switch is: once for each write, and never more than is true."""

from overlace.compiler.plan import SwitchName
from overlace.southbound.contents import Contents
from overlace.southbound.events import PlanListener
from overlace.southbound.failures import PlanFailure
from overlace.southbound.host_database import HostDatabase


class Acknowledgement:
    """A sequence counts as done when its flows are in the tables and its tunnel ports have their numbers."""

    def __init__(self, switch: SwitchName, contents: Contents, listener: PlanListener) -> None:
        self._switch = switch
        self._contents = contents
        self._listener = listener
        self._written: int | None = None
        self._news = False
        self._ports_pending = False
        self._ports_problem: str | None = None
        self.told: int | None = None
        """The sequence that was last acknowledged or failed on the present connection."""

    def restart(self) -> None:
        """A new connection: what was said of the old one no longer holds."""
        self._written = self.told = None
        self._news = False

    def ports_changed(self) -> None:
        """Tunnel ports are being changed: hold back until the database shows them."""
        self._ports_pending = True

    def written(self, sequence: int) -> None:
        """The flows of `sequence` are in the tables."""
        self._written = sequence
        self._news = True

    def tell(self, database: HostDatabase | None, *, has_database: bool) -> None:
        """Say what can be said now."""
        if self._written is None or not self._news:
            return
        if has_database and self._ports_pending and not self._ports_there(database):
            return
        self.told = self._written
        self._news = False
        if (failure := self._contents.new_failure()) is not None:
            self._listener.failed(self._switch, self.told, failure)
        else:
            self._listener.acknowledged(self._switch, self.told)

    def _ports_there(self, database: HostDatabase | None) -> bool:
        problem = database.tunnel_ports_problem if database else None
        self._ports_pending = database is None or problem is not None
        lasting = problem if database and database.tunnel_ports_refused else None
        if lasting and lasting != self._ports_problem and self._written is not None:
            self._listener.failed(self._switch, self._written, PlanFailure(lasting))
        self._ports_problem = lasting
        return not self._ports_pending
