"""Builds a laboratory from its plan and takes it down again."""

import shutil
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from overlace.lab import fabric, namespace
from overlace.lab.errors import LabError
from overlace.lab.execution import ip_batch
from overlace.lab.kernel_hosts import host
from overlace.lab.kernel_hosts.image import make_image
from overlace.lab.kernel_hosts.tap import open_tap
from overlace.lab.machines import emulator
from overlace.lab.plan import Node, Plan, Router, namespace_prefix
from overlace.lab.process import ProcessId, ancestry, identify, terminate
from overlace.lab.relay_client import start_relay
from overlace.lab.switch import create_database, start_switch

Progress = Callable[[str], None]
# Receives the daemons as soon as they run, so that a failure later on leaves none behind.
Recorder = Callable[[Iterable[ProcessId]], None]

# Open vSwitch's raw sockets take this default when a port is added; the kernel's own holds about 90 packets.
RMEM_DEFAULT = Path("/proc/sys/net/core/rmem_default")
RECEIVE_BUFFER = 4 << 20
WORKERS = 8
# A router must answer for addresses at once: without duplicate address detection there is no tentative
# second.
OWN_ARP = {"ipv4/conf/all/arp_ignore": "1"}
"""The kernel answers for an address at the interface that has it, and not at the bridge's uplink, too: of two answers
with two MACs Open vSwitch believed the later one, and sent its tunnels to nobody."""
NO_DAD = {"ipv6/conf/all/accept_dad": "0", "ipv6/conf/default/accept_dad": "0"}


def build(plan: Plan, directory: Path, record: Recorder, progress: Progress) -> None:
    """Make namespaces, wires, switches and the relay.

    Raises `LabError`; what was made stays for `demolish`.
    """
    _raise_receive_buffer()
    progress("making network namespaces")
    namespace.create(plan.namespaces)
    _set_sysctls(plan)
    progress("laying wires")
    ip_batch([fabric.creation(cable) for cable in fabric.cables(plan)])
    _start_machines(plan, record, progress)
    progress(f"starting {len(plan.nodes)} Open vSwitch instances")
    database = directory / "empty.db"
    create_database(database)
    with ThreadPoolExecutor(WORKERS) as pool:
        work = [pool.submit(_build_relay, plan, directory, record)]
        work += [pool.submit(_build_node, plan, node, database, record) for node in plan.nodes]
        work += [pool.submit(_build_router, plan, router) for router in plan.routers]
        work += [pool.submit(ip_batch, fabric.mgmt_lines(plan), plan.mgmt_namespace)]
    # All have ended here; the first failure is the one to tell.
    for task in work:
        task.result()


def demolish(lab: str, directory: Path, processes: Iterable[ProcessId]) -> None:
    """Remove every process, namespace and file of a laboratory; what is not there is passed over."""
    names = namespace.existing(namespace_prefix(lab))
    spared = ancestry()
    inside = (identify(pid) for pid in namespace.processes_in(names) if pid not in spared)
    everyone = {*processes, *(process for process in inside if process is not None)}
    terminate(process for process in everyone if process.pid not in spared)
    namespace.remove(names)
    shutil.rmtree(directory, ignore_errors=True)


def _raise_receive_buffer() -> None:
    if int(RMEM_DEFAULT.read_text()) >= RECEIVE_BUFFER:
        return
    try:
        RMEM_DEFAULT.write_text(str(RECEIVE_BUFFER))
    except OSError as error:
        raise LabError(
            f"cannot set net.core.rmem_default ({error.strerror}): run as root on the machine itself, or set "
            f"it there to {RECEIVE_BUFFER}"
        ) from error


def _set_sysctls(plan: Plan) -> None:
    routers = {router.namespace for router in plan.routers}
    for name in plan.namespaces:
        with namespace.entered(name):
            namespace.write_sysctls(fabric.QUIET | NO_DAD | OWN_ARP)
            if name in routers:
                namespace.write_sysctls(fabric.ROUTING)


def _start_machines(plan: Plan, record: Recorder, progress: Progress) -> None:
    """Kernel hosts boot while the rest is built; the near ends of their NICs are there before bridges want them."""
    machines = [node for node in plan.nodes if node.kernel]
    if not machines:
        return
    emulator.require()
    make_image(progress)
    for node in machines:
        eth0, mgmt0 = fabric.sockets(plan, node)
        record([host.start(node, (open_tap(*eth0), open_tap(*mgmt0)))])


def _build_node(plan: Plan, node: Node, database: Path, record: Recorder) -> None:
    ip_batch(fabric.node_lines(plan, node), netns=node.namespace)
    if node.kernel:
        host.await_boot(node)
        return
    record(start_switch(node, plan.topology, database))


def _build_router(plan: Plan, router: Router) -> None:
    ip_batch(fabric.router_lines(plan, router), netns=router.namespace)
    if len(plan.routers) > 1:
        with namespace.entered(router.namespace):
            namespace.disable_offload("wan0")


def _build_relay(plan: Plan, directory: Path, record: Recorder) -> None:
    links = fabric.relay_links(plan)
    if not links:
        return
    ip_batch(fabric.relay_lines(plan), netns=plan.wan_namespace)
    with namespace.entered(plan.wan_namespace):
        for link in links:
            for interface, _ in link.interfaces:
                namespace.disable_offload(interface)
    record([start_relay(plan, directory)])
