"""The life of guests: made, received at another host, settled there or given up, removed.

A change is written down before it is made, so that whatever fails half-way is known and can be removed. Memory and disk
travel by whoever drives QEMU's monitors (`Place.qmp`); the laboratory starts and ends the machines on both sides:

    RECEIVE (a machine waits at the destination) -> the guest travels -> SETTLE (what is at the source goes)
                                                 -> ABANDON (what is at the destination goes)
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

from msgspec.structs import replace

from overlace.lab.errors import LabError
from overlace.lab.execution import Completed
from overlace.lab.guest import LIBVIRT, QEMU, SMALLEST_MEMORY, Disk, Guest, parse_size
from overlace.lab.guests import qemu, tap
from overlace.lab.guests.image import make_image
from overlace.lab.guests.libvirt import daemon, domain
from overlace.lab.guests.place import Place, place_at
from overlace.lab.lab import Lab
from overlace.lab.machines import console, emulator
from overlace.lab.plan import DEFAULT_BRIDGE, Plan
from overlace.lab.plugging import host_node
from overlace.lab.state import State, StateFile
from overlace.lab.workloads import check_plugged
from overlace.terminal.output import Progress, silent

DEFAULT_MEMORY = 96


class Guests:
    """The guests of one laboratory."""

    def __init__(self, plan: Plan, file: StateFile) -> None:
        self._plan = plan
        self._file = file

    @classmethod
    def of(cls, lab: Lab) -> Self:
        """The guests of a laboratory that is up."""
        return cls(lab.plan, StateFile(lab.directory))

    # --- looking

    @property
    def all(self) -> tuple[Guest, ...]:
        return tuple(self._file.load().guests.values())

    @property
    def directory(self) -> Path:
        """The laboratory's: each host has one of its own in it."""
        return self._plan.nodes[0].directory.parent

    def address_of(self, host: str) -> str:
        """A host's first underlay address."""
        return host_node(self._plan, host).endpoints[0]

    def get(self, name: str) -> Guest:
        """A guest of the state on disk. Raises `LabError` when there is none of that name."""
        return _find(self._file.load(), name)

    def place(self, name: str, host: str | None = None) -> Place:
        """The files of a guest at a host; without one, where it runs."""
        guest = self.get(name)
        return place_at(guest, host_node(self._plan, host or guest.host))

    def run_state(self, name: str, host: str | None = None) -> str:
        """What QEMU says of the guest at a host: running, inmigrate, postmigrate ... or `stopped`."""
        return qemu.run_state(self.place(name, host))

    def command(
        self, name: str, argv: Sequence[str], *, check: bool = True, timeout: float = 30.0
    ) -> Completed:
        """Run a program in the guest, by its serial port: the network is not needed."""
        return console.command(self.place(name).commands, argv, check=check, timeout=timeout)

    # --- making and removing

    def create(
        self,
        name: str,
        host: str,
        *,
        mac: str,
        iface_id: str,
        bridge: str = DEFAULT_BRIDGE,
        memory: int = DEFAULT_MEMORY,
        disk: str | None = None,
        disk_format: str = "raw",
        addresses: Sequence[str] = (),
        gateways: Sequence[str] = (),
        dhcp: bool = False,
        mtu: int | None = None,
        writer: int = 0,
        dirtier: tuple[int, int] | None = None,
        hypervisor: str = QEMU,
        progress: Progress = silent,
    ) -> Guest:
        """Make a guest and boot it; returns when its services answer, and with `dhcp` when it has its lease.

        `iface_id` is the id of the logical port, `disk` a size like 64M, `addresses` with prefix length. `writer` and
        `dirtier` and `hypervisor`: see `Guest`. Raises `LabError`, and leaves nothing then.
        """
        _hypervisor(self._plan, host)
        draft = Guest(
            name=name,
            index=0,
            mac=mac.lower(),
            iface_id=iface_id,
            mtu=mtu or self._plan.topology.workload_mtu(),
            memory=memory,
            host=host,
            bridge=bridge,
            addresses=tuple(addresses),
            gateways=tuple(gateways),
            dhcp=dhcp,
            disk=None if disk is None else Disk(parse_size(disk), disk_format),
            writer=writer,
            dirtier=dirtier,
            hypervisor=hypervisor,
        )
        _check(draft, self._plan)
        place_at(draft, host_node(self._plan, host))
        emulator.require()
        make_image(progress)
        guest = _find(self._file.change(lambda state: _reserve(state, draft)), name)
        try:
            progress(f"booting {name}")
            self._start(guest, host, incoming=False)
            qemu.await_boot(guest, self.place(name))
            if dhcp:
                progress(f"waiting for the address of {name}")
                self._await_lease(guest)
        except BaseException:
            self.remove(name)
            raise
        return guest

    def remove(self, name: str) -> None:
        """Remove a guest: its machines, its disk, its interfaces."""
        guest = self.get(name)
        for host in guest.hosts:
            self._clear(guest, host)
        for node in self._plan.nodes:  # disks that are held elsewhere
            if guest.hypervisor != LIBVIRT and not node.transit:
                qemu.end(place_at(guest, node))
        self._file.change(lambda state: _without(state, name))

    # --- moving

    def check_destination(self, name: str, host: str) -> None:
        """Raises `LabError` when a guest cannot be received there as it is now."""
        _hypervisor(self._plan, host)
        guest = self.get(name)
        if guest.host == host:
            raise LabError(f"guest '{name}' is at {host} already: choose another host")
        if guest.receiving not in (None, host):
            raise LabError(
                f"guest '{name}' is about to move to {guest.receiving}: settle or abandon that first"
            )

    def receive(self, name: str, host: str) -> Place:
        """Start a machine at the destination that waits for the guest; with a disk as large, empty. May be repeated."""
        self.check_destination(name, host)
        guest, place = self.get(name), self.place(name, host)
        _refuse_libvirt(guest)
        if guest.receiving == host and qemu.run_state(place) != "stopped":
            return place
        guest = self._alter(name, lambda old: replace(old, receiving=host))
        try:
            self._start(guest, host, incoming=True)
        except BaseException:
            self.abandon(name, host)
            raise
        return place

    def settle(self, name: str, host: str) -> Guest:
        """The guest runs at the destination: what is left at the source goes. May be repeated."""
        guest = self.get(name)
        if guest.host == host:
            return guest
        if guest.receiving != host:
            raise LabError(f"guest '{name}' is not about to move to {host}: nothing was received there")
        source = guest.host
        moved = self._alter(name, lambda old: replace(old, host=host, receiving=None))
        self._clear(guest, source)
        return moved

    def abandon(self, name: str, host: str) -> Guest:
        """What waits at the destination goes. May be repeated."""
        guest = self.get(name)
        if guest.host == host:
            raise LabError(f"guest '{name}' runs at {host}: remove it, or move it elsewhere")
        if guest.receiving == host:
            self._clear(guest, host)
        return self._alter(name, lambda old: replace(old, receiving=None))

    def start(self, name: str, host: str) -> Place:
        """Start the guest from the disk that is at a host, as after a failure of the host where it was."""
        _hypervisor(self._plan, host)
        guest = self.get(name)
        _refuse_libvirt(guest)
        place = self.place(name, host)
        state = qemu.run_state(place)
        if guest.host == host and state == "running":
            return place
        qemu.stop(place)
        guest = self._alter(name, lambda old: replace(old, host=host, receiving=None))
        tap.unplug(guest, host_node(self._plan, host))
        self._start(guest, host, incoming=False)
        qemu.await_boot(guest, place)
        return place

    def hold(self, name: str, host: str) -> Place:
        """Have the guest's disk held at a host where the guest is not: an empty one, unless there is one.

        It is held until the guest is received or started there, or withdrawn. May be repeated.
        """
        guest, place = self.get(name), self.place(name, host)
        _refuse_libvirt(guest)
        if host in guest.hosts:
            raise LabError(f"guest '{name}' is at {host}: hold its disk at another host")
        qemu.hold(guest, place)
        return place.keeper

    def withdraw(self, name: str, host: str) -> None:
        """Nothing of the guest stays at a host, be it the source of a move or its destination. May be repeated."""
        guest = self.get(name)
        if guest.receiving is not None and guest.host == host:
            self.settle(name, guest.receiving)
        elif guest.receiving == host:
            self.abandon(name, host)
        else:
            self._clear(guest, host)

    def found_at(self, name: str, host: str) -> Guest:
        """A guest that libvirt has moved, asked by others than the laboratory, is where it runs."""
        return self._alter(name, lambda old: replace(old, host=host, receiving=None))

    # --- inside

    def _start(self, guest: Guest, host: str, *, incoming: bool) -> None:
        node = host_node(self._plan, host)
        if guest.hypervisor == LIBVIRT:
            for each in self._plan.nodes:
                if not each.transit and not each.kernel:
                    daemon.start(each)
            domain.start(guest, node, make_image(silent))
            return
        tap.plug(guest, node)
        place = place_at(guest, node)
        qemu.start(guest, place, make_image(silent), incoming=incoming)

    def _clear(self, guest: Guest, host: str) -> None:
        node = host_node(self._plan, host)
        qemu.end(place_at(guest, node))
        tap.unplug(guest, node)

    def _await_lease(self, guest: Guest) -> None:
        wait = "for i in $(seq 60); do [ -s /run/lease ] && exec cat /run/lease; usleep 200000; done; exit 1"
        done = self.command(guest.name, ["sh", "-c", wait], check=False)
        if done.status != 0:
            raise LabError(
                f"guest '{guest.name}' got no DHCP lease: check that its network has DHCP enabled and that its port "
                "is bound to this host"
            )

    def _alter(self, name: str, alter: Callable[[Guest], Guest]) -> Guest:
        def change(state: State) -> State:
            return replace(state, guests=state.guests | {name: alter(_find(state, name))})

        return _find(self._file.change(change), name)


def _hypervisor(plan: Plan, host: str) -> None:
    if host_node(plan, host).kernel:
        raise LabError(f"host '{host}' is a machine itself and runs no guests: choose one that is not")


def _refuse_libvirt(guest: Guest) -> None:
    if guest.hypervisor == LIBVIRT:
        raise LabError(
            f"guest '{guest.name}' is libvirt's: move it with `overlace lab vm move`, or with virsh"
        )


def _find(state: State, name: str) -> Guest:
    if name in state.guests:
        return state.guests[name]
    known = ", ".join(state.guests) or "none"
    raise LabError(f"no guest is called '{name}'; there is {known}")


def _reserve(state: State, draft: Guest) -> State:
    if draft.name in state.guests or draft.name in state.workloads:
        raise LabError(
            f"'{draft.name}' is in use in this laboratory: choose another name, or remove it first"
        )
    guest = replace(draft, index=state.next_index)
    return replace(state, guests=state.guests | {draft.name: guest}, next_index=state.next_index + 1)


def _without(state: State, name: str) -> State:
    return replace(state, guests={key: value for key, value in state.guests.items() if key != name})


def _check(guest: Guest, plan: Plan) -> None:
    check_plugged("guest", guest, plan)
    if guest.memory < SMALLEST_MEMORY:
        raise LabError(f"guest memory is {guest.memory} MiB: choose {SMALLEST_MEMORY} or more")
    if guest.writer < 0:
        raise LabError(f"the writer's interval is {guest.writer} ms: choose 0 (when asked only) or more")
    if guest.dirtier is not None and (min(guest.dirtier) <= 0 or guest.dirtier[0] > guest.memory // 2):
        raise LabError(
            f"the guest cannot keep {guest.dirtier[0]} MiB busy at {guest.dirtier[1]} MiB/s: choose more than 0, and "
            f"at most half of its memory ({guest.memory} MiB)"
        )
