"""The laboratory as programs use it.

    with Lab.up(load_topology("default"), "demo") as lab:
        lab.host_run("h1", ["ovs-vsctl", "show"])
        lab.attach("h1", "web", mac="fa:16:3e:00:00:01", iface_id="port-1", ips=["192.168.0.5/24"])
        lab.exec("web", ["ping", "-c1", "192.168.0.6"])
        lab.move("web", "h3")

All methods raise `LabError` (or `CommandFailed`, one of its kind) and may be called from several threads;
the state is on disk, so another process can open the same laboratory with `Lab.open`.
"""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from overlace.lab import cabling, construction, namespace
from overlace.lab.at_node import run_at
from overlace.lab.cabling import LinkInfo
from overlace.lab.construction import Progress
from overlace.lab.description import load_topology
from overlace.lab.errors import LabError
from overlace.lab.execution import Completed, environment, in_namespace, run
from overlace.lab.plan import DEFAULT_BRIDGE, Node, Plan, link_interfaces, make_plan, namespace_prefix
from overlace.lab.plugging import host_node
from overlace.lab.relay_client import DirectionStatus, ask_relay
from overlace.lab.requirements import check_requirements
from overlace.lab.state import State, StateFile, Workload, base_directory, lab_directory
from overlace.lab.topology import Topology
from overlace.lab.workloads import Cutover, Workloads
from overlace.terminal.output import silent


class Lab:
    """A running laboratory.  Made by `up` or `open`."""

    def __init__(self, plan: Plan, file: StateFile) -> None:
        self.plan = plan
        self._file = file
        self._workloads = Workloads(plan, file)

    # --- life

    @classmethod
    def up(
        cls,
        topology: Topology | None = None,
        name: str = "default",
        *,
        base: Path | None = None,
        progress: Progress = silent,
    ) -> Self:
        """Build a laboratory; with no topology the built-in default.

        `base` overrides the directory of all laboratories.  When building fails, what was made is removed
        again.
        """
        directory = lab_directory(name, base)
        check_requirements()
        topology = topology or load_topology("default")
        plan = make_plan(name, topology, directory)
        if (strangers := namespace.existing(namespace_prefix(name))) and not directory.exists():
            raise LabError(
                f"namespaces of a laboratory '{name}' exist ({strangers[0]} ...) but no state in "
                f"{directory.parent}: set OVERLACE_LAB_DIR to where it was started, or remove them with "
                f"`overlace lab down --name {name} --orphans`"
            )
        file = StateFile(directory)
        file.create(State(name, topology))
        lab = cls(plan, file)
        try:
            construction.build(plan, directory, file.add_processes, progress)
            file.change(State.as_up)
        except BaseException:
            lab.down()
            raise
        return lab

    @classmethod
    def open(cls, name: str = "default", *, base: Path | None = None) -> Self:
        """A laboratory that another process started.  Raises `LabError` when there is none of that name."""
        directory = lab_directory(name, base)
        file = StateFile(directory)
        return cls(make_plan(name, file.load().topology, directory), file)

    @staticmethod
    def names(base: Path | None = None) -> tuple[str, ...]:
        """The names of all laboratories on this machine (in this state directory)."""
        directory = base or base_directory()
        return tuple(sorted(path.parent.name for path in directory.glob("*/lab.json")))

    @staticmethod
    def remove(name: str = "default", *, base: Path | None = None, orphans: bool = False) -> bool:
        """Remove whatever exists of a laboratory, also after a crash; False when there was nothing.

        With `orphans`, namespaces of that name are removed even when no state says that they are ours.
        """
        directory = lab_directory(name, base)
        if not directory.exists() and not (orphans and namespace.existing(namespace_prefix(name))):
            return False
        processes = StateFile(directory).processes()
        construction.demolish(name, directory, processes)
        return True

    def down(self) -> None:
        """Remove every process, namespace and file of the laboratory.  May be repeated."""
        self.remove(self.plan.lab, base=self.directory.parent)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.down()

    # --- what there is

    @property
    def name(self) -> str:
        return self.plan.lab

    @property
    def directory(self) -> Path:
        """The state directory: databases, logs, sockets."""
        return self._file.directory

    @property
    def state(self) -> State:
        """What is remembered on disk at this moment."""
        return self._file.load()

    @property
    def controller_namespace(self) -> str:
        """Where the controller is to run; it reaches every node's `management` address and nothing else."""
        return self.plan.mgmt_namespace

    @property
    def controller_address(self) -> str:
        """The address at which nodes reach the controller."""
        return self.plan.controller

    @property
    def hosts(self) -> tuple[Node, ...]:
        return tuple(node for node in self.plan.nodes if not node.transit)

    @property
    def transit_switches(self) -> tuple[Node, ...]:
        return tuple(node for node in self.plan.nodes if node.transit)

    def host(self, name: str) -> Node:
        """A host: namespace, OVSDB socket, tunnel endpoints."""
        return host_node(self.plan, name)

    def node(self, name: str) -> Node:
        """A host or a transit switch."""
        for node in self.plan.nodes:
            if node.name == name:
                return node
        known = ", ".join(node.name for node in self.plan.nodes)
        raise LabError(f"no host or transit switch is called '{name}'; this laboratory has {known}")

    def link_interfaces(self, node: str) -> dict[str, str]:
        """The topology's links that end at a host or transit switch, each with its interface there.

        At a transit switch the interface is a port of `br-transit`.  At a host it is in no bridge: whoever joins
        the host adds it to the integration bridge.
        """
        return link_interfaces(self.plan.topology, self.node(node).name)

    # --- running programs

    def host_run(
        self,
        host: str,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        stdin: str = "",
        check: bool = True,
        timeout: float = 60.0,
    ) -> Completed:
        """Run a program at a host or transit switch; ovs-vsctl and its kin find the node's Open vSwitch."""
        return run_at(self.node(host), argv, env=env, stdin=stdin, check=check, timeout=timeout)

    def host_popen(
        self, host: str, argv: Sequence[str], *, env: Mapping[str, str] | None = None
    ) -> subprocess.Popen[str]:
        """Start a program at a host and go on; its output is piped.  `down` ends it at the latest.

        Raises `LabError` for a host that is a machine of its own: there programs run to their end (`host_run`).
        """
        node = self.node(host)
        if node.kernel:
            raise LabError(f"host '{host}' is a machine of its own: run programs there to their end")
        return _popen(node.namespace, argv, node.environment | dict(env or {}))

    def controller_run(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        check: bool = True,
        timeout: float = 60.0,
    ) -> Completed:
        """Run a program where the controller runs."""
        return run(argv, netns=self.controller_namespace, env=env, check=check, timeout=timeout)

    def controller_popen(
        self, argv: Sequence[str], *, env: Mapping[str, str] | None = None
    ) -> subprocess.Popen[str]:
        """Start a program where the controller runs and go on; its output is piped."""
        return _popen(self.controller_namespace, argv, env)

    def exec(
        self,
        workload: str,
        argv: Sequence[str],
        *,
        check: bool = True,
        timeout: float = 60.0,
        stdin: str = "",
    ) -> Completed:
        """Run a program in a workload."""
        return run(argv, netns=self._netns_of(workload), check=check, timeout=timeout, stdin=stdin)

    def popen(self, workload: str, argv: Sequence[str]) -> subprocess.Popen[str]:
        """Start a program in a workload and go on; it keeps running while the workload moves."""
        return _popen(self._netns_of(workload), argv, None)

    def _netns_of(self, workload: str) -> str:
        return self.plan.workload_namespace(self.workload(workload).name)

    # --- workloads

    @property
    def workloads(self) -> tuple[Workload, ...]:
        return tuple(self.state.workloads.values())

    def workload(self, name: str) -> Workload:
        """A workload as it is now.  Raises `LabError` when there is none of that name."""
        return self._workloads.get(name)

    def attach(
        self,
        host: str,
        name: str,
        *,
        mac: str,
        iface_id: str,
        ips: Sequence[str] = (),
        gateways: Sequence[str] = (),
        mtu: int | None = None,
        dhcp: bool = False,
        bridge: str = DEFAULT_BRIDGE,
    ) -> Workload:
        """Make a workload with one interface, eth0, and plug it into a host's integration bridge.

        `ips` are addresses with prefix length; `gateways` default routes (one a family).  `iface_id` is the
        id of the logical port.  `mtu` defaults to what the underlay carries with VXLAN, at most 1500.  With
        `dhcp` a client asks for the address, and the call returns when it has a lease.
        """
        return self._workloads.attach(
            host,
            name,
            mac=mac,
            iface_id=iface_id,
            addresses=tuple(ips),
            gateways=tuple(gateways),
            mtu=mtu,
            dhcp=dhcp,
            bridge=bridge,
        )

    def detach(self, name: str) -> None:
        """Remove a workload: its processes, its namespace, its ports on hosts."""
        self._workloads.detach(name)

    def lease(self, name: str) -> dict[str, str]:
        """The DHCP lease of a workload by the names of udhcpc; empty without one."""
        return self._workloads.lease(name)

    def prepare_move(self, name: str, to_host: str, *, bridge: str | None = None) -> Workload:
        """Plug the workload into the destination too; the new interface carries nothing yet."""
        return self._workloads.prepare_move(name, to_host, bridge=bridge)

    def complete_move(self, name: str, *, announce: bool = True) -> Cutover:
        """Switch the workload's traffic to the prepared host, and announce it there by one RARP as QEMU does.

        The interface at the source stays, without traffic, until `release_move`.
        """
        return self._workloads.complete_move(name, announce=announce)

    def release_move(self, name: str) -> Workload:
        """Remove the interface at the source of a completed move."""
        return self._workloads.release_move(name)

    def abort_move(self, name: str) -> Workload:
        """Remove the interface at the destination of a move that was only prepared."""
        return self._workloads.abort_move(name)

    def move(self, name: str, to_host: str, *, bridge: str | None = None, announce: bool = True) -> Cutover:
        """Prepare, complete and release in one go."""
        self.prepare_move(name, to_host, bridge=bridge)
        cutover = self.complete_move(name, announce=announce)
        self.release_move(name)
        return cutover

    # --- links

    @property
    def links(self) -> tuple[LinkInfo, ...]:
        """Every link that can be cut."""
        return cabling.links(self.plan)

    def wan(
        self,
        link: str | None = None,
        *,
        delay_ms: float | None = None,
        rate_mbit: float | None = None,
        loss_pct: float | None = None,
        sender: str | None = None,
    ) -> dict[str, tuple[DirectionStatus, ...]]:
        """Change the wide-area links while they run, and tell their state.

        One-way delay in ms, rate in Mbit/s (0: no limit), loss in percent; None leaves a figure as it is.
        `link` limits the change to one link, `sender` to the direction from that site or node.
        """
        request: dict[str, str | float] = {}
        limits = (
            ("delay_ms", delay_ms, 10_000.0),
            ("rate_mbit", rate_mbit, 100_000.0),
            ("loss_pct", loss_pct, 100.0),
        )
        for key, value, most in limits:
            if value is not None:
                if not 0 <= value <= most:
                    raise LabError(f"{key} is {value}: choose 0 to {most:g}")
                request[key] = value
        relayed = {info.name: info for info in self.links if info.port is None}
        if not relayed:
            raise LabError("this laboratory has no wide-area link: use a topology with two sites")
        if link is not None:
            if link not in relayed:
                raise LabError(f"'{link}' is not a wide-area link; these are: {', '.join(relayed)}")
            request["link"] = link
        if sender is not None:
            ends = {end for name, info in relayed.items() if link in (None, name) for end in info.ends}
            if sender not in ends:
                raise LabError(
                    f"no wide-area link begins at '{sender}'; choose one of {', '.join(sorted(ends))}"
                )
            request["from"] = sender
        return ask_relay(self.directory, request)

    def cut(self, link: str) -> None:
        """Cut a link: wan, uplink-HOST, mgmt-NODE or one of the topology's own."""
        self._set_cut(link, True)

    def heal(self, link: str) -> None:
        """Mend a cut link."""
        self._set_cut(link, False)

    def _set_cut(self, name: str, cut: bool) -> None:
        link = cabling.link_named(self.plan, name)
        if link.port is None:
            ask_relay(self.directory, {"link": name, "cut": cut})
        else:
            cabling.set_carrier(link, not cut)
        self._file.change(lambda state: state.with_cut(name, cut))


def _popen(netns: str, argv: Sequence[str], env: Mapping[str, str] | None) -> subprocess.Popen[str]:
    # Started from inside the namespace, so that `down` finds it there from its first moment on.
    with namespace.entered(netns):
        return subprocess.Popen(
            in_namespace(netns, argv),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
            env=environment(env),
        )
