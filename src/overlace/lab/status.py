"""A laboratory as it is at one moment, in a form for people and for programs."""

from pathlib import Path

import msgspec

from overlace.lab import cabling
from overlace.lab.plan import Node, make_plan
from overlace.lab.process import read_pidfile
from overlace.lab.relay_client import DirectionStatus, ask_relay
from overlace.lab.state import State, StateFile, Workload, lab_directory


class NodeStatus(msgspec.Struct, frozen=True):
    """A host or transit switch; `running` is whether both daemons of its Open vSwitch run."""

    name: str
    site: str
    kind: str
    namespace: str
    db_socket: str
    environment: dict[str, str]
    endpoints: tuple[str, ...]
    management: str
    running: bool


class LinkStatus(msgspec.Struct, frozen=True):
    """A link by name, whom it joins, and whether it is cut."""

    name: str
    ends: tuple[str, ...]
    cut: bool


class LabStatus(msgspec.Struct, frozen=True):
    """The whole laboratory.  `controller` is the address at which nodes reach the controller's namespace."""

    name: str
    phase: str
    directory: str
    controller: str
    controller_namespace: str
    nodes: tuple[NodeStatus, ...]
    workloads: tuple[Workload, ...]
    links: tuple[LinkStatus, ...]
    wan: dict[str, tuple[DirectionStatus, ...]]


def describe(name: str, base: Path | None = None) -> LabStatus:
    """The state of a laboratory.  Raises `LabError` when there is none of that name."""
    directory = lab_directory(name, base)
    state = StateFile(directory).load()
    plan = make_plan(name, state.topology, directory)
    links = cabling.links(plan)
    relayed = state.phase == "up" and any(link.port is None for link in links)
    return LabStatus(
        name=name,
        phase=state.phase,
        directory=str(directory),
        controller=plan.controller,
        controller_namespace=plan.mgmt_namespace,
        nodes=tuple(_node(node) for node in plan.nodes),
        workloads=tuple(state.workloads.values()),
        links=tuple(_link(link, state) for link in links),
        wan=ask_relay(directory, {}) if relayed else {},
    )


def _node(node: Node) -> NodeStatus:
    daemons = [read_pidfile(node.rundir / f"{daemon}.pid") for daemon in ("ovsdb-server", "ovs-vswitchd")]
    return NodeStatus(
        name=node.name,
        site=node.site,
        kind="transit" if node.transit else "host",
        namespace=node.namespace,
        db_socket=str(node.db_socket),
        environment=node.environment,
        endpoints=node.endpoints,
        management=node.management,
        running=None not in daemons,
    )


def _link(link: cabling.LinkInfo, state: State) -> LinkStatus:
    return LinkStatus(link.name, link.ends, link.name in state.cut)
