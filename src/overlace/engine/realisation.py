"""Truth about "done": which switches have yet to acknowledge what carries a port.

A port is ACTIVE when it is bound, its interface is there, and every *connected* switch that its last change
concerned has acknowledged it. Switches that are away are listed as pending and hold nothing up: they serve
nothing before they are current.
"""

from collections import defaultdict
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
    _awaited: dict[str, dict[SwitchName, int]] = field(default_factory=lambda: defaultdict(dict))
    _ports_of: dict[SwitchName, set[str]] = field(default_factory=lambda: defaultdict(set))

    def published(self, change: PlanChange) -> None:
        """Note which switches each port now waits for."""
        for each, switches in change.together():
            told = dict.fromkeys(switches, change.sequence)
            for switch in switches:
                self._progress(switch).published = change.sequence
            for fragment_id in each.added:
                if fragment_id[0] in ("port", "binding") and fragment_id in change.rebuilt:
                    self._awaited[fragment_id[1]].update(told)
                    for switch in switches:
                        self._ports_of[switch].add(fragment_id[1])

    def acknowledged(self, switch: SwitchName, sequence: int) -> set[str]:
        """A switch holds the plan up to `sequence`. Returns the ports that wait for one switch less."""
        progress = self._progress(switch)
        progress.acknowledged = max(progress.acknowledged, sequence)
        progress.fault = ""
        settled = {
            port for port in self._ports_of.get(switch, ()) if self._awaited[port].get(switch, 0) <= sequence
        }
        for port in settled:
            self._ports_of[switch].discard(port)
            awaited = self._awaited[port]
            awaited.pop(switch, None)
            if not awaited:
                del self._awaited[port]
        return settled

    def failed(self, switch: SwitchName, reason: str) -> None:
        """A switch has refused its plan."""
        self._progress(switch).fault = reason

    def connected(self, switch: SwitchName, is_connected: bool) -> None:
        """A switch has come or gone."""
        self._progress(switch).connected = is_connected

    def forget(self, port_id: str) -> None:
        """The port is gone."""
        for switch in self._awaited.pop(port_id, {}):
            self._ports_of[switch].discard(port_id)

    def waiting_for(self, port_id: str) -> list[SwitchName]:
        """Connected switches that have not acknowledged the port's last change."""
        return sorted(switch for switch in self._awaited.get(port_id, {}) if self.switches[switch].connected)

    def pending(self, port_id: str) -> list[SwitchName]:
        """Switches that are away and will be brought up to date when they return."""
        return sorted(
            switch for switch in self._awaited.get(port_id, {}) if not self.switches[switch].connected
        )

    def behind(self) -> list[SwitchName]:
        """Connected switches that have not acknowledged all that was published for them."""
        return sorted(
            name
            for name, each in self.switches.items()
            if each.connected and each.acknowledged < each.published
        )

    def faults(self, port_id: str) -> dict[SwitchName, str]:
        """Why awaited switches have refused, by switch."""
        awaited = self._awaited.get(port_id, {})
        return {
            switch: self.switches[switch].fault for switch in sorted(awaited) if self.switches[switch].fault
        }

    def _progress(self, switch: SwitchName) -> SwitchProgress:
        if (progress := self.switches.get(switch)) is None:
            progress = self.switches[switch] = SwitchProgress()
        return progress
