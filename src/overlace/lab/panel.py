"""The patch panel: a namespace in which the cables of workloads are switched from one host to another.

Theory of operation.  A workload's eth0 is one end of a veth pair whose other end, pN, lies in the panel for
the workload's whole life: eth0, its addresses, its neighbour and TCP state never notice a move.  An uplink,
pNuS (slot S is 0 or 1), is a second pair from the panel to a host's integration bridge.  Traffic control
redirects every frame from pN to the active uplink and back (tc-mirred(8), on the ingress hook of clsact);
an uplink that is not active has no filter towards the workload, and its frames end in a namespace without
addresses.  The cut-over replaces one filter in place, which is atomic for what the workload sends, adds one
and removes one: three netlink messages.
"""

from collections.abc import Sequence

from overlace.lab.execution import ip_batch, run
from overlace.lab.namespace import RUN_NETNS, disable_offload, entered
from overlace.lab.state import Uplink, Workload

# A fixed handle makes `filter replace` change the filter in place instead of adding another.
EVERY_FRAME = "pref 1 handle 800::800 protocol all u32 match u32 0 0"


def workload_port(workload: Workload) -> str:
    """The panel's end of the workload's own cable."""
    return f"p{workload.index}"


def uplink_port(workload: Workload, uplink: Uplink) -> str:
    """The panel's end of an uplink."""
    return f"p{workload.index}u{uplink.slot}"


def plug_workload(panel: str, workload: Workload, netns: str) -> None:
    """Make the cable between the panel and the workload's namespace."""
    port, mtu = workload_port(workload), workload.mtu
    ip_batch(
        [
            f"link add name eth0 address {workload.mac} mtu {mtu} netns {netns} "
            f"type veth peer name {port} mtu {mtu} netns {panel}"
        ]
    )
    with entered(netns):
        disable_offload("eth0")
    ip_batch([f"link set {port} up"], netns=panel)
    _tc(panel, [f"qdisc add dev {port} clsact"])


def plug_uplink(panel: str, workload: Workload, uplink: Uplink, host_netns: str) -> None:
    """Make the cable between the panel and a host; it carries nothing yet."""
    port, mtu, interface = uplink_port(workload, uplink), workload.mtu, workload.host_interface
    ip_batch(
        [
            f"link add name {interface} mtu {mtu} netns {host_netns} "
            f"type veth peer name {port} mtu {mtu} netns {panel}"
        ]
    )
    ip_batch([f"link set {interface} up"], netns=host_netns)
    set_up(panel, port)


def set_up(panel: str, port: str) -> None:
    """Make the panel's end of an uplink ready to be switched to."""
    ip_batch([f"link set {port} up"], netns=panel)
    _tc(panel, [f"qdisc add dev {port} clsact"])


def switch_over(panel: str, workload: Workload, to: Uplink, source: Uplink | None) -> None:
    """Let `to` carry the workload's traffic, and `source` (if any) no longer."""
    port, new = workload_port(workload), uplink_port(workload, to)
    lines = [_redirect(port, new), _redirect(new, port)]
    if source is not None:
        lines.append(f"filter del dev {uplink_port(workload, source)} ingress pref 1")
    _tc(panel, lines)


def unplug(panel: str, port: str) -> None:
    """Remove a cable by its end in the panel, when it is there; the other end goes with it."""
    if (RUN_NETNS / panel).exists():
        run(["ip", "-n", panel, "link", "del", port], check=False)


def _redirect(source: str, target: str) -> str:
    return f"filter replace dev {source} ingress {EVERY_FRAME} action mirred egress redirect dev {target}"


def _tc(netns: str, lines: Sequence[str]) -> None:
    run(["tc", "-n", netns, "-batch", "-"], stdin="\n".join(lines) + "\n")
