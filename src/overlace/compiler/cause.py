"""From a flow back to the logical object that it is there for, and from an object to the cookies of its flows.

A cookie names a class and a key. Where that is only a group, the rule that a flow stands for is found by
compiling the group's rules once more and comparing.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from overlace.compiler.cause_text import name_of, phrase, rule_text, table_of
from overlace.compiler.pipeline import GROUP, REMOTE_GROUP, Cookie, CookieClass, Table, cookie
from overlace.compiler.security_group import rule_conditions
from overlace.datapath.flow import Flow
from overlace.datapath.match import match
from overlace.model.network import Network
from overlace.model.policy import Direction, SecurityGroup, SecurityGroupRule
from overlace.model.port import Port
from overlace.model.site import Host
from overlace.model.snapshot import Snapshot

_RULE_TABLES: dict[Table | None, Direction] = {
    Table.EGRESS_RULE: Direction.EGRESS,
    Table.INGRESS_RULE: Direction.INGRESS,
}
_CLASSES_OF: dict[type, tuple[CookieClass, ...]] = {
    Port: (CookieClass.PORT, CookieClass.BINDING, CookieClass.LEARNED),
    Network: (CookieClass.NETWORK, CookieClass.SUBNET, CookieClass.PLACE),
    SecurityGroup: (CookieClass.SECURITY_GROUP, CookieClass.MEMBER),
    Host: (CookieClass.HOST, CookieClass.TRANSIT),
}
_CLASS_OF = {kind: cls for cls, kinds in _CLASSES_OF.items() for kind in kinds}

Owner = Port | Network | SecurityGroup | Host


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a flow is there. `project_id` is None for what belongs to no project (hosts, the base)."""

    kind: str
    """``port``, ``network``, ``security_group``, ``host``, ``base``, ``foreign`` or ``gone``."""
    id: str
    name: str
    project_id: str | None
    text: str
    """For people, with the object's name: ``security group web, rule tcp 80 from 10.0.0.0/8``."""
    rule_id: str = ""
    """The security group rule, where the flow stands for one."""


class Causes:
    """Finds the causes of flows in one snapshot; indexes the snapshot by key at first use."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot

    def of(self, flow: Flow) -> Cause:
        """The cause of a flow as the compiler wrote it. Never fails: what is nobody's is ``foreign``."""
        parsed = Cookie.parse(flow.cookie)
        if parsed is None:
            return Cause(
                "foreign", "", "", None, f"a flow that Overlace did not make (cookie {flow.cookie:#x})"
            )
        owner = self.owner(parsed)
        if owner is None:
            return self._ownerless(parsed, flow)
        rule = self.rule_of(flow, owner) if isinstance(owner, SecurityGroup) else None
        text = phrase(parsed.cookie_class, table_of(flow), owner, flow)
        if rule is not None:
            text += f", {rule_text(rule, self.snapshot)}"
        project = None if isinstance(owner, Host) else owner.project_id
        return Cause(_KIND[type(owner)], owner.id, name_of(owner), project, text, rule.id if rule else "")

    def owner(self, parsed: Cookie) -> Owner | None:
        """The object that a cookie names; None for the base and for what is gone."""
        cls = _CLASS_OF.get(parsed.cookie_class)
        return self._by_key.get((cls, parsed.key)) if cls else None

    def rule_of(self, flow: Flow, group: SecurityGroup) -> SecurityGroupRule | None:
        """The rule of the group that compiles to a flow like this; the first by id when several do."""
        direction = _RULE_TABLES.get(table_of(flow))
        rules = self.snapshot.members(SecurityGroupRule, "security_group", group.id)
        same = (
            each
            for each in sorted(rules, key=lambda each: each.id)
            if each.direction is direction and flow.match in self._matches(each, group)
        )
        return next(same, None)

    def _matches(self, rule: SecurityGroupRule, group: SecurityGroup) -> Iterator[object]:
        remote = None
        if rule.remote_group_id is not None:
            remote = self.snapshot.get(SecurityGroup, rule.remote_group_id)
            if remote is None:
                return
        key = 0 if remote is None else remote.key
        for conditions in rule_conditions(rule):
            yield match({GROUP: group.key, REMOTE_GROUP: key, **conditions})

    def _ownerless(self, parsed: Cookie, flow: Flow) -> Cause:
        if parsed.cookie_class in _CLASS_OF:
            what = f"an object that is gone ({parsed.cookie_class.name.lower()} key {parsed.key})"
            return Cause("gone", "", "", None, what)
        text = phrase(parsed.cookie_class, table_of(flow), None, flow)
        return Cause("base", "", "", None, text)

    @cached_property
    def _by_key(self) -> dict[tuple[type, int], Owner]:
        owners: list[Owner] = [
            *self.snapshot.all(Port),
            *self.snapshot.all(Network),
            *self.snapshot.all(SecurityGroup),
            *self.snapshot.all(Host),
        ]
        return {(type(each), each.key): each for each in owners}


_KIND: dict[type, str] = {
    Port: "port",
    Network: "network",
    SecurityGroup: "security_group",
    Host: "host",
}


def cookies_of(owner: Owner) -> tuple[int, ...]:
    """The cookies of all flows that are there for an object; those of a subnet count as its network's."""
    return tuple(cookie(each, owner.key) for each in _CLASSES_OF[type(owner)])
