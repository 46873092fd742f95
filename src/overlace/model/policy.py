"""Security groups: what a port admits and what it may send (networking API v2.0)."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from overlace.kit.addresses import IPNetwork
from overlace.model.declaration import Index, api, resource


class Direction(Enum):
    """As seen from the port: ingress is towards it."""

    INGRESS = "ingress"
    EGRESS = "egress"


class EtherType(Enum):
    """The two families a rule may speak of."""

    IPV4 = "IPv4"
    IPV6 = "IPv6"


@resource(
    "security_group",
    "security_groups",
    Index("project", lambda g: [(g.project_id, "")]),
    Index("name", lambda g: [(g.project_id, g.name)]),
)
@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityGroup:
    """A named set of rules and, through the ports that carry it, a set of addresses."""

    id: str = api(kind="uuid")
    project_id: str = api(post=True, kind="project")
    name: str = api(post=True, put=True, default="")
    description: str = api(post=True, put=True, default="", value="")
    stateful: bool = api(post=True, put=True, kind="bool", default=True, value=True)
    shared: bool = api(kind="bool", value=False)
    tags: tuple[str, ...] = api(kind="tags", sort=False, value=())
    revision_number: int = api(kind="int", value=0)
    created_at: datetime | None = api(kind="timestamp", value=None)
    updated_at: datetime | None = api(kind="timestamp", value=None)
    key: int = 0


@resource(
    "security_group_rule",
    "security_group_rules",
    Index("security_group", lambda r: [(r.security_group_id, "")]),
    Index("project", lambda r: [(r.project_id, "")]),
    Index("remote_group", lambda r: [(r.remote_group_id, "")] if r.remote_group_id else []),
)
@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityGroupRule:
    """One permission. For ICMP the port range holds type and code, as in Neutron."""

    id: str = api(kind="uuid")
    project_id: str = api(post=True, kind="project")
    security_group_id: str = api(post=True, kind="uuid", required=True)
    direction: Direction = api(post=True, kind="direction", required=True)
    ethertype: EtherType = api(post=True, kind="ethertype", default="IPv4", value=EtherType.IPV4)
    protocol: str | None = api(post=True, kind="protocol", default=None, value=None)
    port_range_min: int | None = api(post=True, kind="port_range", default=None, value=None)
    port_range_max: int | None = api(post=True, kind="port_range", default=None, value=None)
    remote_ip_prefix: IPNetwork | None = api(post=True, kind="prefix", default=None, value=None)
    remote_group_id: str | None = api(post=True, kind="string_or_none", default=None, value=None)
    description: str = api(post=True, put=False, default="", value="")
    revision_number: int = api(kind="int", value=0)
    created_at: datetime | None = api(kind="timestamp", value=None)
    updated_at: datetime | None = api(kind="timestamp", value=None)
