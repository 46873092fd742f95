"""What a resource's rules look like to the generic handler."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Generic, TypeVar, cast

from overlace.model.declaration import RESOURCES, Entity
from overlace.northbound.auth.caller import Caller
from overlace.northbound.configuration import NetworkingConfiguration
from overlace.northbound.intents import Reader, Transaction
from overlace.northbound.schema.attributes import Computed, Schema

V = TypeVar("V", bound=Entity)


@dataclass(frozen=True, slots=True)
class Operation:
    """One change in the making: the transaction, who asks, and the installation's constants."""

    transaction: Transaction
    caller: Caller
    configuration: NetworkingConfiguration


class Resource(Generic[V]):
    """Rules of one resource; the defaults suit a resource without any."""

    cls: ClassVar[type]
    path: ClassVar[str] = ""
    """Below /v2.0/, when it is not the collection's name with dashes."""
    computed: ClassVar[Mapping[str, Computed]] = {}
    filter_indexes: ClassVar[Mapping[str, str]] = {}
    """Filters that an index of the snapshot answers: API attribute -> index."""
    taggable: ClassVar[bool] = False
    admin_writes: ClassVar[bool] = False
    """Only administrators create, change or delete it."""

    def __init__(self) -> None:
        declared = RESOURCES[self.cls]
        self.kind = declared.kind
        self.collection = declared.collection
        self.location = self.path or declared.collection.replace("_", "-")
        self.schema = Schema(declared, self.computed)

    def create(self, operation: Operation, given: dict[str, Any]) -> V:
        """Make and put a new value from converted attributes."""
        value = self.construct(given)
        operation.transaction.put(value)
        return value

    def update(self, operation: Operation, value: V, given: dict[str, Any]) -> V:
        """Put a changed value."""
        changed = self.changed(value, given)
        operation.transaction.put(changed)
        return changed

    def delete(self, operation: Operation, value: V) -> None:
        """Remove a value and what belongs to it."""
        operation.transaction.delete(self.cls, value.id)

    def visible(self, value: V, caller: Caller, reader: Reader) -> bool:  # noqa: ARG002 - others need it
        """Whether this caller may know of it: administrators, and the project if it belongs to one."""
        return caller.is_admin or self.owned(value, caller)

    def owned(self, value: V, caller: Caller) -> bool:
        """Whether it belongs to the caller's project."""
        return bool(getattr(value, "project_id", None) == caller.project_id)

    def writable(self, value: V, operation: Operation) -> bool:
        """Whether a caller who is no administrator may change or delete it."""
        return self.owned(value, operation.caller)

    def needs_preparation(self, reader: Reader, project_id: str) -> bool:  # noqa: ARG002 - others need it
        """Whether a list has to be preceded by `prepare`."""
        return False

    def prepare(self, operation: Operation, project_id: str) -> None:
        """Put what every project has without asking."""

    def construct(self, given: Mapping[str, Any], **fields: Any) -> V:
        """A new value with a new id from those attributes that are fields, and further fields."""
        known = {self.schema.fields[name]: each for name, each in given.items() if name in self.schema.fields}
        if "id" in self.schema.fields:
            known.setdefault("id", str(uuid.uuid4()))
        if "project_id" not in self.schema.fields:
            known.pop("project_id", None)
        return cast(V, self.cls(**{**known, **fields}))

    def changed(self, value: V, given: Mapping[str, Any], **fields: Any) -> V:
        """The value with those attributes that are fields, and further fields."""
        known = {self.schema.fields[name]: each for name, each in given.items() if name in self.schema.fields}
        return cast(V, replace(cast(Any, value), **{**known, **fields}))
