"""Overlace's own resources: sites, hosts, transit switches and links. Administrators only."""

from typing import Any, ClassVar, TypeVar

from overlace.model import binder
from overlace.model.declaration import Entity
from overlace.model.port import Binding, BindingState
from overlace.model.site import Host, Link, Site, TransitSwitch
from overlace.northbound.errors import BadRequest, Conflict, NotFound
from overlace.northbound.resources.base import Operation, Resource

V = TypeVar("V", bound=Entity)


class Infrastructure(Resource[V]):
    """What these have in common: names given by the operator, one of each, administrators only."""

    admin_writes: ClassVar[bool] = True

    def new(self, operation: Operation, given: dict[str, Any], **fields: Any) -> V:
        """Put a value of a name that is not taken."""
        if given.get("id") == "":
            raise BadRequest("Invalid input for id. Reason: it is empty.")
        value = self.construct(given, **fields)
        if operation.transaction.get(self.cls, value.id) is not None:
            raise Conflict(f"{self.cls.__name__}Exists", f"There is a {self.kind} {value.id} already.")
        operation.transaction.put(value)
        return value

    def create(self, operation: Operation, given: dict[str, Any]) -> V:
        """A new one; what it names has to be there."""
        if "site_id" in given and operation.transaction.get(Site, given["site_id"]) is None:
            raise NotFound("site", given["site_id"])
        return self.new(operation, given)

    def refuse(self, value: V, users: str) -> Conflict:
        """The refusal to delete what is in use."""
        return Conflict(f"{self.cls.__name__}InUse", f"The {self.kind} {value.id} still has {users}.")


class Sites(Infrastructure[Site]):
    """Places."""

    cls = Site
    path = "overlace/sites"

    def delete(self, operation: Operation, value: Site) -> None:
        """Refused while hosts or switches are there."""
        if any(True for _ in operation.transaction.members(Host, "site", value.id)):
            raise self.refuse(value, "hosts")
        if any(each.site_id == value.id for each in operation.transaction.all(TransitSwitch)):
            raise self.refuse(value, "transit switches")
        super().delete(operation, value)


class Hosts(Infrastructure[Host]):
    """Hypervisors."""

    cls = Host
    path = "overlace/hosts"

    def new(self, operation: Operation, given: dict[str, Any], **fields: Any) -> Host:
        """With a number of its own."""
        fields["key"] = operation.transaction.allocate("host_key")
        return super().new(operation, given, **fields)

    def delete(self, operation: Operation, value: Host) -> None:
        """Refused while ports are bound to it."""
        bindings = list(operation.transaction.members(Binding, "host", value.id))
        if any(each.state is not BindingState.FENCED for each in bindings):
            raise self.refuse(value, "bound ports")
        for each in bindings:
            binder.remove(operation.transaction, each)
        super().delete(operation, value)
        operation.transaction.release("host_key", value.key)


class TransitSwitches(Infrastructure[TransitSwitch]):
    """Switches inside the fabric."""

    cls = TransitSwitch
    path = "overlace/transit-switches"


class Links(Infrastructure[Link]):
    """Cables; the id is made of the two ends."""

    cls = Link
    path = "overlace/links"

    def create(self, operation: Operation, given: dict[str, Any]) -> Link:
        """Between nodes that there are."""
        for end in (given["a_node"], given["b_node"]):
            known = operation.transaction.get(Host, end) or operation.transaction.get(TransitSwitch, end)
            if known is None:
                raise NotFound("node", end)
        return super().create(operation, given)
