"""Security group rules: which combinations make sense, and no rule twice."""

from typing import Any

from overlace.model.declaration import Attribute
from overlace.model.policy import EtherType, SecurityGroup, SecurityGroupRule
from overlace.northbound.conversion.rules import protocol_number
from overlace.northbound.errors import BadRequest, Conflict, NotFound
from overlace.northbound.resources.base import Operation, Resource
from overlace.northbound.resources.default_group import NAME
from overlace.northbound.schema.attributes import Computed, Perspective

_ICMP = (1, 58)
_WITH_PORTS = (6, 17, 33, 132, 136)
_ONLY_V6 = (41, 43, 44, 58, 59, 60)
"""Numbers of IPv6 itself, of its extension headers and of ICMPv6."""


def _of_default_group(rule: SecurityGroupRule, seen: Perspective) -> bool:
    group = seen.reader.get(SecurityGroup, rule.security_group_id)
    return group is not None and group.name == NAME


class SecurityGroupRules(Resource[SecurityGroupRule]):
    """The rules of rules; they are never updated."""

    cls = SecurityGroupRule
    filter_indexes = {"security_group_id": "security_group", "remote_group_id": "remote_group"}
    computed = {
        "belongs_to_default_sg": Computed(Attribute(kind="bool"), _of_default_group),
        "remote_address_group_id": Computed(Attribute(), lambda _, __: None),
    }

    def create(self, operation: Operation, given: dict[str, Any]) -> SecurityGroupRule:
        """Put a rule that is sound and new."""
        group = _group(operation, given["security_group_id"])
        if given["remote_group_id"] is not None:
            _group(operation, given["remote_group_id"])
        given["project_id"] = group.project_id
        if given["ethertype"] is EtherType.IPV6 and given["protocol"] in ("icmp", "icmpv6"):
            given["protocol"] = "ipv6-icmp"
        rule = self.construct(given)
        validate_rule(rule)
        _refuse_twin(operation, rule)
        operation.transaction.put(rule)
        operation.transaction.touch(SecurityGroup, group.id)
        return rule

    def delete(self, operation: Operation, value: SecurityGroupRule) -> None:
        """Remove it; its group counts the change."""
        operation.transaction.delete(SecurityGroupRule, value.id)
        if (group := operation.transaction.get(SecurityGroup, value.security_group_id)) is not None:
            operation.transaction.touch(SecurityGroup, group.id)


def _group(operation: Operation, group_id: str) -> SecurityGroup:
    group = operation.transaction.get(SecurityGroup, group_id)
    caller = operation.caller
    if group is None or not (caller.is_admin or group.project_id == caller.project_id):
        raise NotFound("security_group", group_id)
    return group


def validate_rule(rule: SecurityGroupRule) -> None:
    """Raise what the networking API raises about a rule that contradicts itself."""
    if rule.remote_ip_prefix is not None and rule.remote_group_id is not None:
        raise BadRequest(
            "Only remote_ip_prefix or remote_group_id may be provided.",
            "SecurityGroupRemoteGroupAndRemoteIpPrefix",
        )
    _validate_family(rule)
    number = protocol_number(rule.protocol)
    if number in _ICMP:
        _validate_icmp(rule)
    else:
        _validate_ports(rule, number)


def _validate_family(rule: SecurityGroupRule) -> None:
    prefix = rule.remote_ip_prefix
    version = 4 if rule.ethertype is EtherType.IPV4 else 6
    if prefix is not None and prefix.version != version:
        raise BadRequest(
            f"Conflicting value ethertype {rule.ethertype.value} for CIDR {prefix}",
            "SecurityGroupRuleParameterConflict",
        )
    if version == 4 and protocol_number(rule.protocol) in _ONLY_V6:
        raise BadRequest(
            f"Invalid ethertype IPv4 for protocol {rule.protocol}.",
            "SecurityGroupEthertypeConflictWithProtocol",
        )


def _validate_icmp(rule: SecurityGroupRule) -> None:
    for word, value in (("type", rule.port_range_min), ("code", rule.port_range_max)):
        if value is not None and not 0 <= value <= 255:
            raise BadRequest(f"Invalid value for ICMP {word}: {value}.", "SecurityGroupInvalidIcmpValue")
    if rule.port_range_min is None and rule.port_range_max is not None:
        raise BadRequest(
            f"ICMP code (port-range-max) {rule.port_range_max} is provided but ICMP type (port-range-min) "
            "is missing.",
            "SecurityGroupMissingIcmpType",
        )


def _validate_ports(rule: SecurityGroupRule, number: int | None) -> None:
    low, high = rule.port_range_min, rule.port_range_max
    if low is None and high is None:
        return
    if number is None:
        raise BadRequest(
            "Must also specify protocol if port range is given.", "SecurityGroupProtocolRequiredWithPorts"
        )  # noqa: E501
    if number not in _WITH_PORTS:
        raise BadRequest(
            f"Invalid protocol {rule.protocol} for port range, only supported for TCP, UDP, UDPLITE, SCTP "
            "and DCCP.",
            "SecurityGroupInvalidProtocolForPort",
        )
    if low is None or high is None or low > high:
        raise BadRequest(
            "For TCP/UDP protocols, port_range_min must be <= port_range_max", "SecurityGroupInvalidPortRange"
        )
    for value in (low, high):
        if not (0 < value <= 65535 or (value == 0 and low == high == 0)):
            raise BadRequest(f"Invalid value for port {value}", "SecurityGroupInvalidPortValue")


def _refuse_twin(operation: Operation, rule: SecurityGroupRule) -> None:
    for other in operation.transaction.members(SecurityGroupRule, "security_group", rule.security_group_id):
        if _essence(other) == _essence(rule):
            raise Conflict(
                "SecurityGroupRuleExists", f"Security group rule already exists. Rule id is {other.id}."
            )


def _essence(rule: SecurityGroupRule) -> tuple[object, ...]:
    prefix = rule.remote_ip_prefix
    return (
        rule.direction,
        rule.ethertype,
        protocol_number(rule.protocol),
        rule.port_range_min,
        rule.port_range_max,
        None if prefix is not None and prefix.prefixlen == 0 else prefix,
        rule.remote_group_id,
    )
