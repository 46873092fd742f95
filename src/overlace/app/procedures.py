"""The orchestrator with its migrators, and what the API shows of it."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import cast

from overlace.app.settings import ControllerSettings
from overlace.kit.clock import Clock
from overlace.model.intents import Intents
from overlace.model.machine import Driver
from overlace.model.replica import Replica, age, promise_kept
from overlace.model.site import Host
from overlace.orchestration.admission import Limits
from overlace.orchestration.launcher import CommandLauncher
from overlace.orchestration.libvirt.migrator import LibvirtMigrator
from overlace.orchestration.migrator import MigrationFailed, Migrator
from overlace.orchestration.orchestrator import Orchestrator
from overlace.orchestration.qmp.migrator import QmpMigrator
from overlace.orchestration.qmp.replication import QmpReplicating
from overlace.orchestration.replication.link import Replicating
from overlace.orchestration.replication.replicator import Replicator
from overlace.orchestration.writing import Transact
from overlace.store.store import Store
from overlace.store.transaction import Transaction


def orchestrator(
    settings: ControllerSettings,
    store: Store,
    clock: Clock,
    tasks: asyncio.TaskGroup,
    realised: Callable[[str], bool],
) -> Orchestrator:
    """One that moves by what the settings offer; `realised`: see Orchestrator."""

    migrators: dict[Driver, Migrator] = {}
    if settings.launcher:
        migrators[Driver.QMP] = QmpMigrator(CommandLauncher(settings.launcher), tasks)
    if settings.libvirt:
        peers = settings.libvirt_peers or settings.libvirt

        def address_of(host: str) -> str:
            return _address(store, host)

        migrators[Driver.LIBVIRT] = LibvirtMigrator(settings.libvirt, peers, address_of, tasks)
    limits = Limits(settings.moves_per_host, settings.moves_per_link)
    return Orchestrator(lambda: store.snapshot, _transact(store), migrators, clock, limits, realised=realised)


def replicator(
    settings: ControllerSettings, store: Store, clock: Clock, tasks: asyncio.TaskGroup
) -> Replicator:
    """One that keeps replicas by what the settings offer."""
    drivers: dict[Driver, Replicating] = {}
    if settings.launcher:
        drivers[Driver.QMP] = QmpReplicating(CommandLauncher(settings.launcher), tasks)
    return Replicator(lambda: store.snapshot, _transact(store), drivers, clock)


def _transact(store: Store) -> Transact:
    async def transact(change: Callable[[Intents], bool], why: str) -> object:
        def in_store(transaction: Transaction) -> bool:
            return change(cast("Intents", transaction))

        return await store.transact(in_store, actor="overlace", source=why)

    return transact


def _address(store: Store, name: str) -> str:
    host = store.snapshot.get(Host, name)
    if host is None or not host.addresses:
        raise MigrationFailed(f"host {name} has no endpoint to move machines to: give it one")
    return str(host.addresses[0])


class ProcedureStatus:
    """See `northbound.views.ProcedureView`."""

    def __init__(self, orchestrator: Orchestrator) -> None:
        self._orchestrator = orchestrator

    def procedure_progress(self, key: str, /) -> Mapping[str, object] | None:
        """See ProcedureView."""
        progress = self._orchestrator.progress(key)
        return None if progress is None else asdict(progress)

    def procedure_problem(self, key: str, /) -> str:
        """See ProcedureView."""
        return self._orchestrator.problem(key)


class ReplicaStatus:
    """See `northbound.views.ReplicaView`."""

    def __init__(self, replicator: Replicator, clock: Clock) -> None:
        self._replicator = replicator
        self._clock = clock

    def replica_status(self, replica: Replica, /) -> Mapping[str, object]:
        """See ReplicaView."""
        now = self._clock.now()
        old = age(replica, now)
        progress = self._replicator.progress(replica.id)
        return {
            "age": None if old is None else round(old, 1),
            "promise_kept": promise_kept(replica, now),
            "progress": None if progress is None else asdict(progress),
            "problem": self._replicator.problem(replica.id),
        }
