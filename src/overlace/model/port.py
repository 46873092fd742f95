"""Ports, and their bindings to hosts."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from overlace.kit.addresses import IPAddress, IPNetwork, Mac
from overlace.model.declaration import Index, api, resource


@dataclass(frozen=True, slots=True)
class FixedIp:
    """An address of a port, from one subnet of its network."""

    subnet_id: str
    ip_address: IPAddress


@dataclass(frozen=True, slots=True)
class AddressPair:
    """A further address that a port may send from; `mac_address` None means the port's own."""

    ip_address: IPNetwork
    mac_address: Mac | None = None


@dataclass(frozen=True, slots=True)
class DhcpOption:
    """An extra DHCP option, by Neutron's name or number."""

    opt_name: str
    opt_value: str
    ip_version: int = 4


def pair_macs(port: "Port") -> list[str]:
    """The MAC addresses of the port's allowed address pairs, as they stand in indexes."""
    macs = (pair.mac_address for pair in port.allowed_address_pairs if pair.mac_address is not None)
    return sorted({f"{mac:012x}" for mac in macs})


@resource(
    "port",
    "ports",
    Index("network", lambda p: [(p.network_id, "")]),
    Index("project", lambda p: [(p.project_id, "")]),
    Index("security_group", lambda p: [(group, "") for group in p.security_groups]),
    Index("address", lambda p: [(p.network_id, ip.ip_address) for ip in p.fixed_ips]),
    Index("mac", lambda p: [(p.network_id, p.mac_address)]),
    Index("pair_mac", lambda p: [(p.network_id, mac) for mac in pair_macs(p)]),
    Index("device", lambda p: [(p.device_id, "")] if p.device_id else []),
    Index("interface", lambda p: [(p.host_id, p.interface_name)] if p.interface_name else []),
)
@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """One network interface of one workload. `key` names it inside the pipeline for its life."""

    id: str = api(kind="uuid")
    project_id: str = api(post=True, kind="project")
    network_id: str = api(post=True, kind="uuid", required=True)
    name: str = api(post=True, put=True, default="")
    description: str = api(post=True, put=True, default="", value="")
    admin_state_up: bool = api(post=True, put=True, kind="bool", default=True, value=True)
    mac_address: Mac = api(post=True, put=True, kind="mac")
    fixed_ips: tuple[FixedIp, ...] = api(post=True, put=True, kind="fixed_ips", value=())
    device_id: str = api(post=True, put=True, default="", value="")
    device_owner: str = api(post=True, put=True, default="", value="")
    security_groups: tuple[str, ...] = api(post=True, put=True, kind="uuids", value=())
    port_security_enabled: bool = api(post=True, put=True, kind="bool", value=True)
    allowed_address_pairs: tuple[AddressPair, ...] = api(post=True, put=True, kind="address_pairs", value=())
    extra_dhcp_opts: tuple[DhcpOption, ...] = api(
        post=True, put=True, kind="dhcp_options", default=None, value=()
    )
    host_id: str = api(
        "binding:host_id", post=True, put=True, kind="name", value="", admin_only=True, admin_view=True
    )
    vnic_type: str = api("binding:vnic_type", post=True, put=True, default="normal", value="normal")
    interface_name: str = ""
    """The interface on `host_id` that is this port where nobody sets ``iface-id`` (binding:profile)."""
    profile: str = ""
    """What else binding:profile says, as JSON: compute services keep notes of theirs there."""
    tags: tuple[str, ...] = api(post=True, kind="tags", sort=False, value=())
    revision_number: int = api(kind="int", value=0)
    created_at: datetime | None = api(kind="timestamp", value=None)
    updated_at: datetime | None = api(kind="timestamp", value=None)
    key: int = 0
    generation: int = 0
    """The highest generation that any binding of the port has had."""


@resource("resting_address", "resting_addresses", Index("network", lambda r: [(r.network_id, "")]))
@dataclass(frozen=True, slots=True, kw_only=True)
class RestingAddress:
    """An address that a port of `project_id` has given back, while hosts may still take it for that port's: rules that
    permit members of a group go by address. `holder` is the key of the port, and tells one rest from the next."""

    network_id: str
    ip_address: IPAddress
    project_id: str
    holder: int
    since: datetime

    @property
    def id(self) -> str:
        """Network and address."""
        return f"{self.network_id}/{self.ip_address}"


class BindingState(Enum):
    """The states of DESIGN section 4. A port has at most one ACTIVE binding."""

    PREPARED = "prepared"
    """Wired at this host, silent but for the frame that activates it."""
    ACTIVE = "active"
    """The port's traffic goes to this host."""
    RELEASING = "releasing"
    """The port was active here until a newer generation took over; late frames are redirected."""
    FENCED = "fenced"
    """The port is elsewhere, and an interface that is still here neither sends nor receives."""


def binding_id(port_id: str, host_id: str) -> str:
    """The id of the binding of a port at a host."""
    return f"{port_id}@{host_id}"


def place_of(binding: str) -> tuple[str, str]:
    """Port and host of the binding with this id."""
    port_id, _, host_id = binding.partition("@")
    return port_id, host_id


@resource(
    "binding",
    "bindings",
    Index("port", lambda b: [(b.port_id, "")]),
    Index("host", lambda b: [(b.host_id, "")]),
    Index("place", lambda b: [(b.network_id, b.host_id)]),
    Index("passing", lambda b: [(b.state.value, "")] if b.state is not BindingState.ACTIVE else []),
)
@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """A port on a host. `generation` rises with each step of the port; `zone` is its conntrack zone. In `state` it
    is since `since`, because of `reason` where that is not plain. `profile` is what clients keep with it while it is
    not the active one, whose profile is the port's; None where nobody has said anything."""

    port_id: str
    network_id: str
    host_id: str
    state: BindingState
    generation: int
    zone: int
    since: datetime | None = None
    reason: str = ""
    profile: str | None = None

    @property
    def id(self) -> str:
        """Port and host make a binding what it is."""
        return binding_id(self.port_id, self.host_id)
