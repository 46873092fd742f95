"""An API over a store in memory, and a client that speaks to it."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

import httpx
import pytest
from tests.northbound.cloud import Cloud

from overlace.kit.clock import ManualClock
from overlace.kit.revision import Revision
from overlace.model.declaration import Entity, InnerKey
from overlace.model.replica import Replica
from overlace.model.snapshot import Snapshot
from overlace.northbound.application import create_application
from overlace.northbound.auth.none import NoAuthentication
from overlace.northbound.intents import Transaction
from overlace.northbound.views import Alarm, NotPossible, UnknownError, Views
from overlace.store.errors import NumberTaken, StoreUnavailable
from overlace.store.history import LoggedRevision, LogQuestion

V = TypeVar("V")
R = TypeVar("R")


@dataclass
class MemoryTransaction:
    """Works on a snapshot of its own."""

    snapshot: Snapshot
    clock: ManualClock
    pools: dict[str, set[int]]

    @property
    def now(self) -> datetime:
        return self.clock.now()

    def get(self, cls: type[V], key: str, /) -> V | None:
        return self.snapshot.get(cls, key)

    def all(self, cls: type[V], /) -> Iterator[V]:
        return self.snapshot.all(cls)

    def members(self, cls: type[V], index: str, outer: str, inner: InnerKey = "", /) -> Iterator[V]:
        return self.snapshot.members(cls, index, outer, inner)

    def count_members(self, cls: type, index: str, outer: str, inner: InnerKey = "", /) -> int:
        return self.snapshot.count_members(cls, index, outer, inner)

    def put(self, value: Entity, /) -> object:
        stamped: Any = value
        if hasattr(value, "revision_number"):
            before: Any = self.snapshot.get(type(value), value.id)
            if before == value:
                return before
            now = self.clock.now()
            stamped = replace(
                stamped,
                revision_number=1 if before is None else before.revision_number + 1,
                created_at=now if before is None else before.created_at,
                updated_at=now,
            )
        self.snapshot = self.snapshot.put(stamped)
        return stamped

    def delete(self, cls: type, key: str, /) -> object:
        self.snapshot = self.snapshot.without(cls, key)
        return None

    def touch(self, cls: type, key: str, /) -> object:
        value: Any = self.snapshot.get(cls, key)
        self.snapshot = self.snapshot.put(replace(value, revision_number=value.revision_number + 1))
        return None

    def allocate(self, pool: str, /) -> int:
        held = self.pools.setdefault(pool, set())
        number = next(n for n in range(1, 1 << 24) if n not in held)
        held.add(number)
        return number

    def request(self, pool: str, value: int, /) -> object:
        held = self.pools.setdefault(pool, set())
        if value in held:
            raise NumberTaken(f"{value} of {pool} is held")
        held.add(value)
        return None

    def release(self, pool: str, value: int, /) -> object:
        self.pools[pool].discard(value)
        return None


@dataclass(frozen=True)
class MemoryCommitted(Generic[R]):
    result: R
    revision: Revision


@dataclass
class MemoryStore:
    """Commits at once, forgets at exit."""

    clock: ManualClock = field(default_factory=ManualClock)
    snapshot: Snapshot = field(default_factory=lambda: Snapshot.empty(Revision("test", 1, 0)))
    pools: dict[str, set[int]] = field(default_factory=dict)
    history: list[tuple[str, str, str]] = field(default_factory=list)
    """Actor, request id and source of every commit."""

    async def transact(
        self, fn: Callable[[Transaction], R], *, actor: str, request_id: str, source: str
    ) -> MemoryCommitted[R]:
        pools = {name: set(held) for name, held in self.pools.items()}
        transaction = MemoryTransaction(self.snapshot, self.clock, pools)
        result = fn(transaction)
        self.snapshot = transaction.snapshot.at(self.snapshot.revision.next())
        self.pools = pools
        self.history.append((actor, request_id, source))
        return MemoryCommitted(result, self.snapshot.revision)


@dataclass
class StillWorld:
    """A process in which nothing has been realised yet, except what a test says."""

    active: set[str] = field(default_factory=set)
    alive: set[str] = field(default_factory=set)
    busy: set[str] = field(default_factory=set)
    unknown_ports: dict[str, list[Mapping[str, object]]] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    """Operations on switches, with the switch."""

    def port_status(self, port_id: str) -> str:
        return "ACTIVE" if port_id in self.active else "DOWN"

    def host_alive(self, host_id: str) -> bool:
        return host_id in self.alive

    def host_heartbeat(self, host_id: str) -> datetime | None:
        return datetime(2026, 1, 1, tzinfo=UTC) if host_id in self.alive else None

    def status(self) -> Mapping[str, object]:
        return {"revision": "test/1/0"}

    def port_realisation(self, port_id: str, *, with_hosts: bool) -> Mapping[str, object]:
        shown = {"port_id": port_id, "reasons": []}
        return shown | ({"pending": []} if with_hosts else {})

    def network_realisation(self, network_id: str, *, with_hosts: bool) -> Mapping[str, object]:
        return {"network_id": network_id, "with_hosts": with_hosts}

    def host_realisation(self, host_id: str) -> Mapping[str, object]:
        return {"host_id": host_id}

    async def trace(self, request: Mapping[str, object], project_id: str | None) -> Mapping[str, object]:
        if "source" not in request:
            raise ValueError("source is missing")
        if request["source"] == "nobody":
            raise UnknownError("port", "nobody")
        return {"verdict": "delivered", "asked_by": project_id}

    async def flows_of(self, word: str) -> Mapping[str, object]:
        return {"object": {"name": word}, "switches": []}

    def switches(self) -> Mapping[str, Mapping[str, object]]:
        return {name: {"connected": True, "phase": "in_sync"} for name in sorted(self.alive)}

    async def difference(self, name: str) -> Mapping[str, object]:
        if name in self.busy:
            raise NotPossible(f"{name} is busy")
        return {"name": name, "unknown_ports": self.unknown_ports.get(name, [])}

    async def resynchronise(self, name: str) -> Mapping[str, object]:
        return self._asked("resynchronise", name)

    async def audit(self, name: str) -> Mapping[str, object]:
        return self._asked("audit", name)

    async def adopt(self, name: str) -> Mapping[str, object]:
        return self._asked("adopt", name)

    async def allow_removal(self, name: str) -> Mapping[str, object]:
        return self._asked("allow_removal", name)

    def _asked(self, operation: str, name: str) -> Mapping[str, object]:
        if name in self.busy:
            raise NotPossible(f"{name} is busy")
        self.asked.append((operation, name))
        return {"phase": "comparing"}

    def liveness(self) -> Sequence[Mapping[str, object]]:
        return [
            {"host": "h1", "remote_host": "h2", "up": True},
            {"host": "h2", "remote_host": "h3", "up": False},
        ]

    def paths(self) -> Sequence[Mapping[str, object]]:
        return [{"source": "h1", "target": "h2", "carries": 1500}]

    def alarms(self) -> Sequence[Alarm]:
        return [Alarm("not heard", ("h2", "h3"), "h2 does not hear h3")]

    def procedure_progress(self, key: str, /) -> Mapping[str, object] | None:
        return {"percent": 50.0} if key in self.busy else None

    def procedure_problem(self, key: str, /) -> str:
        return "" if key in self.busy else "nobody carries it out here"

    def replica_status(self, replica: Replica, /) -> Mapping[str, object]:
        kept = replica.id in self.busy
        return {"age": 12.5 if kept else None, "promise_kept": kept, "progress": None, "problem": ""}

    async def examine(self, *, probe: bool) -> Sequence[Mapping[str, object]]:
        return [{"kind": "probed" if probe else "known", "severity": "note"}]

    async def log(self, question: LogQuestion, /) -> Sequence[LoggedRevision]:
        raise StoreUnavailable(f"this world remembers nothing: {question}")


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def world() -> StillWorld:
    return StillWorld()


@pytest.fixture
async def api(store: MemoryStore, world: StillWorld) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an API without authentication."""
    views = Views(world, world, world, world, world, world, world, world, world, world)
    application = create_application(store, views, NoAuthentication("127.0.0.1"), store.clock)
    transport = httpx.ASGITransport(application)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:9696") as client:
        yield client


@pytest.fixture
def cloud(api: httpx.AsyncClient) -> Cloud:
    """The same in one-line requests."""
    return Cloud(api)
