"""A workload's NIC at a kernel host, plugged in and out while the host runs, as hypervisors do it."""

import os
import time

from overlace.lab.errors import LabError
from overlace.lab.kernel_hosts import agent
from overlace.lab.kernel_hosts.files import HostFiles
from overlace.lab.kernel_hosts.machine import NIC_DRIVER, nic_settings
from overlace.lab.kernel_hosts.tap import open_tap
from overlace.lab.machines.monitor import Monitor
from overlace.lab.state import Uplink, Workload

PATIENCE = 20.0
_PAUSE = 0.02
# Waits for the interface with a MAC ($1), gives it its name ($2), and sets it up.
_ADOPT = """
for i in $(seq 500); do
    for each in /sys/class/net/*; do
        if [ "$(cat $each/address)" = "$1" ]; then
            ip link set "${each##*/}" name "$2" && exec ip link set "$2" up
            exit 1
        fi
    done
    usleep 20000
done
echo "no interface with the address $1 appeared" >&2
exit 1
"""


def plug(files: HostFiles, panel: str, port: str, workload: Workload, uplink: Uplink) -> None:
    """Plug a NIC in; its near end is the interface `port` in the panel's namespace. Raises `LabError`."""
    mac = f"02:0e:00:{uplink.slot:02x}:{workload.index >> 8:02x}:{workload.index & 255:02x}"
    descriptor = open_tap(panel, port)
    try:
        with Monitor(files.monitor) as monitor:
            monitor.execute("getfd", {"fdname": port}, descriptor=descriptor)
            monitor.execute("netdev_add", {"type": "tap", "id": port, "fd": port})
            nic = {
                "driver": NIC_DRIVER,
                "id": _device(port),
                "netdev": port,
                **nic_settings(mac, workload.mtu),
            }
            try:
                monitor.execute("device_add", nic)
            except LabError:
                monitor.execute("netdev_del", {"id": port})
                raise
    finally:
        os.close(descriptor)
    agent.command(files, ["sh", "-c", _ADOPT, "sh", mac, workload.host_interface])


def unplug(files: HostFiles, port: str) -> None:
    """Plug a NIC out; its near end goes with it. What is not there is passed over. Raises `LabError`."""
    with Monitor(files.monitor) as monitor:
        if not _plugged(monitor, port):
            return
        monitor.execute("device_del", {"id": _device(port)})
        deadline = time.monotonic() + PATIENCE
        while _plugged(monitor, port):
            if time.monotonic() > deadline:
                raise LabError(f"the host does not let go of the NIC {port}: see its console")
            time.sleep(_PAUSE)
        monitor.execute("netdev_del", {"id": port})


def _plugged(monitor: Monitor, port: str) -> bool:
    present = monitor.execute("qom-list", {"path": "/machine/peripheral"})
    return any(each["name"] == _device(port) for each in present)


def _device(port: str) -> str:
    return f"nic-{port}"
