"""Truth about "done": which switches have yet to acknowledge what carries a port.

A port is ACTIVE when it is bound, its interface is there, and every *connected* switch that its last change
concerned has acknowledged it. Switches that are away are listed as pending and hold nothing up: they serve
nothing before they are current.
"""

from dataclasses import dataclass, field

from overlace.compiler.plan import PlanChange, SwitchName


@dataclass(slots=True)
class SwitchProgress:
    """What one switch has confirmed."""

    connected: bool = False
    published: int = 0
    acknowledged: int = 0
    fault: str = ""


@dataclass(slots=True)
class Realisation:
    """Progress of every port and switch; fed by the engine, read by the API."""

    switches: dict[SwitchName, SwitchProgress] = field(default_factory=dict)
    _awaited: dict[SwitchName, dict[str, int]] = field(default_factory=dict)
    """By switch, the ports that wait for it and since when; no entry for the many that nobody waits for."""

    def published(self, change: PlanChange) -> None:
        """Note which switches each port now waits for."""
        for each, switches in change.together():
            waiting = {
                fragment_id[1]: change.sequence
                for fragment_id in each.added
                if fragment_id[0] in ("port", "binding") and fragment_id in change.rebuilt
            }
            for switch in switches:
                self._progress(switch).published = change.sequence
                if waiting:
                    self._awaited.setdefault(switch, {}).update(waiting)

    def acknowledged(self, switch: SwitchName, sequence: int) -> set[str]:
        """A switch holds the plan up to `sequence`. Returns the ports that wait for one switch less."""
        progress = self._progress(switch)
        progress.acknowledged = max(progress.acknowledged, sequence)
        progress.fault = ""
        if (waiting := self._awaited.pop(switch, None)) is None:
            return set()
        later = {port: since for port, since in waiting.items() if since > sequence}
        if later:
            self._awaited[switch] = later
        return waiting.keys() - later.keys()

    def failed(self, switch: SwitchName, reason: str) -> None:
        """A switch has refused its plan."""
        self._progress(switch).fault = reason

    def connected(self, switch: SwitchName, is_connected: bool) -> None:
        """A switch has come or gone."""
        self._progress(switch).connected = is_connected

    def forget(self, port_id: str) -> None:
        """The port is gone."""
        for switch in self._awaited_by(port_id):
            del self._awaited[switch][port_id]
            if not self._awaited[switch]:
                del self._awaited[switch]

    def waiting_for(self, port_id: str) -> list[SwitchName]:
        """Connected switches that have not acknowledged the port's last change."""
        return [switch for switch in self._awaited_by(port_id) if self.switches[switch].connected]

    def pending(self, port_id: str) -> list[SwitchName]:
        """Switches that are away and will be brought up to date when they return."""
        return [switch for switch in self._awaited_by(port_id) if not self.switches[switch].connected]

    def behind(self) -> list[SwitchName]:
        """Connected switches that have not acknowledged all that was published for them."""
        return sorted(
            name
            for name, each in self.switches.items()
            if each.connected and each.acknowledged < each.published
        )

    def faults(self, port_id: str) -> dict[SwitchName, str]:
        """Why awaited switches have refused, by switch."""
        return {
            switch: fault for switch in self._awaited_by(port_id) if (fault := self.switches[switch].fault)
        }

    def _awaited_by(self, port_id: str) -> list[SwitchName]:
        return sorted(switch for switch, ports in self._awaited.items() if port_id in ports)

    def _progress(self, switch: SwitchName) -> SwitchProgress:
        if (progress := self.switches.get(switch)) is None:
            progress = self.switches[switch] = SwitchProgress()
        return progress
