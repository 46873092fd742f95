"""A laboratory as it is at one moment, in a form for people and for programs."""

from pathlib import Path

import msgspec

from overlace.lab import cabling
from overlace.lab.guests.guests import Guests
from overlace.lab.guests.presentation import GuestStatus, describe_guests
from overlace.lab.kernel_hosts import host
from overlace.lab.plan import Node, link_interfaces, make_plan
from overlace.lab.process import read_pidfile
from overlace.lab.relay_client import DirectionStatus, ask_relay
from overlace.lab.state import State, StateFile, Workload, lab_directory


class NodeStatus(msgspec.Struct, frozen=True):
    """A host or transit switch; `running` is whether both daemons of its Open vSwitch run.

    `datapath` is `system` for a host that is a machine of its own, with the datapath of its kernel; its `db_socket` is
    empty then. `links` maps the topology's links that end here to their interfaces.
    """

    name: str
    site: str
    kind: str
    datapath: str
    namespace: str
    db_socket: str
    environment: dict[str, str]
    endpoints: tuple[str, ...]
    management: str
    links: dict[str, str]
    running: bool


class LinkStatus(msgspec.Struct, frozen=True):
    """A link by name, whom it joins, and whether it is cut."""

    name: str
    ends: tuple[str, ...]
    cut: bool


class LabStatus(msgspec.Struct, frozen=True):
    """The whole laboratory.  `controller` is the address at which nodes reach the controller's namespace.

    `wan` is empty while the relay does not run.
    """

    name: str
    phase: str
    directory: str
    controller: str
    controller_namespace: str
    nodes: tuple[NodeStatus, ...]
    workloads: tuple[Workload, ...]
    guests: tuple[GuestStatus, ...]
    links: tuple[LinkStatus, ...]
    relay_running: bool
    wan: dict[str, tuple[DirectionStatus, ...]]


def describe(name: str, base: Path | None = None) -> LabStatus:
    """The state of a laboratory.  Raises `LabError` when there is none of that name."""
    directory = lab_directory(name, base)
    file = StateFile(directory)
    state = file.load()
    plan = make_plan(name, state.topology, directory)
    links = cabling.links(plan)
    relay_running = read_pidfile(directory / "relay.pid") is not None
    return LabStatus(
        name=name,
        phase=state.phase,
        directory=str(directory),
        controller=plan.controller,
        controller_namespace=plan.mgmt_namespace,
        nodes=tuple(_node(node, state) for node in plan.nodes),
        workloads=tuple(state.workloads.values()),
        guests=describe_guests(Guests(plan, file)),
        links=tuple(_link(link, state) for link in links),
        relay_running=relay_running,
        wan=ask_relay(directory, {}) if relay_running else {},
    )


def _node(node: Node, state: State) -> NodeStatus:
    return NodeStatus(
        name=node.name,
        site=node.site,
        kind="transit" if node.transit else "host",
        datapath="system" if node.kernel else "netdev",
        namespace=node.namespace,
        db_socket="" if node.kernel else str(node.db_socket),
        environment=node.environment,
        endpoints=node.endpoints,
        management=node.management,
        links=link_interfaces(state.topology, node.name),
        running=host.works(node) if node.kernel else _daemons_run(node),
    )


def _daemons_run(node: Node) -> bool:
    daemons = [read_pidfile(node.rundir / f"{daemon}.pid") for daemon in ("ovsdb-server", "ovs-vswitchd")]
    return None not in daemons


def _link(link: cabling.LinkInfo, state: State) -> LinkStatus:
    return LinkStatus(link.name, link.ends, link.name in state.cut)
