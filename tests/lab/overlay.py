"""An overlay made by hand, to prove the laboratory without the product: learning bridges and VXLAN tunnels."""

from overlace.lab.lab import Lab

VNI = 5001


def join_by_hand(lab: Lab, *hosts: str, family: int = 0) -> None:
    """Give each host a learning bridge with a tunnel to each other host.

    `family` is the index of the tunnel endpoints: 0 is IPv4, 1 is IPv6 in a dual-stack laboratory.
    """
    for host in hosts:
        command = ["ovs-vsctl", "--may-exist", "add-br", "br-overlace"]
        command += ["--", "set", "Bridge", "br-overlace", "datapath_type=netdev"]
        for other in hosts:
            if other != host:
                tunnel, remote = f"vx-{other}", lab.host(other).endpoints[family]
                command += ["--", "--may-exist", "add-port", "br-overlace", tunnel]
                # Protected ports do not talk to each other: what came by tunnel does not leave by tunnel.
                command += ["--", "set", "Port", tunnel, "protected=true"]
                command += ["--", "set", "Interface", tunnel, "type=vxlan"]
                command += [f'options:remote_ip="{remote}"', f"options:key={VNI}"]
        lab.host_run(host, command)


def leave_by_hand(lab: Lab, *hosts: str) -> None:
    """Remove the bridges again."""
    for host in hosts:
        lab.host_run(host, ["ovs-vsctl", "--if-exists", "del-br", "br-overlace"])


def mac(number: int) -> str:
    """A MAC address for a workload."""
    return f"fa:16:3e:00:00:{number:02x}"


def round_trips(output: str) -> list[float]:
    """The round-trip times that ping printed, in ms."""
    return [float(line.rsplit("time=", 1)[1].split()[0]) for line in output.splitlines() if "time=" in line]
