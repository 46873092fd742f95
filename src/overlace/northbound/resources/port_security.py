"""Security groups, address pairs and port security: what goes together on a port."""

from typing import Any

from overlace.model.policy import SecurityGroup
from overlace.model.port import DhcpOption, Port
from overlace.northbound.errors import BadRequest, Conflict, NotFound
from overlace.northbound.resources.base import Operation
from overlace.northbound.resources.default_group import default_group

_NETWORK_OWNED = "network:"


def initial_groups(operation: Operation, given: dict[str, Any]) -> tuple[str, ...]:
    """The given groups, or the project's default group on a workload's port with port security."""
    if "security_groups" in given:
        wanted: tuple[str, ...] = given["security_groups"]
        require_groups(operation, wanted)
        return wanted
    owned_by_network = str(given.get("device_owner", "")).startswith(_NETWORK_OWNED)
    if not given["port_security_enabled"] or owned_by_network:
        return ()
    return (default_group(operation.transaction, given["project_id"]).id,)


def require_groups(operation: Operation, group_ids: tuple[str, ...]) -> None:
    """Raise NotFound for a group that the caller has not, Conflict for groups that do not go together."""
    kinds = set()
    for group_id in group_ids:
        group = operation.transaction.get(SecurityGroup, group_id)
        caller = operation.caller
        if group is None or not (caller.is_admin or group.project_id == caller.project_id):
            raise NotFound("security_group", group_id)
        kinds.add(group.stateful)
    if len(kinds) > 1:
        raise Conflict(
            "SecurityGroupConflict",
            "Cannot apply both stateful and stateless security groups on the same port.",
        )


def validate(port: Port) -> None:
    """Raise what the networking API raises about a port whose security contradicts itself."""
    for pair in port.allowed_address_pairs:
        if pair.ip_address.prefixlen == 0:
            raise BadRequest("0 is not allowed as CIDR prefix length of an address pair", "InvalidInput")
    if port.port_security_enabled:
        return
    if port.security_groups:
        raise Conflict(
            "PortSecurityPortHasSecurityGroup",
            "Port has security group associated. Cannot disable port security or IP address until security "
            "group is removed.",
        )
    if port.allowed_address_pairs:
        raise Conflict(
            "AddressPairAndPortSecurityRequired",
            "Port Security must be enabled in order to have allowed address pairs on a port.",
        )


def merged_options(port: Port, given: tuple[DhcpOption, ...]) -> tuple[DhcpOption, ...]:
    """The port's options with those of an update; one without a value is taken away."""
    options = {(each.opt_name, each.ip_version): each for each in port.extra_dhcp_opts}
    options.update({(each.opt_name, each.ip_version): each for each in given})
    return tuple(each for each in options.values() if each.opt_value)
