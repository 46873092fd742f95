"""What the rules of the model need of a transaction, structurally."""

from datetime import datetime
from typing import Any, Protocol, TypeVar

from overlace.model.declaration import InnerKey

V = TypeVar("V")


class Intents(Protocol):
    """The part of a store transaction that bindings and receipts need."""

    @property
    def now(self) -> datetime:
        """The time of the transaction, in UTC."""
        ...

    def get(self, cls: type[V], key: str, /) -> V | None:
        """The value, or None."""
        ...

    def members(self, cls: type[V], index: str, outer: str, inner: InnerKey = "", /) -> Any:
        """The values under an index."""
        ...

    def put(self, value: Any, /) -> object:
        """Write a value."""
        ...

    def delete(self, cls: type, key: str, /) -> object:
        """Remove a value."""
        ...

    def allocate(self, pool: str, /) -> int:
        """Take a free number of a pool."""
        ...

    def release(self, pool: str, number: int, /) -> object:
        """Give a number back; it rests until nobody can hold it any more."""
        ...
