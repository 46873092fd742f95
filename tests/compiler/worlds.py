"""Small worlds for tests of the compiler and the engine: hosts, tenants with equal addresses, bound ports."""

from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from overlace.compiler.reader import World
from overlace.kit.addresses import Mac
from overlace.kit.revision import Revision
from overlace.model.network import Network, Segment, Subnet
from overlace.model.observation import Observations
from overlace.model.policy import Direction, EtherType, SecurityGroup, SecurityGroupRule
from overlace.model.port import Binding, BindingState, FixedIp, Port
from overlace.model.site import Host, Site, TunnelEndpoint
from overlace.model.snapshot import Change, Key, Snapshot, touched_keys


@dataclass
class WorldBuilder:
    """Collects values; `world` is what the compiler gets, `dirty` what changed since it was last asked."""

    snapshot: Snapshot = field(default_factory=lambda: Snapshot.empty(Revision("test", 1, 0)))
    observations: Observations = field(default_factory=Observations)
    dirty: set[Key] = field(default_factory=set)

    @property
    def world(self) -> World:
        return World(self.snapshot, self.observations)

    def put(self, value: object) -> None:
        key: str = value.id  # type: ignore[attr-defined]
        before = self.snapshot.get(type(value), key)
        self.snapshot = self.snapshot.put(value)  # type: ignore[arg-type]
        self.dirty |= touched_keys(Change(type(value), key, before, value))

    def delete(self, cls: type, key: str) -> None:
        before = self.snapshot.get(cls, key)
        self.snapshot = self.snapshot.without(cls, key)
        self.dirty |= touched_keys(Change(cls, key, before, None))

    def ofport(self, host: str, port_id: str, number: int | None) -> None:
        self.observations = self.observations.with_ofport((host, port_id), number)
        self.dirty.add(("ofport", (host, port_id)))

    def take_dirty(self) -> set[Key]:
        dirty, self.dirty = self.dirty, set()
        return dirty

    def hosts(self, *names: str) -> None:
        self.put(Site(id="site-a"))
        for number, name in enumerate(names, start=1):
            endpoint = TunnelEndpoint(IPv4Address(f"10.1.0.{number}"))
            self.put(Host(id=name, site_id="site-a", endpoints=(endpoint,), key=number))

    def network(self, name: str, key: int) -> None:
        self.put(Network(id=name, project_id=f"project-{name}", name=name, key=key, mtu=1450))
        vni = 5000 + key
        self.put(Segment(id=f"segment-{name}", network_id=name, network_type="vxlan", segmentation_id=vni))
        self.put(
            Subnet(
                id=f"subnet-{name}",
                project_id=f"project-{name}",
                network_id=name,
                name="",
                cidr=ip_network("192.168.0.0/24"),
                gateway_ip=ip_address("192.168.0.1"),
            )
        )

    def group(self, name: str, key: int) -> None:
        self.put(SecurityGroup(id=name, project_id="project", name=name, key=key))

    def permit(self, group: str, number: int, direction: Direction, **more: object) -> None:
        rule = SecurityGroupRule(
            id=f"{group}-rule-{number}",
            project_id="project",
            security_group_id=group,
            direction=direction,
            **more,  # type: ignore[arg-type]
        )
        self.put(rule)

    def permit_everything(self, group: str) -> None:
        number = 0
        for direction in Direction:
            for ethertype in EtherType:
                self.permit(group, number, direction, ethertype=ethertype)
                number += 1

    def port(
        self, name: str, key: int, network: str, last_octet: int, *groups: str, mac: int | None = None
    ) -> Port:
        subnet = f"subnet-{network}"
        addresses = (
            FixedIp(subnet, IPv4Address(f"192.168.0.{last_octet}")),
            FixedIp(subnet, IPv6Address(f"fd00::{last_octet:x}")),
        )
        port = Port(
            id=name,
            project_id=f"project-{network}",
            network_id=network,
            name=name,
            mac_address=Mac(0x020000000000 | last_octet if mac is None else mac),
            fixed_ips=addresses,
            security_groups=groups,
            port_security_enabled=bool(groups),
            key=key,
        )
        self.put(port)
        return port

    def bind(
        self,
        port: Port,
        host: str,
        ofport: int | None,
        state: BindingState = BindingState.ACTIVE,
        generation: int = 1,
    ) -> None:
        self.put(
            Binding(
                port_id=port.id,
                network_id=port.network_id,
                host_id=host,
                state=state,
                generation=generation,
                zone=port.key,
            )
        )
        self.ofport(host, port.id, ofport)
