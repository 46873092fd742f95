"""A store with two sites and machines, the world that they are in, and controllers that come and go."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol, cast

from tests.orchestration.world import Clockwork, Killed, World

from overlace.kit.addresses import Mac
from overlace.kit.clock import ManualClock
from overlace.model import binder
from overlace.model.intents import Intents
from overlace.model.machine import Driver, Machine
from overlace.model.move import Cause, Move, Trigger
from overlace.model.port import Binding, Port
from overlace.model.procedure import Mode, Procedure, ProcedureKind, ProcedureState, Step
from overlace.model.site import Host, Site
from overlace.model.snapshot import Change
from overlace.orchestration.admission import Limits
from overlace.orchestration.orchestrator import Orchestrator
from overlace.orchestration.sight import Guest
from overlace.store.store import Commit, Store
from overlace.store.transaction import Transaction

NEVER = Clockwork()
SITES = {"h1": "tokyo", "h2": "osaka", "h3": "osaka"}


class Working(Protocol):
    """What works while the store changes."""

    def committed(self, changes: tuple[Change, ...]) -> None: ...

    async def run(self) -> None: ...


@dataclass
class Cloud:
    """`machines` stand on h1, each with one port."""

    store: Store
    world: World
    clock: ManualClock
    limits: Limits = Limits()

    async def transact(self, change: Callable[[Intents], bool], why: str) -> object:
        """As a controller does it: it can be killed before and after."""
        self.world.clockwork.moment()
        result = await self.quietly(change, why)
        self.world.clockwork.moment()
        return result

    async def quietly(self, change: Callable[[Intents], bool], why: str) -> object:
        return await self.store.transact(lambda tx: change(cast("Intents", tx)), actor="overlace", source=why)

    def controller(self) -> Orchestrator:
        return Orchestrator(
            lambda: self.store.snapshot,
            self.transact,
            {Driver.QMP: self.world},
            self.clock,
            self.limits,
            proof=0.0,
        )

    async def serve(self, until: Callable[[], bool], controller: Working | None = None) -> None:
        """Let a controller work until something is so. Raises Killed where it is killed."""
        serving = controller or self.controller()
        async with asyncio.timeout(20):
            await _work(self.store, serving, until)

    async def ask(self, *moves: Procedure) -> None:
        def put(tx: Transaction) -> None:
            for move in moves:
                tx.put(move)

        await self.store.transact(put, actor="alice")

    async def abort(self, key: str) -> None:
        await self.store.transact(
            lambda tx: tx.put(replace(self.procedure(key), abort_wanted=True)), actor="alice"
        )

    def procedure(self, key: str) -> Procedure:
        found = self.store.snapshot.get(Procedure, key)
        assert found is not None
        return found

    def ended(self, *keys: str) -> Callable[[], bool]:
        return lambda: all(self.procedure(key).step is Step.CLOSED for key in keys)

    def bindings(self, machine: str) -> dict[str, str]:
        """Host -> state of the machine's port."""
        found = self.store.snapshot.members(Binding, "port", self.world.ports[machine])
        return {each.host_id: each.state.value for each in found}

    def active(self, machine: str) -> str:
        return next(host for host, state in self.bindings(machine).items() if state == "active")

    def receipts(self, machine: str) -> list[Move]:
        found = self.store.snapshot.members(Move, "port", self.world.ports[machine])
        return sorted(found, key=lambda each: each.generation)


async def _work(store: Store, controller: Working, until: Callable[[], bool]) -> None:
    """A condition that a commit makes true ends the work at that commit."""
    task = asyncio.ensure_future(controller.run())  # noqa: RUF006, TID251 - awaited below

    def committed(commit: Commit) -> None:
        controller.committed(commit.changes)
        if until():
            task.cancel()

    unsubscribe = store.subscribe(committed)
    try:
        while not until() and not task.done():  # noqa: ASYNC110 - any condition will do
            await asyncio.sleep(0.001)
    finally:
        task.cancel()
        unsubscribe()
        with suppress(asyncio.CancelledError):
            try:
                await task
            except* Killed:
                raise Killed from None


def move(machine: str = "web", to_host: str = "h2", **more: object) -> Procedure:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    made = Procedure(
        id=f"move-{machine}",
        project_id="red",
        kind=ProcedureKind.MOVE,
        machine_id=machine,
        from_host="h1",
        to_host=to_host,
        mode=Mode.AUTO,
        actor="alice",
        state=ProcedureState.RUNNING,
        started_at=now,
        entered_at=now,
    )
    return replace(made, **more)  # type: ignore[arg-type]


@asynccontextmanager
async def cloud(path: Path, *machines: str, limits: Limits | None = None) -> AsyncIterator[Cloud]:
    """Machines that run on h1."""
    clock = ManualClock()
    store = await Store.open(path / "overlace.db", clock)
    found = Cloud(store, World(lambda *_: None, {}), clock, limits or Limits())  # type: ignore[arg-type]
    found.world.transact = found.quietly
    names = machines or ("web",)

    def furnish(tx: Transaction) -> None:
        for site in sorted(set(SITES.values())):
            tx.put(Site(id=site))
        for key, (host, site) in enumerate(SITES.items(), start=1):
            tx.put(Host(id=host, site_id=site, key=key))
        for number, name in enumerate(names, start=1):
            tx.put(Machine(id=name, project_id="red", host_id="h1"))
            tx.put(_port(name, number))
            intents = cast("Intents", tx)
            cause = Cause(Trigger.INTERFACE)
            binder.activate(intents, binder.prepare(intents, f"port-{name}", "h1", cause), cause)

    await store.transact(furnish, actor="test")
    for name in names:
        found.world.ports[name] = f"port-{name}"
        found.world.guests[name, "h1"] = Guest.RUNNING
    try:
        yield found
    finally:
        await store.close()


def _port(name: str, number: int) -> Port:
    return Port(
        id=f"port-{name}",
        project_id="red",
        network_id="net",
        name=name,
        mac_address=Mac(0xFA163E000000 + number),
        device_id=name,
        host_id="h1",
        key=number,
    )
