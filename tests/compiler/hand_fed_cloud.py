"""A laboratory whose switches are filled by ovs-ofctl from the compiler's plan: no southbound in between.

So a failure here is the compiler's, whatever the rest of the product does.
"""

import re
from dataclasses import replace
from ipaddress import ip_address
from typing import Self

from tests.compiler.worlds import WorldBuilder

from overlace.compiler.compiler import Compiler
from overlace.compiler.pipeline import TUNNEL_OFPORT
from overlace.datapath.flow import Group, Meter
from overlace.datapath.text import format_flow, format_group, format_meter
from overlace.lab.lab import Lab
from overlace.model.policy import Direction, EtherType
from overlace.model.port import Binding, BindingState, Port
from overlace.model.site import Host, TunnelEndpoint

BRIDGE = "br-overlace"
HOSTS = ("h1", "h2", "h3", "h4")


class HandFedCloud:
    """Two tenants with the same addresses and one port each on every host: red1..red4, blue1..blue4."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.world = WorldBuilder()
        self.compiler = Compiler()
        self.ports: dict[str, Port] = {}
        self._generations: dict[str, int] = {}
        self._groups: dict[str, set[Group]] = {host: set() for host in HOSTS}
        self._meters: dict[str, set[Meter]] = {host: set() for host in HOSTS}

    @classmethod
    def build(cls, lab: Lab) -> Self:
        cloud = cls(lab)
        cloud.world.hosts(*HOSTS)
        for host in HOSTS:
            cloud._join(host)
        for key, tenant in enumerate(("red", "blue"), start=1):
            cloud._tenant(tenant, key)
        for key, name in enumerate(
            (f"{tenant}{n}" for tenant in ("red", "blue") for n in range(1, 5)), start=1
        ):
            cloud._workload(name, key)
        cloud.push()
        return cloud

    def _join(self, host: str) -> None:
        known = self.world.snapshot.get(Host, host)
        assert known is not None
        address = ip_address(self.lab.host(host).endpoints[0])
        self.world.put(replace(known, endpoints=(TunnelEndpoint(address),)))
        bridge = f"add-br {BRIDGE} -- set bridge {BRIDGE} datapath_type=netdev fail-mode=secure"
        options = f"options:remote_ip=flow options:key=flow ofport_request={TUNNEL_OFPORT}"
        port = f"add-port {BRIDGE} vx -- set interface vx type=vxlan {options}"
        command = f"ovs-vsctl {bridge} other-config:disable-in-band=true -- {port}"
        self.lab.host_run(host, command.split())
        self._ofctl(host, "set-frags", BRIDGE, "nx-match")  # as the southbound does

    def _tenant(self, tenant: str, key: int) -> None:
        self.world.network(tenant, key)
        self.world.group(tenant, key)
        for number, family in enumerate(EtherType):
            self.world.permit(tenant, number, Direction.EGRESS, ethertype=family)
            self.world.permit(
                tenant, 10 + number, Direction.INGRESS, ethertype=family, remote_group_id=tenant
            )

    def _workload(self, name: str, key: int) -> None:
        tenant, host = name[:-1], f"h{name[-1]}"
        octet = 10 + int(name[-1])
        self.ports[name] = self.world.port(name, key, tenant, octet, tenant)
        self.lab.attach(
            host,
            name,
            mac=f"02:00:00:00:00:{octet:02x}",
            iface_id=name,
            ips=[f"192.168.0.{octet}/24", f"fd00::{octet:x}/64"],
            bridge=BRIDGE,
        )
        self._generations[name] = 1
        self.world.bind(self.ports[name], host, self._ofport(host, name))

    def _ofport(self, host: str, name: str) -> int:
        find = [
            "ovs-vsctl",
            "--bare",
            "--columns=ofport",
            "find",
            "interface",
            f"external_ids:iface-id={name}",
        ]
        return int(self.lab.host_run(host, find).stdout.split()[0])

    def push(self) -> None:
        """Compile what changed, and make every switch hold the plan and nothing else."""
        self.compiler.advance(self.world.world, self.world.take_dirty())
        for host in HOSTS:
            plan = self.compiler.switch_plan(host)
            groups = {group for fragment in plan.values() for group in fragment.groups}
            for group in groups - self._groups[host]:
                self._ofctl(host, "--may-create", "mod-group", BRIDGE, format_group(group))
            self._groups[host] = groups
            text = "\n".join(format_flow(flow) for fragment in plan.values() for flow in fragment.flows)
            meters = {meter for fragment in plan.values() for meter in fragment.meters}
            for meter in meters - self._meters[host]:
                self._ofctl(host, "add-meter", BRIDGE, format_meter(meter))
            self._meters[host] |= meters
            self._ofctl(host, "--bundle", "replace-flows", BRIDGE, "-", stdin=text)

    def _ofctl(self, host: str, *words: str, stdin: str = "") -> None:
        self.lab.host_run(host, ["ovs-ofctl", "-O", "OpenFlow15", *words], stdin=stdin)

    def prepare(self, name: str, host: str) -> None:
        """The workload's interface is at `host` too, and the peers are armed."""
        self.lab.prepare_move(name, host)
        self._generations[name] += 1
        ofport = self._ofport(host, name)
        self.world.bind(self.ports[name], host, ofport, BindingState.PREPARED, self._generations[name])
        self.push()

    def finish(self, name: str, host: str) -> None:
        """What the controller does once it knows of the move, then the end of the old interface."""
        for binding in list(self.world.snapshot.members(Binding, "port", name)):
            here = binding.host_id == host
            self.world.put(replace(binding, state=BindingState.ACTIVE if here else BindingState.RELEASING))
        self.push()
        self.lab.release_move(name)
        for binding in list(self.world.snapshot.members(Binding, "port", name)):
            if binding.host_id != host:
                self.world.ofport(binding.host_id, name, None)
                self.world.delete(Binding, binding.id)
        self.push()

    def ping(self, name: str, address: str, count: int = 2) -> int:
        """How many of `count` echo requests were answered."""
        command = ["ping", "-c", str(count), "-i", "0.1", "-W", "1", address]
        return received(self.lab.exec(name, command, check=False).stdout)


def received(ping_output: str) -> int:
    """Read the summary line of ping(8)."""
    found = re.search(r"(\d+) received", ping_output)
    assert found is not None, ping_output
    return int(found[1])
