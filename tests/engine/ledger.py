"""A store transaction's stand-in: intents kept in a snapshot, zones handed out in order."""

from collections.abc import Iterator
from typing import Any

from overlace.kit.revision import Revision
from overlace.model.port import Binding
from overlace.model.snapshot import Snapshot


class Ledger:
    """Intents kept in a snapshot, zones handed out in order."""

    def __init__(self) -> None:
        self.snapshot = Snapshot.empty(Revision("test", 1, 0))
        self.released: list[tuple[str, int]] = []
        self._next = 1

    def get(self, cls: Any, key: str) -> Any:
        return self.snapshot.get(cls, key)

    def members(self, cls: Any, index: str, outer: str, inner: str = "") -> list[Any]:
        return list(self.snapshot.members(cls, index, outer, inner))

    def put(self, value: Any) -> None:
        self.snapshot = self.snapshot.put(value)

    def delete(self, cls: type, key: str) -> None:
        self.snapshot = self.snapshot.without(cls, key)

    def allocate(self, _pool: str) -> int:
        self._next += 1
        return self._next

    def release(self, pool: str, number: int) -> None:
        self.released.append((pool, number))

    def states(self) -> dict[str, tuple[str, int]]:
        found: Iterator[Binding] = self.snapshot.all(Binding)
        return {each.host_id: (each.state.value, each.generation) for each in found}
