"""All checks, over facts that were gathered at one moment; and the gathering."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from overlace.app.doctor.bridges import check_bridges
from overlace.app.doctor.connections import check_connections
from overlace.app.doctor.facts import Facts, MachineFacts, ServiceFacts
from overlace.app.doctor.finding import Finding
from overlace.app.doctor.machine import check_machine
from overlace.app.doctor.probing import machine_facts
from overlace.app.doctor.replicas import check_replicas
from overlace.app.doctor.switches import check_switches
from overlace.app.doctor.trust import check_trust
from overlace.app.doctor.underlay import check_underlay
from overlace.app.settings import ControllerSettings, is_loopback
from overlace.app.switchboard import Switchboard
from overlace.app.trust import Trust
from overlace.app.underlay import Underlay
from overlace.app.underlay_view import UnderlayStatus
from overlace.engine.diagnosis import Diagnosis
from overlace.engine.engine import Engine
from overlace.engine.interfaces import Interfaces, PluggedInterface
from overlace.engine.reason import Ground, Reason
from overlace.kit.clock import Clock
from overlace.model.controller import CONTROLLER, Controller
from overlace.model.port import Binding, BindingState, Port, RestingAddress
from overlace.model.replica import Replica
from overlace.model.site import Host
from overlace.southbound.hub import Southbound
from overlace.store.history import LogQuestion
from overlace.store.store import Store

CHECKS = (
    check_machine,
    check_trust,
    check_connections,
    check_switches,
    check_bridges,
    check_underlay,
    check_replicas,
)
PATIENCE = 20.0
"""Seconds that a round of probes may take before what is known by then is told."""
_LOOK = 0.1
_TOLD = (Ground.ANNOUNCED_TWICE, Ground.DUPLICATE, Ground.HOST_NOT_ALLOWED)
_MOST_PORTS = 200
"""Ports whose announcements are looked into; where more are wrong, these say enough."""


def examine(facts: Facts) -> list[Finding]:
    """Everything that is wrong, the worst first; the same thing once."""
    found = (finding for check in CHECKS for finding in check(facts))
    return sorted(dict.fromkeys(found), key=lambda finding: -finding.severity)


class Doctor:
    """See `northbound.views.DoctorView`."""

    def __init__(
        self,
        settings: ControllerSettings,
        store: Store,
        clock: Clock,
        southbound: Southbound,
        engine: Engine,
        switchboard: Switchboard,
        interfaces: Interfaces,
        diagnosis: Diagnosis,
        underlay: Underlay,
        underlay_status: UnderlayStatus,
        trust: Trust | None,
        replica_problem: Callable[[str], str],
    ) -> None:
        self._settings = settings
        self._store = store
        self._clock = clock
        self._southbound = southbound
        self._engine = engine
        self._switchboard = switchboard
        self._interfaces = interfaces
        self._diagnosis = diagnosis
        self._underlay = underlay
        self._underlay_status = underlay_status
        self._trust = trust
        self._replica_problem = replica_problem

    async def examine(self, *, probe: bool) -> Sequence[dict[str, object]]:
        """All findings; with `probe` after a new round of path-MTU probes."""
        if probe:
            await self._probe()
        machine = await self._machine()
        return [each.as_object() for each in examine(self._facts(machine))]

    async def _probe(self) -> None:
        prober = self._underlay.prober
        prober.again(self._clock.monotonic())
        deadline = self._clock.monotonic() + PATIENCE
        while not prober.settled and self._clock.monotonic() < deadline:  # noqa: ASYNC110 - the prober is pure
            await asyncio.sleep(_LOOK)

    async def _machine(self) -> MachineFacts:
        newest = await self._store.log(LogQuestion(limit=1))
        failure = self._store.counters.failure
        return await asyncio.to_thread(machine_facts, self._settings.database, newest, failure)

    def _facts(self, machine: MachineFacts) -> Facts:
        snapshot = self._store.snapshot
        interfaces = [each for each in self._interfaces.all() if snapshot.get(Host, each.host) is not None]
        progress = self._engine.realisation.switches
        return Facts(
            now=self._clock.now(),
            snapshot=snapshot,
            machine=machine,
            service=self._service(),
            switches=self._southbound.status().switches,
            faults={name: each.fault for name, each in progress.items() if each.fault},
            hosts=dict(self._switchboard.hosts),
            bridges=self._southbound.bridges(),
            interfaces=interfaces,
            port_reasons=self._port_reasons(interfaces),
            refusals=self._southbound.refusals.lately(),
            strangers=self._southbound.strangers(),
            alarms=self._underlay_status.alarms(),
            strays=dict(self._underlay.prober.strays),
            replica_problems={each.id: self._replica_problem(each.id) for each in snapshot.all(Replica)},
            resting=sum(1 for _ in self._store.allocations.quarantined()) + snapshot.count(RestingAddress),
        )

    def _service(self) -> ServiceFacts:
        settings, trust = self._settings, self._trust
        said = self._store.snapshot.get(Controller, CONTROLLER)
        return ServiceFacts(
            switch_address=settings.switch_address,
            is_plaintext=trust is None,
            api_in_the_clear="" if is_loopback(settings.api_address) else settings.api_without_tls,
            observe_only=said is not None and said.observe_only,
            certificate_addresses=trust.addresses if trust is not None else (),
            trust_problem=trust.problem if trust is not None else None,
            expiries=trust.expiries() if trust is not None else (),
            clocks=trust.clocks() if trust is not None else (),
        )

    def _port_reasons(self, interfaces: Iterable[PluggedInterface]) -> list[Reason]:
        snapshot = self._store.snapshot

        def served(port: str, host: str) -> bool:
            bindings = snapshot.members(Binding, "port", port)
            return any(each.host_id == host and each.state is not BindingState.FENCED for each in bindings)

        announced = [(each.iface_id, each.host) for each in interfaces if each.iface_id]
        twice = {port for (port, _), times in Counter(announced).items() if times > 1}
        odd = twice | {port for port, host in announced if not served(port, host)}
        odd = {port for port in odd if snapshot.get(Port, port) is not None}
        found = [reason for port in sorted(odd)[:_MOST_PORTS] for reason in self._diagnosis.port(port)]
        return list(dict.fromkeys(each for each in found if each.ground in _TOLD))
