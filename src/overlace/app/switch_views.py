"""What the API shows of switches, and passes on to them."""

import asyncio
from collections.abc import Callable, Mapping

from overlace.app.switch_difference import difference_view
from overlace.engine.interfaces import Interfaces
from overlace.engine.realisation import Realisation, SwitchProgress
from overlace.model.site import Host
from overlace.model.snapshot import Snapshot
from overlace.northbound.views import NotPossible
from overlace.southbound.comparison_report import ComparisonReport
from overlace.southbound.failures import SouthboundError
from overlace.southbound.hub import Southbound
from overlace.southbound.status import SwitchStatus

_NEVER = SwitchProgress()


class SwitchViews:
    """See `northbound.views.SwitchControl`."""

    def __init__(
        self,
        snapshot: Callable[[], Snapshot],
        southbound: Southbound,
        realisation: Realisation,
        interfaces: Interfaces,
    ) -> None:
        self._interfaces = interfaces
        self._snapshot = snapshot
        self._southbound = southbound
        self._realisation = realisation

    def switches(self) -> Mapping[str, Mapping[str, object]]:
        """Every switch by name."""
        return {name: self._shown(each) for name, each in self._southbound.status().switches.items()}

    async def difference(self, name: str) -> Mapping[str, object]:
        """Raises NotPossible."""
        try:
            found = await self._southbound.difference(name)
        except SouthboundError as error:
            raise NotPossible(f"{error}: only what is connected can be compared") from error
        snapshot, interfaces = self._snapshot(), self._interfaces.on_host(name)
        shown = await asyncio.to_thread(difference_view, found, snapshot, interfaces)
        return {**self.switches()[name], "name": name, **shown}

    async def resynchronise(self, name: str) -> Mapping[str, object]:
        """Raises NotPossible."""
        self._connected(name)
        self._southbound.resynchronise(name)
        return self.switches()[name]

    async def audit(self, name: str) -> Mapping[str, object]:
        """Raises NotPossible."""
        try:
            return _report(await self._southbound.audit_now(name))
        except SouthboundError as error:
            raise NotPossible(f"{error}: only a switch in sync can be audited") from error

    async def adopt(self, name: str) -> Mapping[str, object]:
        """Raises NotPossible."""
        self._connected(name)
        self._southbound.adopt(name)
        return self.switches()[name]

    async def allow_removal(self, name: str) -> Mapping[str, object]:
        """Raises NotPossible."""
        self._connected(name)
        self._southbound.allow_removal(name)
        return self.switches()[name]

    def _connected(self, name: str) -> None:
        if not self._realisation.switches.get(name, _NEVER).connected:
            raise NotPossible(f"{name} is not connected: it is compared as soon as it is")

    def _shown(self, status: SwitchStatus) -> Mapping[str, object]:
        progress = self._realisation.switches.get(status.name, _NEVER)
        return {
            "kind": "transit" if self._snapshot().get(Host, status.name) is None else "host",
            "connected": progress.connected,
            "acknowledged": progress.acknowledged,
            "published": progress.published,
            "fault": progress.fault or None,
            "phase": status.phase.name.lower(),
            "phase_means": status.phase.value,
            "hold": status.hold,
            "observed_only": status.observed_only,
            "peer": status.peer,
            "database": status.database,
            "tunnel_ports": status.tunnel_ports,
            "flows": status.wanted_flows,
            "held_out": {"/".join(fragment): reason for fragment, reason in status.held_out.items()},
            "last_resync": _report(status.last_resync) if status.last_resync else None,
            "flows_sent": status.flows_sent,
            "batches": status.batches,
            "bytes_sent": status.bytes_sent,
        }


def _report(report: ComparisonReport) -> Mapping[str, object]:
    return {
        "at": report.at.isoformat(timespec="seconds"),
        "observed": report.observed,
        "added": report.added,
        "changed": report.changed,
        "removed": report.removed,
        "flows": report.flows,
    }
