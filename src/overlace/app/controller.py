"""One controller process, built from its parts."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import cast

import structlog
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette

from overlace.app.api_server import serve_api
from overlace.app.authentication import authenticator
from overlace.app.chores import chores
from overlace.app.clock import SystemClock
from overlace.app.collector import look_at_intervals, postpone_collector
from overlace.app.database import open_database
from overlace.app.doctor.examination import Doctor
from overlace.app.enrolling import enrolling, open_trust
from overlace.app.failures import StartFailure
from overlace.app.listening import named
from overlace.app.metrics import ControllerCollector, Sources
from overlace.app.metrics_endpoint import metrics_route
from overlace.app.procedures import ProcedureStatus, ReplicaStatus, orchestrator, replicator
from overlace.app.settings import ControllerSettings, check_settings
from overlace.app.switch_facts import switch_facts
from overlace.app.switch_views import SwitchViews
from overlace.app.switchboard import Switchboard
from overlace.app.timings import Timings
from overlace.app.tracer import InstalledTracer
from overlace.app.trust import Trust
from overlace.app.underlay import Underlay
from overlace.app.underlay_view import UnderlayStatus
from overlace.app.views import EngineViews
from overlace.compiler.plan import PlanChange
from overlace.engine.attachments import Attachments
from overlace.engine.diagnosis import Diagnosis
from overlace.engine.engine import Engine
from overlace.kit.revision import Revision
from overlace.model.controller import Controller, controller_of
from overlace.model.intents import Intents
from overlace.model.site import Host, TransitSwitch
from overlace.model.snapshot import Snapshot
from overlace.northbound import intents
from overlace.northbound.application import create_application
from overlace.northbound.configuration import NetworkingConfiguration
from overlace.northbound.views import Views
from overlace.southbound.encoding import Encoder
from overlace.southbound.expected import ExpectedSwitch, SwitchKind
from overlace.southbound.hub import Southbound
from overlace.southbound.lineage import Lineage
from overlace.southbound.marker import Stamp
from overlace.southbound.server import Listen
from overlace.southbound.settings import Context
from overlace.store.errors import StoreUnavailable
from overlace.store.store import Commit, Store
from overlace.store.transaction import Transaction

log = structlog.get_logger(__name__)


class _Stopped(Exception):
    """Ends the controller's tasks: the work is done."""


async def run(settings: ControllerSettings) -> None:
    """Serve until SIGTERM or SIGINT. Raises StartFailure."""
    check_settings(settings)
    clock = SystemClock()
    failure: Exception | None = None
    postpone_collector()
    async with open_database(settings.database, clock, settings.origin) as store:
        trust = open_trust(settings, clock)
        try:
            async with asyncio.TaskGroup() as tasks:
                async with _controller(settings, store, trust, clock, tasks) as application:
                    tasks.create_task(look_at_intervals(lambda: store.snapshot.revision), name="collector")
                    await serve_api(application, settings)
                raise _Stopped
        except* _Stopped:
            log.info("controller stopped")
        except* (StartFailure, StoreUnavailable) as group:
            failure = StartFailure(str(group.exceptions[0]))
    if failure is not None:
        raise failure


@asynccontextmanager
async def _controller(
    settings: ControllerSettings,
    store: Store,
    trust: Trust | None,
    clock: SystemClock,
    tasks: asyncio.TaskGroup,
) -> AsyncIterator[Starlette]:
    outlet = _Outlet()
    registry = CollectorRegistry()
    timings = Timings(registry, clock)
    if settings.observe:
        await store.transact(_observe, actor="overlace", source="overlace serve --observe")
    engine = Engine(store.snapshot, outlet, timings.call_soon)

    async def transact(change: Callable[[Intents], bool], why: str) -> object:
        def in_store(transaction: Transaction) -> bool:
            return change(cast("Intents", transaction))

        return await store.transact(in_store, actor="overlace", request_id="", source=why)

    attachments = Attachments(lambda: store.snapshot, transact, engine)
    store.accompany(lambda tx: attachments.accompany(cast("Intents", tx), tx.changes))
    underlay = Underlay(
        lambda: store.snapshot,
        clock,
        engine,
        lambda switch, out: southbound.packet_out(switch, out.frame, out.actions),
    )
    switchboard = Switchboard(lambda: store.snapshot, engine, attachments, underlay)
    context = Context(
        clock=clock,
        tasks=tasks,
        encoder=Encoder(),
        listener=switchboard,
        stamp=lambda: Stamp(store.cluster, engine.compiled.epoch, engine.compiled.number),
        generation_id=lambda: store.snapshot.revision.epoch,
        lineage=lambda: Lineage(store.ends),
    )
    southbound = Southbound(context, switchboard, switchboard)
    outlet.open(southbound)
    switchboard.send = lambda switch, out: southbound.packet_out(switch, out.frame, out.actions)
    switchboard.started = lambda key, host, old: tasks.create_task(attachments.activate(key, host, old))
    switchboard.complete = lambda host: tasks.create_task(_say_ready(attachments, southbound, host))
    expect(southbound, store.snapshot)
    store.foresee(engine.accepted)
    unsubscribe = store.subscribe(
        lambda commit: _committed(commit, engine, attachments, southbound, underlay)
    )
    procedures = orchestrator(
        settings,
        store,
        clock,
        tasks,
        lambda port: (
            not engine.compiled < store.snapshot.revision and not engine.realisation.waiting_for(port)
        ),
    )
    replicas = replicator(settings, store, clock, tasks)
    forget = store.subscribe(lambda commit: procedures.committed(commit.changes))
    forget_replicas = store.subscribe(lambda commit: replicas.committed(commit.changes))
    workers = [
        tasks.create_task(store.broken(), name="disk"),
        tasks.create_task(replicas.run(), name="replicas"),
        tasks.create_task(procedures.run(), name="procedures"),
        tasks.create_task(attachments.run(), name="attachments"),
        tasks.create_task(chores(store, engine, attachments, clock), name="chores"),
        tasks.create_task(underlay.run(), name="underlay"),
        tasks.create_task(timings.watch(), name="event loop watch"),
    ]
    where = f"{settings.switch_address} port {settings.openflow_port} or {settings.ovsdb_port}"
    with named("switches", where, "--openflow-port and --ovsdb-port"):
        await southbound.start(
            Listen(settings.switch_address, settings.openflow_port, trust),
            Listen(settings.switch_address, settings.ovsdb_port, trust),
            settings.audit_interval,
        )
    configuration = NetworkingConfiguration(members_move=not settings.only_admins_move)
    underlay_status = UnderlayStatus(lambda: store.snapshot, underlay, configuration.default_underlay_mtu)
    diagnosis = Diagnosis(
        lambda: store.snapshot,
        engine,
        attachments.interfaces,
        switch_facts(southbound, switchboard),
        underlay_status.reasons,
    )
    switches = SwitchViews(lambda: store.snapshot, southbound, engine.realisation, attachments.interfaces)
    views = EngineViews(store, engine, switches, diagnosis, trust.expiries if trust else tuple)
    tracer = InstalledTracer(engine, southbound, diagnosis)
    registry.register(
        ControllerCollector(
            Sources(
                store=store,
                southbound=southbound.status,
                compiler=engine.compiler.counters,
                packets=switchboard.counts,
                expiries=trust.expiries if trust is not None else tuple,
            )
        )
    )
    doctor = Doctor(
        settings,
        store,
        clock,
        southbound,
        engine,
        switchboard,
        attachments.interfaces,
        diagnosis,
        underlay,
        underlay_status,
        trust,
        replicas.problem,
    )
    authentication = authenticator(settings, store, clock)
    application = create_application(
        cast("intents.Store", store),
        Views(
            views,
            switchboard,
            views,
            tracer,
            switches,
            underlay_status,
            store,
            doctor,
            ProcedureStatus(procedures),
            ReplicaStatus(replicas, clock),
        ),
        authentication,
        clock,
        configuration,
        finished=timings.request,
        more=[metrics_route(registry, authentication)],
    )
    try:
        async with enrolling(settings, trust, southbound.check_certificates, southbound.refusals, tasks):
            yield application
    finally:
        unsubscribe()
        forget()
        forget_replicas()
        for worker in workers:
            worker.cancel()
        await southbound.stop()


class _Outlet:
    """Holds the first plan, compiled before there is a southbound to take it."""

    def __init__(self) -> None:
        self._southbound: Southbound | None = None
        self._early: list[tuple[PlanChange, Revision]] = []
        self._durable: Revision | None = None

    def open(self, southbound: Southbound) -> None:
        self._southbound = southbound
        if self._durable is not None:
            self.durable(self._durable)
        for change, revision in self._early:
            self.publish(change, revision)
        self._early.clear()

    def publish(self, change: PlanChange, revision: Revision) -> None:
        if self._southbound is None:
            self._early.append((change, revision))
        else:
            self._southbound.outbox.expect(revision)
            self._southbound.publish(change)

    def durable(self, revision: Revision) -> None:
        self._durable = revision
        if self._southbound is not None:
            self._southbound.outbox.release(revision)


def _observe(transaction: Transaction) -> None:
    transaction.put(replace(controller_of(transaction), observe_only=True))


async def _say_ready(attachments: Attachments, southbound: Southbound, host: str) -> None:
    """The plan takes a host's interfaces in once all that was asked about them is settled."""
    await attachments.settled()
    await asyncio.sleep(0)
    southbound.plan_ready(host)


def _committed(
    commit: Commit, engine: Engine, attachments: Attachments, southbound: Southbound, underlay: Underlay
) -> None:
    underlay.committed(commit.snapshot, commit.changes)  # ways are warm before a plan leads over them
    engine.committed(commit.snapshot, commit.changes)
    attachments.committed(commit.changes)
    if any(change.cls is Controller for change in commit.changes):
        expect(southbound, commit.snapshot)
    elif changed := [change.id for change in commit.changes if change.cls in (Host, TransitSwitch)]:
        expect_again(southbound, commit.snapshot, changed)


def expect(southbound: Southbound, snapshot: Snapshot) -> None:
    """Tell the southbound which switches there are, and which of them are only observed."""
    names = [host.id for host in snapshot.all(Host)] + [each.id for each in snapshot.all(TransitSwitch)]
    expected = {name: each for name in names if (each := expected_switch(snapshot, name)) is not None}
    southbound.set_expected(expected)
    _tell_who_is_observed(southbound, snapshot, expected)


def expect_again(southbound: Southbound, snapshot: Snapshot, names: Iterable[str]) -> None:
    """Tell it of those switches that came, went or were changed."""
    changes = {name: expected_switch(snapshot, name) for name in names}
    southbound.update_expected(changes)
    _tell_who_is_observed(southbound, snapshot, [name for name, each in changes.items() if each is not None])


def _tell_who_is_observed(southbound: Southbound, snapshot: Snapshot, names: Iterable[str]) -> None:
    observes = controller_of(snapshot).observe_only
    for name in names:
        host = snapshot.get(Host, name)
        southbound.set_observe(name, observes or (host is not None and host.observe_only))


def expected_switch(snapshot: Snapshot, name: str) -> ExpectedSwitch | None:
    """The host or transit switch of that name, which may connect; None when there is none."""
    if (host := snapshot.get(Host, name)) is not None:
        return ExpectedSwitch(SwitchKind.HOST, host.bridge, host.datapath_id or None)
    if (transit := snapshot.get(TransitSwitch, name)) is not None:
        return ExpectedSwitch(SwitchKind.TRANSIT, "", transit.datapath_id)
    return None
