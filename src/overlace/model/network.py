"""Tenant networks: networks, their segments, and subnets (networking API v2.0)."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from overlace.kit.addresses import IPAddress, IPNetwork
from overlace.model.declaration import Index, api, resource


class NetworkType(Enum):
    """The technologies that carry a segment; others may be added as entry points under their own name."""

    VXLAN = "vxlan"
    HOP_BY_HOP = "hop"


FLAT, VLAN = "flat", "vlan"
PHYSICAL = frozenset({FLAT, VLAN})
"""Types of segments that are not carried by Overlace, but bridged to what carries the network."""


@resource("network", "networks", Index("project", lambda n: [(n.project_id, "")]))
@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """A broadcast domain of one project. `key` names it in the pipeline of every switch."""

    id: str = api(kind="uuid")
    project_id: str = api(post=True, kind="project")
    name: str = api(post=True, put=True, default="")
    description: str = api(post=True, put=True, default="", value="")
    admin_state_up: bool = api(post=True, put=True, kind="bool", default=True, value=True)
    shared: bool = api(post=True, put=True, kind="bool", default=False, value=False, admin_only=True)
    external: bool = api(
        "router:external", post=True, put=True, kind="bool", default=False, value=False, admin_only=True
    )
    mtu: int = api(post=True, put=True, kind="mtu", default=0, value=0)
    port_security_enabled: bool = api(post=True, put=True, kind="bool", default=True, value=True)
    tags: tuple[str, ...] = api(kind="tags", sort=False, value=())
    revision_number: int = api(kind="int", value=0)
    created_at: datetime | None = api(kind="timestamp", value=None)
    updated_at: datetime | None = api(kind="timestamp", value=None)
    key: int = 0


@resource(
    "segment",
    "segments",
    Index("network", lambda s: [(s.network_id, "")]),
    Index(
        "physical",
        lambda s: [(s.physical_network, str(s.segmentation_id or 0))] if s.physical_network else [],
    ),
)
@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """How a network is carried: by which technology, where, and under which identifier on the wire."""

    id: str = api(kind="uuid")
    network_id: str = api(post=True, kind="uuid", required=True)
    network_type: str = api(post=True, kind="network_type", required=True)
    physical_network: str | None = api(post=True, kind="string_or_none", value=None)
    segmentation_id: int | None = api(post=True, kind="int_or_none", value=None)
    name: str = api(post=True, put=True, kind="text", value="")
    description: str = api(post=True, put=True, default="", kind="text", value="")
    implied: bool = False
    """Nobody asked for it: it carries between hosts a network that was asked for on a physical one."""
    revision_number: int = api(kind="int", value=0)
    created_at: datetime | None = api(kind="timestamp", value=None)
    updated_at: datetime | None = api(kind="timestamp", value=None)


@dataclass(frozen=True, slots=True)
class AllocationPool:
    """An inclusive range from which a subnet hands out addresses."""

    start: IPAddress
    end: IPAddress


@dataclass(frozen=True, slots=True)
class HostRoute:
    """A static route that DHCP hands out (option 121)."""

    destination: IPNetwork
    nexthop: IPAddress


@resource(
    "subnet",
    "subnets",
    Index("network", lambda s: [(s.network_id, "")]),
    Index("project", lambda s: [(s.project_id, "")]),
)
@dataclass(frozen=True, slots=True, kw_only=True)
class Subnet:
    """An address block of a network."""

    id: str = api(kind="uuid")
    project_id: str = api(post=True, kind="project")
    network_id: str = api(post=True, kind="uuid", required=True)
    name: str = api(post=True, put=True, default="")
    description: str = api(post=True, put=True, default="", value="")
    ip_version: int = api(post=True, kind="ip_version", required=True, value=4)
    cidr: IPNetwork = api(post=True, kind="cidr")
    gateway_ip: IPAddress | None = api(post=True, put=True, kind="ip_or_none", value=None)
    allocation_pools: tuple[AllocationPool, ...] = api(
        post=True, put=True, kind="pools", sort=False, value=()
    )
    dns_nameservers: tuple[IPAddress, ...] = api(post=True, put=True, kind="ips", sort=False, value=())
    host_routes: tuple[HostRoute, ...] = api(post=True, put=True, kind="routes", sort=False, value=())
    enable_dhcp: bool = api(post=True, put=True, kind="bool", default=True, value=True)
    ipv6_ra_mode: str | None = api(post=True, kind="ipv6_mode", value=None)
    ipv6_address_mode: str | None = api(post=True, kind="ipv6_mode", value=None)
    tags: tuple[str, ...] = api(kind="tags", sort=False, value=())
    revision_number: int = api(kind="int", value=0)
    created_at: datetime | None = api(kind="timestamp", value=None)
    updated_at: datetime | None = api(kind="timestamp", value=None)
