"""The interface of a guest at a host: a TAP in the integration bridge, announced by the port's id as hypervisors do."""

from overlace.lab.errors import CommandFailed, LabError
from overlace.lab.execution import ip_batch, run
from overlace.lab.guest import Guest
from overlace.lab.plan import Node


def plug(guest: Guest, node: Node) -> None:
    """Make the TAP and its port. Raises `LabError`."""
    interface = guest.host_interface
    run(["ip", "tuntap", "add", "dev", interface, "mode", "tap"], netns=node.namespace)
    ip_batch([f"link set {interface} mtu {guest.mtu} up"], netns=node.namespace)
    command = ["ovs-vsctl", "--timeout=20", "--may-exist", "add-port", guest.bridge, interface]
    command += ["--", "set", "Interface", interface]
    command += [f'external_ids:iface-id="{guest.iface_id}"', f'external_ids:attached-mac="{guest.mac}"']
    command += ["external_ids:iface-status=active", f'external_ids:vm-id="{guest.name}"']
    try:
        run(command, netns=node.namespace, env=node.environment)
    except CommandFailed as error:
        unplug(guest, node)
        if f"no bridge named {guest.bridge}" in error.output:
            raise LabError(
                f"host '{node.name}' has no bridge '{guest.bridge}': join the host to the controller first, or name "
                "the bridge with --bridge"
            ) from error
        raise


def unplug(guest: Guest, node: Node) -> None:
    """Remove the port and the TAP; what is not there is passed over."""
    command = ["ovs-vsctl", "--timeout=20", "--if-exists", "del-port", guest.host_interface]
    run(command, netns=node.namespace, env=node.environment)
    run(["ip", "link", "del", guest.host_interface], netns=node.namespace, check=False)
