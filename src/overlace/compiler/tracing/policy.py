"""Why no security group of a port has let a packet pass, and which rule came closest."""

from collections.abc import Iterator

from overlace.compiler.cause_text import name_of, protocol_name, rule_text
from overlace.compiler.security_group import rule_conditions
from overlace.compiler.tracing.finding import Finding
from overlace.compiler.tracing.packet import addresses_of, service_text
from overlace.datapath.fields import EthType, Field
from overlace.datapath.interpreter.packet import Packet
from overlace.datapath.match import match
from overlace.model.policy import Direction, SecurityGroup, SecurityGroupRule
from overlace.model.port import Port
from overlace.model.snapshot import Snapshot


def policy_finding(snapshot: Snapshot, port: Port, direction: Direction, packet: Packet) -> Finding:
    """The finding for a packet that no rule of the port's groups permits."""
    towards, other = ("from", 0) if direction is Direction.INGRESS else ("to", 1)
    remote = addresses_of(packet)[other]
    groups = list(_groups(snapshot, port))
    if not groups:
        text = f"port {name_of(port)} has no security group, so nothing is permitted"
        cure = f"openstack port set --security-group GROUP {name_of(port)}"
        return Finding("no_security_group", text, cure, port.project_id)
    names = ", ".join(map(name_of, groups))
    asked = f"{service_text(packet)} {towards} {remote}"
    near = list(_nearly(snapshot, groups, direction, packet))
    cure = _cure(groups[0], direction, packet, remote)
    if near:
        rules = "; ".join(rule_text(each, snapshot) for each in near)
        text = (
            f"no {direction.value} rule of security groups {names} of port {name_of(port)} permits {asked}: "
        )
        text += f"{remote} is not a member as in {rules}"
        return Finding("remote_group", text, f"give the other port that group, or: {cure}", port.project_id)
    text = f"no {direction.value} rule of security groups {names} of port {name_of(port)} permits {asked}"
    return Finding("no_rule", text, cure, port.project_id)


def _groups(snapshot: Snapshot, port: Port) -> Iterator[SecurityGroup]:
    for key in port.security_groups:
        group = snapshot.get(SecurityGroup, key)
        if group is not None:
            yield group


def _nearly(
    snapshot: Snapshot, groups: list[SecurityGroup], direction: Direction, packet: Packet
) -> Iterator[SecurityGroupRule]:
    """Rules that would permit the packet, were the other end a member of their remote group."""
    for group in groups:
        for rule in snapshot.members(SecurityGroupRule, "security_group", group.id):
            if rule.direction is direction and rule.remote_group_id is not None and covers(rule, packet):
                yield rule


def covers(rule: SecurityGroupRule, packet: Packet) -> bool:
    """Whether the packet is as the rule says, its remote group left aside."""
    return any(
        all(packet[each.field] & each.mask == each.value for each in match(conditions))
        for conditions in rule_conditions(rule)
    )


def _cure(group: SecurityGroup, direction: Direction, packet: Packet, remote: str) -> str:
    family = "IPv4" if packet[Field.ETH_TYPE] == EthType.IPV4 else "IPv6"
    service = service_text(packet).split()
    protocol = protocol_name(packet[Field.IP_PROTO]).removeprefix("protocol ")
    port = f" --dst-port {service[1]}" if service[0] in ("tcp", "udp", "sctp") else ""
    return (
        f"openstack security group rule create --{direction.value} --ethertype {family} "
        f"--protocol {protocol}{port} --remote-ip {remote} {name_of(group)}"
    )
