"""Keeping replicas as new as they have to be: each machine's in a task of its own, which ends while the machine moves.

A round begins when the replica is half as old as it may be, so that the other half is there for the round itself.
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta

import structlog

from overlace.kit.clock import Clock
from overlace.model.machine import Driver, Machine
from overlace.model.procedure import Procedure, having
from overlace.model.replica import Replica, ReplicaState
from overlace.model.snapshot import Change, Snapshot
from overlace.orchestration.migrator import MigrationFailed
from overlace.orchestration.replication import steps
from overlace.orchestration.replication.decision import Begin, Drop, Pause, Task, choose
from overlace.orchestration.replication.link import ReplicaDiffers, ReplicaLink, Replicating
from overlace.orchestration.sight import Progress
from overlace.orchestration.writing import Transact

log = structlog.get_logger(__name__)

LOOK = 0.2
"""Seconds between looks at what is copied."""
RETRY, LONGEST_RETRY = 1.0, 60.0
"""Seconds until a round that failed is begun anew: twice as long each time. Opening a connection to a host that does
not answer holds the guest up for some seconds."""


@dataclass
class _Carried:
    """A replica that is being kept: what is known of it beyond the store."""

    task: asyncio.Task[None] | None = None
    link: ReplicaLink | None = None
    problem: str = ""
    failures: int = 0
    news: asyncio.Event = field(default_factory=asyncio.Event)


class Replicator:
    """`snapshot` gives the newest durable state."""

    def __init__(
        self,
        snapshot: Callable[[], Snapshot],
        transact: Transact,
        drivers: Mapping[Driver, Replicating],
        clock: Clock,
    ) -> None:
        self._snapshot = snapshot
        self._transact = transact
        self._drivers = drivers
        self._clock = clock
        self._news = asyncio.Event()
        self._carried: dict[str, _Carried] = {}

    def committed(self, changes: tuple[Change, ...]) -> None:
        """Look whether there is something to do."""
        for change in changes:
            if change.cls in (Replica, Machine, Procedure):
                self._news.set()
                if (carried := self._carried.get(change.id)) is not None:
                    carried.news.set()

    def progress(self, key: str) -> Progress | None:
        """How far a round is; None while none is under way."""
        carried, replica = self._carried.get(key), self._snapshot().get(Replica, key)
        if carried is None or carried.link is None or replica is None:
            return None
        return (
            carried.link.progress() if replica.state in (ReplicaState.SEEDING, ReplicaState.SENDING) else None
        )

    def problem(self, key: str) -> str:
        """Why the replica does not get newer; empty where nothing is wrong."""
        carried = self._carried.get(key)
        return "" if carried is None else carried.problem

    async def run(self) -> None:
        """Keep replicas, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                self._news.clear()
                wanted = {each.id for each in self._snapshot().all(Replica) if self._may_work(each)}
                for key in wanted - set(self._carried):
                    carried = self._carried[key] = _Carried()
                    carried.task = tasks.create_task(self._carry(key, carried), name=f"replica {key}")
                for key in set(self._carried) - wanted:
                    task = self._carried[key].task
                    if task is not None:
                        task.cancel()
                await self._news.wait()

    def _may_work(self, replica: Replica) -> bool:
        """A move has the machine's monitors for itself; what it waits for is that a whole round is merged."""
        moved = having(self._snapshot().members(Procedure, "machine", replica.id)) is not None
        return not moved or replica.state is ReplicaState.MERGING

    async def _carry(self, key: str, carried: _Carried) -> None:
        try:
            while (replica := self._replica(key)) is not None:
                if not self._due(replica) and replica.state is ReplicaState.RESTING:
                    await self._rest(replica, carried)
                    continue
                try:
                    await self._round(key, carried)
                except MigrationFailed as reason:
                    await self._note_failure(key, carried, str(reason))
                except Exception as reason:
                    # One replica's trouble is not that of the others: it is told, and tried again.
                    log.exception("replica fails", machine=key)
                    await self._note_failure(key, carried, f"{type(reason).__name__}: {reason}")
        finally:
            carried.link = None
            del self._carried[key]
            self._news.set()

    async def _round(self, key: str, carried: _Carried) -> None:
        """From one rest to the next."""
        replica, machine = self._replica(key), self._snapshot().get(Machine, key)
        if replica is None or machine is None:
            return
        driver = self._drivers.get(machine.driver)
        if driver is None:
            raise MigrationFailed("nothing here keeps replicas: start the controller with --launcher")
        async with driver.link(replica, machine.host_id) as link:
            carried.link = link
            try:
                while (replica := self._replica(key)) is not None and self._may_work(replica):
                    if not await self._step(replica, link, carried):
                        return
            finally:
                carried.link = None

    async def _step(self, replica: Replica, link: ReplicaLink, carried: _Carried) -> bool:
        """Do what is next. Returns whether there is more to do in this round."""
        match choose(replica, await link.look(replica), self._due(replica)):
            case Pause(why) if replica.state is ReplicaState.RESTING and not why:
                return False
            case Pause(why) if replica.state is ReplicaState.RESTING:
                raise MigrationFailed(why)
            case Pause(why):
                self._tell_problem(replica.id, carried, why)
                await self._wait(carried, RETRY if why else LOOK)
            case Begin(state):
                await self._begin(replica, state)
            case Drop(reason):
                await link.give_up()
                await self._write(
                    replica, replace(replica, state=ReplicaState.RESTING, moment=None), "dropped"
                )
                raise MigrationFailed(reason)
            case Task() as task:
                return await self._do(task, replica, link, carried)
        return True

    async def _do(self, task: Task, replica: Replica, link: ReplicaLink, carried: _Carried) -> bool:
        match task:
            case Task.HOLD:
                await link.hold()
            case Task.SEED | Task.SEND:
                await self._copy(task, replica, link)
            case Task.SEAL:
                await self._seal(replica, link)
            case Task.MERGE:
                await link.merge(replica)
                await self._write(replica, replace(replica, state=ReplicaState.RESTING), "merged")
                carried.problem, carried.failures = "", 0
                return self._due(replica)
            case Task.REMOVE:
                await link.remove()
                await self._transact(
                    lambda tx: steps.remove(tx, replica.id), f"replica of {replica.id} removed"
                )
        return True

    async def _copy(self, task: Task, replica: Replica, link: ReplicaLink) -> None:
        try:
            if task is Task.SEED:
                await link.seed(replica)
                return
            if self._since_moment(replica) > RETRY:  # this is not the first attempt
                await self._begin(replica, ReplicaState.SENDING)
            await link.send(replica)
        except MigrationFailed:
            with suppress(MigrationFailed):
                await link.give_up()
            raise

    async def _begin(self, replica: Replica, state: ReplicaState) -> None:
        number = replica.round + (replica.state is ReplicaState.RESTING)
        begun = replace(replica, state=state, round=number, moment=self._clock.now())
        await self._write(replica, begun, state.value)

    async def _seal(self, replica: Replica, link: ReplicaLink) -> None:
        try:
            sent = await link.seal(replica)
        except ReplicaDiffers:
            await link.give_up()
            anew = replace(
                replica, state=ReplicaState.RESTING, moment=None, whole=0, verify=False, verified=None
            )
            await self._write(replica, anew, "differs")
            raise
        await self._write(
            replica,
            replace(
                replica,
                state=ReplicaState.MERGING,
                whole=replica.round,
                as_of=replica.moment,
                moment=None,
                sent_bytes=sent,
                round_ms=round(self._since_moment(replica) * 1000),
                verify=False,
                verified=replica.moment if replica.verify else replica.verified,
            ),
            "whole",
        )

    def _since_moment(self, replica: Replica) -> float:
        return 0.0 if replica.moment is None else (self._clock.now() - replica.moment).total_seconds()

    async def _write(self, was: Replica, now: Replica, word: str) -> None:
        await self._transact(lambda tx: steps.write(tx, was, now), f"replica of {was.id} {word}")
        log.debug("replica", machine=was.id, step=word, round=now.round)

    async def _rest(self, replica: Replica, carried: _Carried) -> None:
        """Until the next round is due, or something is changed."""
        if replica.as_of is not None:
            begins = replica.as_of + timedelta(seconds=replica.every / 2)
            await self._wait(carried, max(0.01, (begins - self._clock.now()).total_seconds()))

    async def _note_failure(self, key: str, carried: _Carried, reason: str) -> None:
        carried.failures += 1
        self._tell_problem(key, carried, reason)
        await self._wait(carried, min(LONGEST_RETRY, RETRY * 2 ** (carried.failures - 1)))

    async def _wait(self, carried: _Carried, seconds: float) -> None:
        carried.news.clear()
        with suppress(TimeoutError):  # wait_for would swallow a cancellation that comes with the news
            async with asyncio.timeout(seconds):
                await carried.news.wait()

    def _tell_problem(self, key: str, carried: _Carried, text: str) -> None:
        if text and carried.problem != text:
            log.warning("replica does not get newer", machine=key, reason=text)
        carried.problem = text

    def _replica(self, key: str) -> Replica | None:
        return self._snapshot().get(Replica, key)

    def _due(self, replica: Replica) -> bool:
        if replica.ending or replica.verify:
            return True
        if not replica.whole or replica.as_of is None:
            return True
        return (self._clock.now() - replica.as_of).total_seconds() >= replica.every / 2
