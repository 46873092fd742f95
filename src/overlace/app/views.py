"""What the API shows of the engine and the switches."""

from collections.abc import Callable, Mapping

from overlace.engine.engine import Engine
from overlace.model.port import Binding
from overlace.model.snapshot import Snapshot


class EngineViews:
    """See `northbound.views`: status of ports, realisation, and traces."""

    def __init__(self, snapshot: Callable[[], Snapshot], engine: Engine) -> None:
        self._snapshot = snapshot
        self._engine = engine

    def port_status(self, port_id: str) -> str:
        """ACTIVE, BUILD or DOWN."""
        return self._engine.port_status(port_id)

    def status(self) -> Mapping[str, object]:
        """Every switch, and how far it is."""
        switches = {
            name: {
                "connected": each.connected,
                "acknowledged": each.acknowledged,
                **({"fault": each.fault} if each.fault else {}),
            }
            for name, each in sorted(self._engine.realisation.switches.items())
        }
        return {"switches": switches}

    def port_realisation(self, port_id: str) -> Mapping[str, object]:
        """Where the port is bound, who is awaited, who is away, who refused."""
        realisation = self._engine.realisation
        bindings = self._snapshot().members(Binding, "port", port_id)
        return {
            "status": self._engine.port_status(port_id),
            "bindings": {each.host_id: each.state.value for each in bindings},
            "waiting_for": realisation.waiting_for(port_id),
            "pending": realisation.pending(port_id),
            "faults": realisation.faults(port_id),
        }

    async def trace(self, request: Mapping[str, object]) -> Mapping[str, object]:
        """Raises ValueError: following packets through the installed flows is not built yet."""
        raise ValueError(f"traces are not available in this release (asked for {sorted(request)})")
