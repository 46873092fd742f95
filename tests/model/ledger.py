"""A store transaction's stand-in: intents kept in a snapshot, zones handed out in order."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from overlace.kit.revision import Revision
from overlace.model.declaration import InnerKey
from overlace.model.move import Move, move_id
from overlace.model.port import Binding
from overlace.model.snapshot import Snapshot


class Ledger:
    """Intents kept in a snapshot, zones handed out in order."""

    def __init__(self) -> None:
        self.snapshot = Snapshot.empty(Revision("test", 1, 0))
        self.allocated: set[tuple[str, int]] = set()
        self.released: list[tuple[str, int]] = []
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self._next = 1

    def get(self, cls: Any, key: str) -> Any:
        return self.snapshot.get(cls, key)

    def members(self, cls: Any, index: str, outer: str, inner: InnerKey = "") -> list[Any]:
        return list(self.snapshot.members(cls, index, outer, inner))

    def put(self, value: Any) -> None:
        self.snapshot = self.snapshot.put(value)

    def delete(self, cls: type, key: str) -> None:
        self.snapshot = self.snapshot.without(cls, key)

    def allocate(self, pool: str) -> int:
        self._next += 1
        self.allocated.add((pool, self._next))
        return self._next

    def release(self, pool: str, number: int) -> None:
        self.allocated.remove((pool, number))
        self.released.append((pool, number))

    def wait(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def receipt(self, generation: int, port_id: str = "p") -> Move:
        found = self.snapshot.get(Move, move_id(port_id, generation))
        assert found is not None
        return found

    def binding(self, host: str, port_id: str = "p") -> Binding:
        found = self.snapshot.get(Binding, f"{port_id}@{host}")
        assert found is not None
        return found

    def states(self) -> dict[str, tuple[str, int]]:
        found: Iterator[Binding] = self.snapshot.all(Binding)
        return {each.host_id: (each.state.value, each.generation) for each in found}
