"""Plugs workloads into hosts: namespace, cables, the port in the host's Open vSwitch."""

from overlace.lab import namespace, panel
from overlace.lab.at_node import run_at
from overlace.lab.errors import CommandFailed, LabError
from overlace.lab.execution import ip_batch
from overlace.lab.kernel_hosts import nic
from overlace.lab.kernel_hosts.files import files_of
from overlace.lab.plan import Node, Plan
from overlace.lab.state import Uplink, Workload

# A workload is an ordinary host with IPv6; what the laboratory switches off elsewhere is on here.
ORDINARY = {"ipv4/ip_forward": "0", "ipv6/conf/all/disable_ipv6": "0", "ipv6/conf/default/disable_ipv6": "0"}


def plug(plan: Plan, workload: Workload) -> None:
    """Make the workload and plug it into its active host.  Raises `LabError` or `CommandFailed`."""
    netns = plan.workload_namespace(workload.name)
    namespace.create([netns])
    with namespace.entered(netns):
        namespace.write_sysctls(ORDINARY)
    panel.plug_workload(plan.panel_namespace, workload, netns)
    lines = ["link set lo up", "link set eth0 up"]
    lines += [f"addr add {it} dev eth0{' nodad' if ':' in it else ''}" for it in workload.addresses]
    lines += [f"route add default via {gateway} dev eth0" for gateway in workload.gateways]
    ip_batch(lines, netns=netns)
    plug_uplink(plan, workload, workload.active)
    panel.switch_over(plan.panel_namespace, workload, workload.active, None)


def plug_uplink(plan: Plan, workload: Workload, uplink: Uplink) -> None:
    """Make the interface at a host and announce it by its `iface-id`; it carries nothing yet."""
    node = host_node(plan, uplink.host)
    _lay(plan, workload, uplink, node)
    interface = workload.host_interface
    command = ["ovs-vsctl", "--timeout=20", "--may-exist", "add-port", uplink.bridge, interface]
    command += ["--", "set", "Interface", interface]
    command += [f'external_ids:iface-id="{workload.iface_id}"', f'external_ids:attached-mac="{workload.mac}"']
    command += ["external_ids:iface-status=active", f'external_ids:vm-id="{workload.name}"']
    try:
        run_at(node, command)
    except CommandFailed as error:
        _pull(plan, workload, uplink, node)
        if f"no bridge named {uplink.bridge}" in error.output:
            raise LabError(
                f"host '{uplink.host}' has no bridge '{uplink.bridge}': join the host to the controller "
                "first, or name the bridge with --bridge"
            ) from error
        raise


def unplug_uplink(plan: Plan, workload: Workload, uplink: Uplink) -> None:
    """Remove the interface from a host, as when the process of a virtual machine ends: interface first."""
    node = host_node(plan, uplink.host)
    _pull(plan, workload, uplink, node)
    run_at(node, ["ovs-vsctl", "--timeout=20", "--if-exists", "del-port", workload.host_interface])


def _lay(plan: Plan, workload: Workload, uplink: Uplink, node: Node) -> None:
    if node.kernel:
        port = panel.uplink_port(workload, uplink)
        nic.plug(files_of(node), plan.panel_namespace, port, workload, uplink)
        panel.set_up(plan.panel_namespace, port)
    else:
        panel.plug_uplink(plan.panel_namespace, workload, uplink, node.namespace)


def _pull(plan: Plan, workload: Workload, uplink: Uplink, node: Node) -> None:
    port = panel.uplink_port(workload, uplink)
    if node.kernel:
        nic.unplug(files_of(node), port)
    else:
        panel.unplug(plan.panel_namespace, port)


def unplug(plan: Plan, workload: Workload) -> None:
    """Remove the workload, its processes and its ports.  What is not there is passed over."""
    for uplink in (workload.active, workload.prepared, workload.previous):
        if uplink is not None:
            unplug_uplink(plan, workload, uplink)
    panel.unplug(plan.panel_namespace, panel.workload_port(workload))


def host_node(plan: Plan, name: str) -> Node:
    """The host of a name.  Raises `LabError` when there is none."""
    for node in plan.nodes:
        if node.name == name and not node.transit:
            return node
    known = ", ".join(node.name for node in plan.nodes if not node.transit)
    raise LabError(f"no host is called '{name}'; this laboratory has {known}")
