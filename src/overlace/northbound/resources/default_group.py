"""The security group that every project has: made when first needed, open within itself and outwards."""

import uuid

from overlace.model.policy import Direction, EtherType, SecurityGroup, SecurityGroupRule
from overlace.northbound.intents import Transaction

NAME = "default"


def default_group(transaction: Transaction, project_id: str) -> SecurityGroup:
    """The default group of a project, made now if it has none."""
    for group in transaction.members(SecurityGroup, "name", project_id, NAME):
        return group
    group = SecurityGroup(
        id=str(uuid.uuid4()),
        project_id=project_id,
        name=NAME,
        description="Default security group",
        key=transaction.allocate("group_key"),
    )
    transaction.put(group)
    put_egress_rules(transaction, group)
    for ethertype in EtherType:
        transaction.put(_rule(group, Direction.INGRESS, ethertype, group.id))
    return group


def put_egress_rules(transaction: Transaction, group: SecurityGroup) -> None:
    """The two rules with which every group begins."""
    for ethertype in EtherType:
        transaction.put(_rule(group, Direction.EGRESS, ethertype, None))


def _rule(
    group: SecurityGroup, direction: Direction, ethertype: EtherType, remote: str | None
) -> SecurityGroupRule:
    return SecurityGroupRule(
        id=str(uuid.uuid4()),
        project_id=group.project_id,
        security_group_id=group.id,
        direction=direction,
        ethertype=ethertype,
        remote_group_id=remote,
    )
