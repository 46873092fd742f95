"""Carrying procedures out: each move in a task of its own, as many at a time as the limits allow.

Nothing of a move is kept here but what can be seen again: a controller that starts goes on with what the store says is
running.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace

import structlog

from overlace.kit.clock import Clock
from overlace.model import binder
from overlace.model.machine import Driver, Machine
from overlace.model.port import Port
from overlace.model.procedure import Procedure, ProcedureState, Step
from overlace.model.replica import Replica, ReplicaState
from overlace.model.snapshot import Change, Snapshot
from overlace.orchestration.admission import Limits, admitted, moves, running
from overlace.orchestration.decision import Deed, Do, Enter, Wait, decide
from overlace.orchestration.deeds import carry_out, errand, given_up
from overlace.orchestration.evacuation import close_evacuations
from overlace.orchestration.migrator import Migration, MigrationFailed, Migrator, Unreachable
from overlace.orchestration.sight import Account, Progress
from overlace.orchestration.steps import enter
from overlace.orchestration.writing import Transact

log = structlog.get_logger(__name__)

LOOK = 0.5
"""Seconds after which a move looks again though nothing was heard."""
RETRY = 1.0
ABORT_PATIENCE = 60.0
"""Seconds that a destination which does not answer may hold up the end of a move given up."""
PROOF = 2.0
"""Seconds that a guest has to live at its new host before what is left at the old one goes."""
NETWORK_PATIENCE = 10.0
"""Seconds after which a switch that does not acknowledge is no longer waited for."""


class Orchestrator:
    """`snapshot` gives the newest durable state; `realised` says whether every connected switch has acknowledged the
    last change of a port."""

    def __init__(
        self,
        snapshot: Callable[[], Snapshot],
        transact: Transact,
        migrators: Mapping[Driver, Migrator],
        clock: Clock,
        limits: Limits = Limits(),  # noqa: B008 - a frozen value
        proof: float = PROOF,
        realised: Callable[[str], bool] = lambda _: True,
    ) -> None:
        self._snapshot = snapshot
        self._transact = transact
        self._migrators = migrators
        self._clock = clock
        self._limits = limits
        self._proof = proof
        self._realised = realised
        self._news = asyncio.Event()
        self._carried: dict[str, Migration | None] = {}
        self._problems: dict[str, str] = {}
        self._network_ms: dict[str, int] = {}

    def committed(self, changes: tuple[Change, ...]) -> None:
        """Look whether there is something to do."""
        if any(change.cls is Procedure for change in changes):
            self._news.set()

    def progress(self, key: str) -> Progress | None:
        """How far the transfer of a move is; None while none is under way."""
        migration = self._carried.get(key)
        return None if migration is None else migration.progress()

    def problem(self, key: str) -> str:
        """What a move waits for that should not be so; empty for nothing."""
        return self._problems.get(key, "")

    async def run(self) -> None:
        """Carry procedures out, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                self._news.clear()
                await self._admit()
                for move in moves(running(self._snapshot())):
                    if move.step is not Step.QUEUED and move.id not in self._carried:
                        self._carried[move.id] = None
                        tasks.create_task(self._carry(move.id, tasks), name=f"move {move.machine_id}")
                await self._news.wait()

    async def _admit(self) -> None:
        for move in moves(running(self._snapshot())):
            if move.step is Step.QUEUED and move.abort_wanted:
                await self._enter(move, Enter(Step.CLOSED, ProcedureState.ABORTED, "aborted before it began"))
        for move in admitted(self._snapshot(), self._limits):
            try:
                await self._enter(move, Enter(Step.PREPARING))
            except (binder.BindingRefused, KeyError) as refusal:
                await self._enter(move, Enter(Step.CLOSED, ProcedureState.FAILED, str(refusal)))
        await self._transact(close_evacuations, "evacuation over")

    async def _carry(self, key: str, tasks: asyncio.TaskGroup) -> None:
        try:
            while (move := self._move(key)) is not None:
                try:
                    async with self._migrator(move).open(errand(move, self._replica(move))) as migration:
                        self._carried[key] = migration
                        await self._follow(key, migration, tasks)
                except MigrationFailed as reason:
                    await self._could_not_open(key, reason)
                except Exception as reason:
                    # One move's trouble is not that of the others: it is told, and tried again.
                    log.exception("move fails", procedure=key)
                    self._tell_problem(key, f"{type(reason).__name__}: {reason}")
                    await asyncio.sleep(RETRY)
        finally:
            self._carried.pop(key, None)
            self._problems.pop(key, None)
            self._network_ms.pop(key, None)
            self._news.set()

    async def _could_not_open(self, key: str, reason: MigrationFailed) -> None:
        self._carried[key] = None
        move = self._move(key)
        if move is not None and move.step is Step.PREPARING and not isinstance(reason, Unreachable):
            await self._enter(move, Enter(Step.CLOSED, ProcedureState.FAILED, str(reason)))
            return
        self._tell_problem(key, str(reason))
        await asyncio.sleep(RETRY)

    async def _follow(self, key: str, migration: Migration, tasks: asyncio.TaskGroup) -> None:
        """Do what is next until it is closed."""
        while (move := self._move(key)) is not None:
            replica = self._replica(move)
            merging = replica is not None and replica.state is ReplicaState.MERGING
            action = decide(move, await migration.look(), self._overdue(move), merging)
            match action:
                case Wait(why):
                    self._tell_problem(key, why)
                    await migration.changed(LOOK)
                case Enter():
                    began = self._clock.monotonic()
                    await self._enter(move, action, migration.account())
                    if action.step is Step.SWITCHING:
                        tasks.create_task(self._watch_network(move, began))
                case Do(deed):
                    await self._do(move, deed, migration)

    async def _do(self, move: Procedure, deed: Deed, migration: Migration) -> None:
        log.debug("move", machine=move.machine_id, step=move.step.value, deed=deed.name)
        try:
            await carry_out(deed, migration)
        except Unreachable:
            raise
        except MigrationFailed as reason:
            end = given_up(move, deed, reason)
            if end is not None:
                await self._enter(move, end, migration.account())
                return
            self._tell_problem(move.id, str(reason))
            await migration.changed(RETRY)

    async def _enter(self, move: Procedure, action: Enter, account: Account | None = None) -> None:
        why = f"{action.step.value} {move.machine_id}"
        noted = replace(account or Account(), network_ms=self._network_ms.get(move.id, 0))
        await self._transact(lambda intents: enter(intents, move.id, move.step, action, noted), why)
        self._problems.pop(move.id, None)
        log.info(
            "move",
            machine=move.machine_id,
            step=action.step.value,
            from_host=move.from_host,
            to_host=move.to_host,
            reason=action.reason or None,
        )

    async def _watch_network(self, move: Procedure, began: float) -> None:
        """Note how long the switches took, counted from the event that asked for it."""
        ports = [port.id for port in self._snapshot().members(Port, "device", move.machine_id)]
        while not all(self._realised(port) for port in ports):
            if self._clock.monotonic() - began > NETWORK_PATIENCE:
                break
            await asyncio.sleep(0.002)
        self._network_ms[move.id] = max(1, round((self._clock.monotonic() - began) * 1000))

    def _move(self, key: str) -> Procedure | None:
        move = self._snapshot().get(Procedure, key)
        return None if move is None or move.step is Step.CLOSED else move

    def _migrator(self, move: Procedure) -> Migrator:
        machine = self._snapshot().get(Machine, move.machine_id)
        migrator = None if machine is None else self._migrators.get(machine.driver)
        if migrator is None:
            lack = (
                "it is not declared" if machine is None else f"nothing here moves by {machine.driver.value}"
            )
            cure = "start the controller with --launcher" if machine is not None else "declare it anew"
            raise MigrationFailed(f"machine {move.machine_id} cannot be moved: {lack}; {cure}")
        return migrator

    def _replica(self, move: Procedure) -> Replica | None:
        """What its destination has of its disks."""
        found = self._snapshot().get(Replica, move.machine_id)
        return found if found is not None and found.host_id == move.to_host else None

    def _overdue(self, move: Procedure) -> bool:
        return (self._clock.now() - move.entered_at).total_seconds() >= patience(move, self._proof)

    def _tell_problem(self, key: str, text: str) -> None:
        if text and self._problems.get(key) != text:
            log.warning("move waits", procedure=key, reason=text)
        self._problems[key] = text


def patience(move: Procedure, proof: float) -> float:
    """Seconds that a step may last; FINISHING has to."""
    return {Step.ABORTING: ABORT_PATIENCE, Step.FINISHING: proof}.get(move.step, float(move.timeout))
