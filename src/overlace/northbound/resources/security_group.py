"""Security groups: the default one of each project, the rules they begin with, and when they may go."""

from typing import Any

from overlace.model.declaration import Attribute
from overlace.model.policy import SecurityGroup, SecurityGroupRule
from overlace.model.port import Port
from overlace.northbound.errors import Conflict
from overlace.northbound.intents import Reader
from overlace.northbound.resources.base import Operation, Resource
from overlace.northbound.resources.default_group import NAME, default_group, put_egress_rules
from overlace.northbound.resources.quota import check_quota
from overlace.northbound.resources.security_group_rule import SecurityGroupRules
from overlace.northbound.schema.attributes import Computed, Perspective

_RULES = SecurityGroupRules()


def _rules(group: SecurityGroup, seen: Perspective) -> list[dict[str, Any]]:
    rules = seen.reader.members(SecurityGroupRule, "security_group", group.id)
    return [_RULES.schema.show_public(rule, seen) for rule in sorted(rules, key=lambda each: each.id)]


class SecurityGroups(Resource[SecurityGroup]):
    """The rules of security groups."""

    cls = SecurityGroup
    taggable = True
    computed = {"security_group_rules": Computed(Attribute(filter=False, sort=False), _rules)}

    def needs_preparation(self, reader: Reader, project_id: str) -> bool:
        """Whether the project has no default group yet."""
        return not any(True for _ in reader.members(SecurityGroup, "name", project_id, NAME))

    def prepare(self, operation: Operation, project_id: str) -> None:
        """Whoever looks at groups finds a default one."""
        default_group(operation.transaction, project_id)

    def create(self, operation: Operation, given: dict[str, Any]) -> SecurityGroup:
        """Make a group that lets everything out."""
        _refuse_default_name(given["name"])
        default_group(operation.transaction, given["project_id"])
        group = self.construct(given, key=operation.transaction.allocate("group_key"))
        operation.transaction.put(group)
        put_egress_rules(operation.transaction, group)
        check_quota(operation, "security_group_rule", SecurityGroupRule, group.project_id)
        return group

    def update(self, operation: Operation, value: SecurityGroup, given: dict[str, Any]) -> SecurityGroup:
        """The default group keeps its name; a group in use keeps its statefulness."""
        if given.get("name", value.name) != value.name:
            if value.name == NAME:
                raise Conflict(
                    "SecurityGroupCannotUpdateDefault", "Updating default security group not allowed."
                )
            _refuse_default_name(given["name"])
        if given.get("stateful", value.stateful) != value.stateful and self._used(operation, value):
            raise _in_use(value)
        return super().update(operation, value, given)

    def delete(self, operation: Operation, value: SecurityGroup) -> None:
        """Remove it with its rules. Refused while ports carry it."""
        if value.name == NAME and not operation.caller.is_admin:
            raise Conflict(
                "SecurityGroupCannotRemoveDefault", "Insufficient rights for removing default security group."
            )  # noqa: E501
        if self._used(operation, value):
            raise _in_use(value)
        transaction = operation.transaction
        for rule in list(transaction.members(SecurityGroupRule, "security_group", value.id)):
            transaction.delete(SecurityGroupRule, rule.id)
        for rule in list(transaction.members(SecurityGroupRule, "remote_group", value.id)):
            transaction.delete(SecurityGroupRule, rule.id)
        transaction.delete(SecurityGroup, value.id)
        transaction.release("group_key", value.key)

    @staticmethod
    def _used(operation: Operation, value: SecurityGroup) -> bool:
        return any(True for _ in operation.transaction.members(Port, "security_group", value.id))


def _refuse_default_name(name: str) -> None:
    if name.lower() == NAME:
        raise Conflict("SecurityGroupDefaultAlreadyExists", "Default security group already exists.")


def _in_use(group: SecurityGroup) -> Conflict:
    return Conflict("SecurityGroupInUse", f"Security Group {group.id} in use.")
