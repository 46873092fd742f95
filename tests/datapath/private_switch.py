"""An Open vSwitch of the test's own: its daemons in a temporary directory, its ports dummies.

The daemons run with ``--enable-dummy`` as in Open vSwitch's own test suite: translation, flow tables
and connection tracking are the real userspace data path's, while ports have no device, so nothing of the
machine's network is touched and neither root nor namespaces are needed. Packets are put into a port with
`PrivateSwitch.receive`, and what leaves a port is read from its capture file.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SCHEMA = "/usr/share/openvswitch/vswitch.ovsschema"
BRIDGE = "br-int"
TUNNEL_PORT = 100
UNDERLAY_PORT = "wire"
_DUMMY = ("--enable-dummy", "--disable-system", "--disable-system-route")
UNDERLAY_ADDRESS = "10.1.0.1"
UNDERLAY_ADDRESS_V6 = "fd01::1"


class SwitchCommandError(Exception):
    """A command of Open vSwitch said no; the text is what it said."""


@dataclass(frozen=True)
class PrivateSwitch:
    """One running pair of ovsdb-server and ovs-vswitchd below `directory`."""

    directory: Path

    @property
    def environment(self) -> dict[str, str]:
        """What makes the ovs-* tools find this instance."""
        names = ("OVS_RUNDIR", "OVS_DBDIR", "OVS_LOGDIR", "OVS_SYSCONFDIR")
        return dict(os.environ) | dict.fromkeys(names, str(self.directory))

    def command(self, *arguments: str, given: str | None = None) -> str:
        """Run an ovs-* tool against this instance. Raises SwitchCommandError."""
        done = subprocess.run(
            arguments, env=self.environment, input=given, capture_output=True, text=True, timeout=30
        )
        if done.returncode:
            raise SwitchCommandError(f"{' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    def vsctl(self, *arguments: str) -> str:
        """ovs-vsctl(8)."""
        return self.command("ovs-vsctl", "--timeout=20", *arguments)

    def appctl(self, *arguments: str) -> str:
        """ovs-appctl(8) to ovs-vswitchd."""
        return self.command("ovs-appctl", *arguments)

    def ofctl(self, *arguments: str, given: str | None = None) -> str:
        """ovs-ofctl(8) with OpenFlow 1.5."""
        return self.command("ovs-ofctl", "-O", "OpenFlow15", *arguments, given=given)

    def add_flows(self, flows: Sequence[str], bridge: str = BRIDGE) -> None:
        """Add flows, in one bundle: all or none."""
        self.ofctl("--bundle", "add-flows", bridge, "-", given="\n".join(flows) + "\n")

    def replace_flows(self, flows: Sequence[str], bridge: str = BRIDGE) -> None:
        """Make these flows the bridge's only ones."""
        self.ofctl("del-flows", bridge)
        self.add_flows(flows, bridge)

    def add_port(self, name: str, ofport: int, bridge: str = BRIDGE) -> Path:
        """Add a dummy port; returns the capture file of what leaves it."""
        capture = self.directory / f"{name}.pcap"
        self.vsctl(
            *("add-port", bridge, name, "--", "set", "Interface", name, "type=dummy"),
            *(f"ofport_request={ofport}", f"options:tx_pcap={capture}"),
        )
        return capture

    def add_tunnel_port(self, name: str = "vx", ofport: int = TUNNEL_PORT) -> None:
        """Add a flow-based VXLAN port, and the underlay that it needs."""
        self.add_underlay()
        self.vsctl(
            *("add-port", BRIDGE, name, "--", "set", "Interface", name, "type=vxlan"),
            *("options:remote_ip=flow", "options:key=flow", f"ofport_request={ofport}"),
        )

    def add_underlay(self) -> None:
        """Add a bridge that owns the underlay addresses, and route tunnels over it."""
        self.vsctl("add-br", "br-phy", "--", "set", "Bridge", "br-phy", "datapath_type=dummy")
        for family, address, network in (
            ("ip4addr", f"{UNDERLAY_ADDRESS}/8", "10.0.0.0/8"),
            ("ip6addr", f"{UNDERLAY_ADDRESS_V6}/64", "fd01::/64"),
        ):
            self.appctl(f"netdev-dummy/{family}", "br-phy", address)
            self.appctl("ovs/route/add", network, "br-phy")
        self.add_port(UNDERLAY_PORT, 1, bridge="br-phy")

    def tunnel_neighbour(self, address: str) -> None:
        """Let the underlay know a remote tunnel endpoint."""
        self.appctl("tnl/neigh/set", "br-phy", address, "aa:00:00:00:00:01")

    def receive(self, port: str, frame: bytes) -> None:
        """Let a frame arrive on a dummy port."""
        self.appctl("netdev-dummy/receive", port, frame.hex())


@contextmanager
def private_switch() -> Iterator[PrivateSwitch]:
    """Start a private Open vSwitch with one empty bridge in fail-mode secure; stop and remove it at the end."""
    directory = Path(tempfile.mkdtemp(prefix="ovl-dp-"))
    switch = PrivateSwitch(directory)
    started: list[str] = []
    try:
        switch.command("ovsdb-tool", "create", f"{directory}/conf.db", SCHEMA)
        options = ("--pidfile", "--detach", "--no-chdir", "--log-file", "-vconsole:off")
        switch.command(
            "ovsdb-server", f"{directory}/conf.db", f"--remote=punix:{directory}/db.sock", *options
        )
        started.append("ovsdb-server")
        switch.vsctl("--no-wait", "init")
        switch.command("ovs-vswitchd", f"unix:{directory}/db.sock", *_DUMMY, *options)
        started.append("ovs-vswitchd")
        switch.vsctl(
            *("add-br", BRIDGE, "--", "set", "Bridge", BRIDGE, "datapath_type=dummy", "fail-mode=secure"),
            "other-config:disable-in-band=true",
        )
        switch.ofctl("set-frags", BRIDGE, "nx-match")  # as the southbound does
        yield switch
    finally:
        for daemon in reversed(started):
            _stop(directory / f"{daemon}.pid")
        shutil.rmtree(directory)


def _stop(pid_file: Path) -> None:
    if not pid_file.exists():
        return
    pid = int(pid_file.read_text())
    os.kill(pid, signal.SIGTERM)
    for _ in range(100):
        if not Path(f"/proc/{pid}").exists():
            return
        time.sleep(0.05)
    os.kill(pid, signal.SIGKILL)
