"""What the API shows of the engine and the switches."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from overlace.app.reason_view import reasons_view
from overlace.app.switch_views import SwitchViews
from overlace.engine.diagnosis import Diagnosis
from overlace.engine.engine import Engine
from overlace.model.controller import controller_of
from overlace.model.network import Network
from overlace.model.port import Binding, Port, RestingAddress
from overlace.pki.expiry import Expiry
from overlace.store.store import Store


class EngineViews:
    """See `northbound.views`: status of ports, and realisation."""

    def __init__(
        self,
        store: Store,
        engine: Engine,
        switches: SwitchViews,
        diagnosis: Diagnosis,
        expiries: Callable[[], Sequence[Expiry]],
    ) -> None:
        self._expiries = expiries
        self._store = store
        self._engine = engine
        self._switches = switches
        self._diagnosis = diagnosis

    def port_status(self, port_id: str) -> str:
        """ACTIVE, BUILD or DOWN."""
        return self._engine.port_status(port_id)

    def status(self) -> Mapping[str, object]:
        """The cluster, the revision compiled, the switches behind it, every switch, certificates, resting numbers."""
        return {
            "cluster": self._store.cluster,
            "observe_only": controller_of(self._store.snapshot).observe_only,
            "compiled": str(self._engine.compiled),
            "behind": self._engine.realisation.behind(),
            "switches": self._switches.switches(),
            "certificates": [each.as_object() for each in self._expiries()],
            "quarantine": self._resting(),
        }

    def _resting(self) -> Mapping[str, int]:
        """How many numbers of each kind rest, and addresses."""
        numbers = Counter(pool.split(":")[0] for pool, _ in self._store.allocations.quarantined())
        addresses = self._store.snapshot.count(RestingAddress)
        return {**numbers, "address": addresses} if addresses else numbers

    def port_realisation(self, port_id: str, *, with_hosts: bool) -> Mapping[str, object]:
        """Where the port is bound, who is awaited, who is away, who refused, and all causes, the nearest first."""
        realisation = self._engine.realisation
        reasons = reasons_view(self._diagnosis.port(port_id), with_hosts=with_hosts)
        shown: dict[str, object] = {"status": self._engine.port_status(port_id), "reasons": reasons}
        if not with_hosts:
            return shown
        bindings = self._store.snapshot.members(Binding, "port", port_id)
        return shown | {
            "bindings": {each.host_id: each.state.value for each in bindings},
            "waiting_for": realisation.waiting_for(port_id),
            "pending": realisation.pending(port_id),
            "faults": realisation.faults(port_id),
        }

    def network_realisation(self, network_id: str, *, with_hosts: bool) -> Mapping[str, object]:
        """How many ports have which status, and what keeps the others from being ACTIVE."""
        counts: dict[str, int] = {}
        for port in self._store.snapshot.members(Port, "network", network_id):
            status = self._engine.port_status(port.id)
            counts[status] = counts.get(status, 0) + 1
        network = self._store.snapshot.get(Network, network_id)
        return {
            "status": "ACTIVE" if network is not None and network.admin_state_up else "DOWN",
            "ports": counts,
            "reasons": reasons_view(self._diagnosis.network(network_id), with_hosts=with_hosts),
        }

    def host_realisation(self, host_id: str) -> Mapping[str, object]:
        """Whether the host is in sync, and if not, why."""
        reasons = self._diagnosis.host(host_id)
        status = "DOWN" if any(each.blocking for each in reasons) else "ACTIVE"
        return {"status": status, "reasons": reasons_view(reasons, with_hosts=True)}
