"""Overlace's own resources: sites, hosts, transit switches and links. Administrators only."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, ClassVar, TypeVar

from overlace.model import binder
from overlace.model.declaration import Attribute, Entity
from overlace.model.network import Segment
from overlace.model.port import Binding, BindingState
from overlace.model.replica import Replica
from overlace.model.site import Host, Link, PhysicalBridge, Site, TransitSwitch, TunnelEndpoint
from overlace.model.trail import Trail
from overlace.northbound.errors import BadRequest, Conflict, InvalidInput, NotFound
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
        """With a number of its own. Plans are made by name, so a host and a transit switch do not share one."""
        _refuse_name_of(operation, TransitSwitch, given["id"])
        _refuse_endpoints_of_others(operation, given["id"], given.get("endpoints", ()))
        _number_bridges(given, (), given.get("bridge", "br-overlace"))
        fields["key"] = operation.transaction.allocate("host_key")
        return super().new(operation, given, **fields)

    def update(self, operation: Operation, value: Host, given: dict[str, Any]) -> Host:
        """As for a new one."""
        _refuse_endpoints_of_others(operation, value.id, given.get("endpoints", ()))
        _number_bridges(given, value.physical_networks, value.bridge)
        kept = {each.physical_network for each in given.get("physical_networks", value.physical_networks)}
        self._refuse_unbridging(operation, value, kept)
        return super().update(operation, value, given)

    def delete(self, operation: Operation, value: Host) -> None:
        """Refused while ports are bound to it."""
        bindings = list(operation.transaction.members(Binding, "host", value.id))
        bound = [each.port_id for each in bindings if each.state is not BindingState.FENCED]
        if bound:
            raise self.refuse(value, f"bound ports: move or unplug {_listed(bound)} first")
        replicas = list(operation.transaction.members(Replica, "host", value.id))
        if kept := [each.id for each in replicas if not each.ending]:
            raise self.refuse(value, f"replicas of machines: stop those of {_listed(kept)} first")
        self.refuse_linked(operation, value)
        self._refuse_unbridging(operation, value, set())
        for ending in replicas:
            operation.transaction.delete(Replica, ending.id)
        for each in bindings:
            binder.remove(operation.transaction, each)
        for trail in list(operation.transaction.members(Trail, "host", value.id)):
            binder.forget(operation.transaction, trail)
        super().delete(operation, value)
        operation.transaction.release("host_key", value.key)

    def _refuse_unbridging(self, operation: Operation, value: Host, kept: set[str]) -> None:
        """Raise Conflict where a network would be cut from its physical network."""
        gone = {each.physical_network for each in value.physical_networks} - kept
        for other in operation.transaction.all(Host):
            if other.id != value.id:
                gone -= {each.physical_network for each in other.physical_networks}
        for segment in operation.transaction.all(Segment) if gone else ():
            if segment.physical_network in gone:
                raise Conflict(
                    "PhysicalNetworkInUse",
                    f"Network {segment.network_id} is bridged to physical network {segment.physical_network} by host "
                    f"{value.id} alone: remove segment {segment.id} first, or let another host bridge it.",
                )


class TransitSwitches(Infrastructure[TransitSwitch]):
    """Switches inside the fabric."""

    cls = TransitSwitch
    path = "overlace/transit-switches"

    def create(self, operation: Operation, given: dict[str, Any]) -> TransitSwitch:
        """Known by a name that no host has, and by a datapath id that no other switch says."""
        same = given["datapath_id"]
        if not 0 < same < 1 << 64:
            raise InvalidInput(f"datapath_id {same} is out of range (1 through {(1 << 64) - 1})")
        others: list[TransitSwitch | Host] = [*operation.transaction.all(TransitSwitch)]
        for other in (*others, *operation.transaction.all(Host)):
            if other.datapath_id == same:
                raise Conflict("DatapathIdInUse", f"Datapath id {same:016x} is that of {other.id}.")
        _refuse_name_of(operation, Host, given["id"])
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
        """Between two nodes that there are, at interfaces that have no other link."""
        _check_cost(given)
        if given["a_node"] == given["b_node"]:
            raise InvalidInput(f"a link joins two nodes, and {given['a_node']} is given twice")
        ends = ((given["a_node"], given["a_interface"]), (given["b_node"], given["b_interface"]))
        for node, _ in ends:
            if not (operation.transaction.get(Host, node) or operation.transaction.get(TransitSwitch, node)):
                raise NotFound("node", node)
        for node, interface in ends:
            for other in operation.transaction.members(Link, "node", node):
                if (node, interface) in (
                    (other.a_node, other.a_interface),
                    (other.b_node, other.b_interface),
                ):
                    raise Conflict("LinkExists", f"Interface {interface} of {node} has the link {other.id}.")
        return super().create(operation, given)

    def update(self, operation: Operation, value: Link, given: dict[str, Any]) -> Link:
        """Only the cost may change."""
        _check_cost(given)
        return super().update(operation, value, given)


def _check_cost(given: dict[str, Any]) -> None:
    if given.get("cost", 1) < 1:
        raise InvalidInput(f"cost {given['cost']} of a link is not positive")


def _number_bridges(given: dict[str, Any], present: tuple[PhysicalBridge, ...], own: str) -> None:
    """Give each bridge that a request names the number that it has, or a free one: patch ports go by it."""
    wanted: tuple[PhysicalBridge, ...] | None = given.get("physical_networks")
    if wanted is None:
        return
    names = [each.physical_network for each in wanted]
    if twice := next((each for each in names if names.count(each) > 1), None):
        raise InvalidInput(f"physical network {twice} is given twice")
    if any(each.bridge == own for each in wanted):
        raise InvalidInput(f"bridge {own} is Overlace's own, and leads into no physical network")
    known = {(each.physical_network, each.bridge): each.number for each in present}
    free = iter(sorted(set(range(1, 1000)) - set(known.values())))
    given["physical_networks"] = tuple(
        replace(each, number=known.get((each.physical_network, each.bridge)) or next(free)) for each in wanted
    )


def _refuse_endpoints_of_others(
    operation: Operation, host_id: str, endpoints: Iterable[TunnelEndpoint]
) -> None:
    """Raise for an address given twice: what is sent to one of the two would come out at the other."""
    wanted = [each.address for each in endpoints]
    for address in wanted:
        if wanted.count(address) > 1:
            raise InvalidInput(f"tunnel endpoint {address} is given twice")
    for other in operation.transaction.all(Host):
        same = [each for each in other.addresses if each in wanted and other.id != host_id]
        if same:
            raise Conflict(
                "EndpointInUse",
                f"Tunnel endpoint {same[0]} is that of host {other.id}: one of the two is misspelt, or a clone of the "
                f"other. Give {host_id} an address of its own, or change {other.id} first: "
                f"overlace host set {other.id} --endpoint ADDRESS",
            )


def _refuse_name_of(operation: Operation, cls: type[Host | TransitSwitch], name: str) -> None:
    if operation.transaction.get(cls, name) is not None:
        raise Conflict("NodeExists", f"The name {name} is taken by another node.")


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(sorted(names)[:_MOST_NAMED]) + more
