"""Overlace's own resources: sites, hosts, transit switches and links. Administrators only."""

from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

from overlace.model import binder
from overlace.model.declaration import Attribute, Entity
from overlace.model.port import Binding, BindingState
from overlace.model.site import Host, Link, Site, TransitSwitch
from overlace.northbound.errors import BadRequest, Conflict, NotFound
from overlace.northbound.resources.base import Operation, Resource
from overlace.northbound.schema.attributes import Computed

V = TypeVar("V", bound=Entity)

_MOST_NAMED = 5


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
        kind = self.kind.replace("_", " ")
        return Conflict(f"{self.cls.__name__}InUse", f"The {kind} {value.id} still has {users}.")

    def refuse_linked(self, operation: Operation, value: V) -> None:
        """Raise Conflict while cables lead to a node."""
        links = [each.id for each in operation.transaction.members(Link, "node", value.id)]
        if links:
            raise self.refuse(value, f"links: remove {_listed(links)} first")


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
        bound = [each.port_id for each in bindings if each.state is not BindingState.FENCED]
        if bound:
            raise self.refuse(value, f"bound ports: move or unplug {_listed(bound)} first")
        self.refuse_linked(operation, value)
        for each in bindings:
            binder.remove(operation.transaction, each)
        super().delete(operation, value)
        operation.transaction.release("host_key", value.key)


class TransitSwitches(Infrastructure[TransitSwitch]):
    """Switches inside the fabric."""

    cls = TransitSwitch
    path = "overlace/transit-switches"

    def create(self, operation: Operation, given: dict[str, Any]) -> TransitSwitch:
        """With a datapath id that no other switch says."""
        same = given["datapath_id"]
        others: list[TransitSwitch | Host] = [*operation.transaction.all(TransitSwitch)]
        for other in (*others, *operation.transaction.all(Host)):
            if other.datapath_id == same:
                raise Conflict("DatapathIdInUse", f"Datapath id {same:016x} is that of {other.id}.")
        return super().create(operation, given)

    def delete(self, operation: Operation, value: TransitSwitch) -> None:
        """Refused while cables lead to it."""
        self.refuse_linked(operation, value)
        super().delete(operation, value)


class Links(Infrastructure[Link]):
    """Cables; the id is made of the two ends."""

    cls = Link
    path = "overlace/links"
    computed: ClassVar[Mapping[str, Computed]] = {"id": Computed(Attribute(), lambda link, _: link.id)}

    def create(self, operation: Operation, given: dict[str, Any]) -> Link:
        """Between nodes that there are."""
        for end in (given["a_node"], given["b_node"]):
            known = operation.transaction.get(Host, end) or operation.transaction.get(TransitSwitch, end)
            if known is None:
                raise NotFound("node", end)
        return super().create(operation, given)


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(sorted(names)[:_MOST_NAMED]) + more
