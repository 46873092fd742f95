"""The physical side: sites, hosts with their tunnel endpoints, transit switches and the links between."""

from dataclasses import dataclass

from overlace.kit.addresses import IPAddress
from overlace.model.declaration import Index, api, resource


@resource("site", "sites")
@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A place with its own underlay. `mtu` is the largest IP packet it carries."""

    id: str = api(kind="name", post=True, required=True)
    description: str = api(post=True, put=True, default="", value="")
    mtu: int = api(post=True, put=True, kind="mtu", default=1500, value=1500)


@dataclass(frozen=True, slots=True)
class TunnelEndpoint:
    """An underlay address at which a host ends tunnels; lower `preference` is tried first."""

    address: IPAddress
    preference: int = 0


@dataclass(frozen=True, slots=True)
class PhysicalBridge:
    """A bridge of the host's owner that leads into a physical network; `number` tells it from the host's others."""

    physical_network: str
    bridge: str
    number: int = 1


@resource(
    "host",
    "hosts",
    Index("site", lambda h: [(h.site_id, "")]),
    Index("everywhere", lambda h: [("", h.id)]),
    Index("physical_network", lambda h: [(each.physical_network, h.id) for each in h.physical_networks]),
)
@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """A hypervisor. `id` is its name, which its database and certificate must say; `key` is its number."""

    id: str = api(kind="name", post=True, required=True)
    site_id: str = api(post=True, required=True)
    endpoints: tuple[TunnelEndpoint, ...] = api(post=True, put=True, kind="endpoints", sort=False, value=())
    bridge: str = api(post=True, default="br-overlace", value="br-overlace")
    datapath_id: int = api(kind="int", value=0)
    fabric_interface: str = api(post=True, put=True, default="", value="")
    """The interface that leads into a fabric of transit switches; empty where there is none."""
    observe_only: bool = api(post=True, put=True, kind="bool", default=False, value=False)
    description: str = api(post=True, put=True, default="", value="")
    projects: tuple[str, ...] = api(post=True, put=True, kind="strings", sort=False, value=())
    """The projects that may use this host; empty means all."""
    physical_networks: tuple[PhysicalBridge, ...] = api(
        post=True, put=True, kind="physical_bridges", sort=False, value=()
    )
    """Into which physical networks it can bridge, and where Overlace may put a patch port for that."""
    key: int = 0

    @property
    def addresses(self) -> tuple[IPAddress, ...]:
        """The tunnel addresses, best first."""
        ordered = sorted(self.endpoints, key=lambda endpoint: endpoint.preference)
        return tuple(endpoint.address for endpoint in ordered)


@resource("transit_switch", "transit_switches")
@dataclass(frozen=True, slots=True, kw_only=True)
class TransitSwitch:
    """An OpenFlow switch inside the fabric that hop-by-hop networks cross."""

    id: str = api(kind="name", post=True, required=True)
    site_id: str = api(post=True, required=True)
    datapath_id: int = api(post=True, kind="int", required=True)


@resource("link", "links", Index("node", lambda link: [(link.a_node, ""), (link.b_node, "")]))
@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A cable between two nodes (hosts or transit switches), by interface name; `cost` for shortest path."""

    a_node: str = api(post=True, required=True)
    a_interface: str = api(post=True, required=True)
    b_node: str = api(post=True, required=True)
    b_interface: str = api(post=True, required=True)
    cost: int = api(post=True, put=True, kind="int", default=1, value=1)

    @property
    def id(self) -> str:
        """The two ends in the order they were given."""
        return f"{self.a_node}:{self.a_interface}-{self.b_node}:{self.b_interface}"
