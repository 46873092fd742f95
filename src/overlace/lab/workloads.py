"""The life of workloads: attached, moved from host to host, detached.

A change is written down before it is made, so that whatever fails half-way is known and can be removed.
The state machine of a move: PREPARE (a second uplink, silent) -> COMPLETE (traffic switched, the first
uplink silent) -> RELEASE (the first removed); ABORT removes a prepared uplink.
"""

import re
import time
from collections.abc import Callable
from ipaddress import ip_address, ip_interface
from typing import Protocol

import msgspec
from msgspec.structs import replace

from overlace.lab import namespace, panel, plugging
from overlace.lab.announcement import announcer, rarp_frame
from overlace.lab.dhcp import read_lease, start_client
from overlace.lab.errors import LabError
from overlace.lab.plan import Plan
from overlace.lab.process import ProcessId, ancestry, identify, terminate
from overlace.lab.state import State, StateFile, Uplink, Workload

WORKLOAD_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}")
MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")


class Cutover(msgspec.Struct, frozen=True):
    """A completed move.

    `milliseconds` is the time in which the switching program ran, an upper bound of the gap.  `at` is the
    monotonic time (seconds) when traffic was known to flow at the destination.
    """

    workload: str
    source: str
    destination: str
    milliseconds: float
    at: float
    announced: bool


class Workloads:
    """The workloads of one laboratory."""

    def __init__(self, plan: Plan, file: StateFile) -> None:
        self._plan = plan
        self._file = file

    def get(self, name: str) -> Workload:
        """A workload of the state on disk.  Raises `LabError` when there is none of that name."""
        return _find(self._file.load(), name)

    def lease(self, name: str) -> dict[str, str]:
        """The DHCP lease of a workload."""
        return read_lease(self._file.directory, self.get(name).name)

    def attach(
        self,
        host: str,
        name: str,
        *,
        mac: str,
        iface_id: str,
        addresses: tuple[str, ...],
        gateways: tuple[str, ...],
        mtu: int | None,
        dhcp: bool,
        bridge: str,
    ) -> Workload:
        """See `Lab.attach`."""
        plugging.host_node(self._plan, host)
        draft = Workload(
            name=name,
            index=0,
            mac=mac.lower(),
            iface_id=iface_id,
            mtu=mtu or self._plan.topology.workload_mtu(),
            active=Uplink(host, bridge, 0),
            addresses=addresses,
            gateways=gateways,
            dhcp=dhcp,
        )
        check_plugged("workload", draft, self._plan)
        workload = _find(self._file.change(lambda state: _reserve(state, draft)), name)
        try:
            plugging.plug(self._plan, workload)
            if dhcp:
                netns = self._plan.workload_namespace(name)
                self._file.add_processes([start_client(netns, self._file.directory, name)])
        except BaseException:
            self.detach(name)
            raise
        return workload

    def detach(self, name: str) -> None:
        """See `Lab.detach`."""
        workload = self.get(name)
        netns = self._plan.workload_namespace(name)
        terminate(_strangers_in(netns))
        plugging.unplug(self._plan, workload)
        namespace.remove([netns])
        for suffix in ("pid", "lease"):
            (self._file.directory / f"dhcp-{name}.{suffix}").unlink(missing_ok=True)
        self._file.change(lambda state: _without(state, name))

    def prepare_move(self, name: str, to_host: str, *, bridge: str | None) -> Workload:
        """See `Lab.prepare_move`."""
        plugging.host_node(self._plan, to_host)
        workload = self._alter(name, lambda old: _prepared(old, to_host, bridge))
        assert workload.prepared is not None
        try:
            plugging.plug_uplink(self._plan, workload, workload.prepared)
        except BaseException:
            self._alter(name, lambda old: replace(old, prepared=None))
            raise
        return workload

    def complete_move(self, name: str, *, announce: bool) -> Cutover:
        """See `Lab.complete_move`."""
        workload = self.get(name)
        prepared, source = workload.prepared, workload.active
        if prepared is None:
            raise LabError(f"workload '{name}' has no prepared move: prepare one to a host first")
        netns = self._plan.panel_namespace
        with announcer(netns, panel.uplink_port(workload, prepared)) as sender:
            began = time.monotonic()
            panel.switch_over(netns, workload, prepared, source)
            ended = time.monotonic()
            if announce:
                sender.send(rarp_frame(workload.mac))
        self._alter(name, lambda old: replace(old, active=prepared, prepared=None, previous=source))
        spent = round((ended - began) * 1e3, 3)
        return Cutover(name, source.host, prepared.host, spent, ended, announce)

    def release_move(self, name: str) -> Workload:
        """See `Lab.release_move`."""
        workload = self.get(name)
        if workload.previous is None:
            raise LabError(f"workload '{name}' has nothing to release: complete a move first")
        plugging.unplug_uplink(self._plan, workload, workload.previous)
        return self._alter(name, lambda old: replace(old, previous=None))

    def abort_move(self, name: str) -> Workload:
        """See `Lab.abort_move`."""
        workload = self.get(name)
        if workload.prepared is None:
            raise LabError(f"workload '{name}' has no prepared move to abort")
        plugging.unplug_uplink(self._plan, workload, workload.prepared)
        return self._alter(name, lambda old: replace(old, prepared=None))

    def _alter(self, name: str, alter: Callable[[Workload], Workload]) -> Workload:
        def change(state: State) -> State:
            return replace(state, workloads=state.workloads | {name: alter(_find(state, name))})

        return _find(self._file.change(change), name)


def _find(state: State, name: str) -> Workload:
    if name in state.workloads:
        return state.workloads[name]
    known = ", ".join(state.workloads) or "none"
    raise LabError(f"no workload is called '{name}'; attached: {known}")


def _reserve(state: State, draft: Workload) -> State:
    if draft.name in state.guests:
        raise LabError(f"a guest is called '{draft.name}': choose another name, or remove the guest")
    if draft.name in state.workloads:
        where = state.workloads[draft.name].active.host
        raise LabError(
            f"workload '{draft.name}' is attached already (at {where}): choose another name, or detach it"
        )
    workload = replace(draft, index=state.next_index)
    return replace(state, workloads=state.workloads | {draft.name: workload}, next_index=state.next_index + 1)


def _without(state: State, name: str) -> State:
    return replace(state, workloads={key: value for key, value in state.workloads.items() if key != name})


def _prepared(workload: Workload, to_host: str, bridge: str | None) -> Workload:
    if workload.prepared is not None:
        raise LabError(
            f"workload '{workload.name}' is prepared for {workload.prepared.host}: complete "
            "or abort that move first"
        )
    if workload.previous is not None:
        raise LabError(
            f"workload '{workload.name}' still holds {workload.previous.host}: release that move first"
        )
    if workload.active.host == to_host:
        raise LabError(f"workload '{workload.name}' is at {to_host} already: choose another host")
    return replace(
        workload, prepared=Uplink(to_host, bridge or workload.active.bridge, 1 - workload.active.slot)
    )


class Plugged(Protocol):
    """What workloads and guests have in common."""

    @property
    def name(self) -> str: ...
    @property
    def mac(self) -> str: ...
    @property
    def mtu(self) -> int: ...
    @property
    def iface_id(self) -> str: ...
    @property
    def addresses(self) -> tuple[str, ...]: ...
    @property
    def gateways(self) -> tuple[str, ...]: ...


def check_plugged(kind: str, it: Plugged, plan: Plan) -> None:
    """Refuse a workload or guest (`kind`) whose name, MAC, MTU or addresses cannot be. Raises `LabError`."""
    taken = {node.name for node in plan.nodes} | {"controller"}
    if not WORKLOAD_NAME.fullmatch(it.name) or it.name in taken:
        raise LabError(
            f"{kind} name '{it.name}' is not usable: up to 40 of a-z, 0-9, '.', '_', '-', and not "
            "the name of a host or switch"
        )
    if not MAC.fullmatch(it.mac) or int(it.mac[:2], 16) & 1:
        raise LabError(f"'{it.mac}' is not a unicast MAC address: write it like fa:16:3e:00:00:01")
    if not 576 <= it.mtu <= 65535:
        raise LabError(f"{kind} mtu is {it.mtu}: choose 576 to 65535")
    if not it.iface_id or '"' in it.iface_id:
        raise LabError("the interface needs the id of a logical port: give --iface-id")
    for address in it.addresses:
        cure = "write it with prefix length, like 192.168.0.5/24"
        if "/" not in address:
            raise LabError(f"address '{address}' has no prefix length: {cure}")
        _parse(ip_interface, address, cure)
    for gateway in it.gateways:
        _parse(ip_address, gateway, "write an IP address as gateway")


def _parse(parser: Callable[[str], object], text: str, cure: str) -> None:
    try:
        parser(text)
    except ValueError as error:
        raise LabError(f"{error}: {cure}") from error


def _strangers_in(netns: str) -> list[ProcessId]:
    spared = ancestry()
    found = (identify(pid) for pid in namespace.processes_in([netns]) if pid not in spared)
    return [process for process in found if process is not None]
