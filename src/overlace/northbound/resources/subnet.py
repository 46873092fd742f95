"""Subnets: their prefix, gateway and pools, and what stands against deleting them."""

from typing import Any

from overlace.model.declaration import Attribute
from overlace.model.network import Network, Subnet
from overlace.model.port import Port
from overlace.northbound.auth.caller import Caller
from overlace.northbound.errors import BadRequest, Conflict, Forbidden, InvalidInput, NotFound
from overlace.northbound.intents import Reader
from overlace.northbound.resources.addressing import add_automatic_addresses, drop_automatic_addresses
from overlace.northbound.resources.base import Operation, Resource
from overlace.northbound.resources.mtu import refuse_narrow
from overlace.northbound.resources.subnet_layout import chosen_gateway, chosen_pools, validate_layout
from overlace.northbound.schema.attributes import Computed, Perspective


def _shared(subnet: Subnet, seen: Perspective) -> bool:
    network = seen.reader.get(Network, subnet.network_id)
    return network is not None and network.shared


class Subnets(Resource[Subnet]):
    """The rules of subnets."""

    cls = Subnet
    taggable = True
    filter_indexes = {"network_id": "network"}
    computed = {
        "shared": Computed(Attribute(kind="bool", visible=False), _shared),
        "prefixlen": Computed(Attribute(post=True, kind="int", visible=False)),
        "subnetpool_id": Computed(Attribute(post=True, kind="string_or_none"), lambda _, __: None),
        "use_default_subnetpool": Computed(Attribute(post=True, kind="bool", default=False, visible=False)),
        "segment_id": Computed(Attribute(post=True, kind="uuid_or_none", default=None), lambda _, __: None),
    }

    def create(self, operation: Operation, given: dict[str, Any]) -> Subnet:
        """Complete what was omitted, and give the ports of the network their automatic addresses."""
        network = _network(operation, given["network_id"])
        if network.project_id != given["project_id"] and not operation.caller.is_admin:
            raise Forbidden("(rule:create_subnet)")
        _refuse_unsupported(given)
        given["gateway_ip"] = chosen_gateway(given)
        given["allocation_pools"] = chosen_pools(given)
        subnet = self.construct(given)
        validate_layout(subnet)
        _refuse_overlap(operation, subnet)
        refuse_narrow(network.mtu, [subnet.ip_version])
        operation.transaction.put(subnet)
        operation.transaction.touch(Network, network.id)
        add_automatic_addresses(operation, subnet)
        return subnet

    def update(self, operation: Operation, value: Subnet, given: dict[str, Any]) -> Subnet:
        """Change it; the result has to be as sound as a new one."""
        changed = self.changed(value, given)
        validate_layout(changed)
        if changed.gateway_ip != value.gateway_ip:
            _refuse_gateway_in_use(operation, changed)
        operation.transaction.put(changed)
        return changed

    def delete(self, operation: Operation, value: Subnet) -> None:
        """Remove it, and its automatic addresses from ports. Refused while others are in use."""
        drop_automatic_addresses(operation, value)
        for port in operation.transaction.members(Port, "network", value.network_id):
            if any(fixed.subnet_id == value.id for fixed in port.fixed_ips):
                raise Conflict(
                    "SubnetInUse",
                    f"Unable to complete operation on subnet {value.id}: "
                    "One or more ports have an IP allocation from this subnet.",
                )
        operation.transaction.delete(Subnet, value.id)
        if (network := operation.transaction.get(Network, value.network_id)) is not None:
            operation.transaction.touch(Network, network.id)

    def visible(self, value: Subnet, caller: Caller, reader: Reader) -> bool:
        """As its network is."""
        if caller.is_admin or self.owned(value, caller):
            return True
        network = reader.get(Network, value.network_id)
        return network is not None and (
            network.shared or network.external or network.project_id == caller.project_id
        )


def _network(operation: Operation, network_id: str) -> Network:
    network = operation.transaction.get(Network, network_id)
    caller = operation.caller
    if network is None or not (caller.is_admin or network.shared or network.project_id == caller.project_id):
        raise NotFound("network", network_id)
    return network


def _refuse_unsupported(given: dict[str, Any]) -> None:
    if given.get("subnetpool_id") is not None or given.get("use_default_subnetpool"):
        raise BadRequest("Subnet pools are not supported.", "InvalidInput")
    if given.get("segment_id") is not None:
        raise BadRequest("Subnets of a single segment are not supported.", "InvalidInput")
    if "cidr" not in given:
        raise BadRequest("a subnetpool must be specified in the absence of a cidr", "BadRequest")
    if "prefixlen" in given:
        raise BadRequest("prefixlen goes with a subnet pool, not with a cidr", "BadRequest")


def _refuse_overlap(operation: Operation, subnet: Subnet) -> None:
    for other in operation.transaction.members(Subnet, "network", subnet.network_id):
        if other.ip_version == subnet.ip_version and other.cidr.overlaps(subnet.cidr):
            raise InvalidInput(
                f"Requested subnet with cidr: {subnet.cidr} for network: {subnet.network_id} "
                "overlaps with another subnet"
            )


def _refuse_gateway_in_use(operation: Operation, subnet: Subnet) -> None:
    if subnet.gateway_ip is None:
        return
    address = subnet.gateway_ip
    for port in operation.transaction.members(Port, "address", subnet.network_id, address):
        raise Conflict("GatewayIpInUse", f"Current gateway ip {address} already in use by port {port.id}.")
