"""Runs on a host before it joins, and only looks: is anything in the way, and what would joining change?

`asked` is what the script was printed for: name, bridge, datapath, fabric_interface, controller, openflow, ovsdb,
enrolment_port (0 where nobody is to be asked), trust (empty over plain TCP), tunnel_port, endpoints, printed, force.
Only Python's own library, of any version since 3.6.
"""

import json
import os
import re
import shutil
import socket
import ssl
import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from overlace.cli.scripts.findings import Report
from overlace.cli.scripts.look import TUNNELS, Host, many, parsed, run

OLDEST = (2, 17)
"""The oldest Open vSwitch that does all that rules ask for."""
LEAST_SPACE = 16 << 20
LEAST_MTU = 1350
"""What is left of it inside VXLAN over IPv6 is 1280 bytes, which IPv6 asks of every link."""
WHOLE_MTU = 1550
"""What is left of it inside VXLAN over IPv4 is an Ethernet's 1500 bytes."""
CLOCK_WARNING, CLOCK_ERROR = 60, 3600
"""Seconds. Certificates are good from an hour before they are made."""
NO_CHECK_TIME = 0x200000
"""OpenSSL's X509_V_FLAG_NO_CHECK_TIME: it is the clock that is in question."""


def examine(asked: "dict[str, Any]") -> Report:
    """Look at everything."""
    host, report = Host(), Report()
    _what_is_there(host, report)
    for check in (
        _programs,
        _disks,
        _names,
        _fabric,
        _tunnel_port,
        _ways,
        _controller,
        _clock,
        _others,
        _tls,
    ):
        check(host, report, asked)
    _changes(host, report, asked)
    return report


def _what_is_there(host: Host, report: Report) -> None:
    python = ".".join(map(str, sys.version_info[:3]))
    report.found.append(f"{host.version or 'no ovs-vswitchd'}, Python {python}")
    for name, row in sorted(host.bridges.items()):
        whose = "Overlace's, " if host.is_ours(name) else ""
        controllers = ", ".join(host.controllers_of(name)) or "no controller"
        datapath, ports = row["datapath_type"] or "system", len(many(row["ports"]))
        report.found.append(f"bridge {name}: {whose}datapath {datapath}, {ports} ports, {controllers}")
    report.found += [f"manager {each['target']}" for each in host.managers]
    mtus = ", ".join(f"{name} {link.get('mtu')}" for name, link in sorted(host.links.items()) if name != "lo")
    report.found.append(f"MTU: {mtus}")
    report.found.append(f"UDP ports in use: {', '.join(map(str, host.udp_ports)) or 'none'}")


def _programs(host: Host, report: Report, asked: "dict[str, Any]") -> None:
    version = re.search(r"(\d+)\.(\d+)", host.version)
    if version is None:
        report.error(
            "vswitchd_down",
            "ovs-vswitchd does not answer",
            "only the database server of Open vSwitch runs here, or not even that",
            "systemctl start openvswitch-switch, and see /var/log/openvswitch/ovs-vswitchd.log",
        )
    elif (int(version.group(1)), int(version.group(2))) < OLDEST:
        report.error(
            "switch_too_old",
            f"Open vSwitch {version.group()} is older than {OLDEST[0]}.{OLDEST[1]}",
            "it cannot do all that rules ask for",
            "upgrade the package openvswitch-switch",
        )
    if (host.root.get("other_config") or {}).get("flow-restore-wait") == "true":
        report.error(
            "restoring",
            "flow-restore-wait is set: Open vSwitch waits for flows to be put back, and forwards nothing",
            "a restart or an upgrade of Open vSwitch was cut short",
            "ovs-vsctl remove open_vswitch . other_config flow-restore-wait",
        )
    kernel = Path("/sys/module/openvswitch").exists() or bool(run("modinfo", "openvswitch"))
    lacks = asked["datapath"] == "system" and not kernel
    if lacks or asked["datapath"] not in many(host.root.get("datapath_types")):
        report.error(
            "datapath_missing",
            f"a bridge of datapath type {asked['datapath']} cannot work here",
            "the kernel has no module openvswitch" if lacks else "this Open vSwitch was built without it",
            "install the kernel's modules, or join with --datapath netdev",
        )


def _disks(_: Host, report: Report, __: "dict[str, Any]") -> None:
    configuration = os.environ.get("OVS_SYSCONFDIR", "/etc")
    places = {configuration, os.environ.get("OVS_DBDIR", f"{configuration}/openvswitch")}
    for place in sorted(each for each in places if Path(each).is_dir()):
        free = shutil.disk_usage(place).free
        if free < LEAST_SPACE:
            report.error(
                "disk_full",
                f"{place} has {free >> 10} KiB left",
                "the disk is full: neither joining nor Open vSwitch can keep what changes",
                "make room",
            )


def _names(host: Host, report: Report, asked: "dict[str, Any]") -> None:
    named, bridge = host.external_ids.get("overlace-host", ""), asked["bridge"]
    if named not in ("", asked["name"]):
        report.error(
            "joined_as_another",
            f"this host is joined as {named} already",
            "it joined under that name before, or its database is a copy of that host's",
            f"take that away first with the script of: overlace leave {named}",
            stays=True,
        )
    device = bridge in host.links or host.bridge_of(bridge) is not None
    if (bridge in host.bridges and not host.is_ours(bridge)) or (bridge not in host.bridges and device):
        what = "bridge" if bridge in host.bridges else "interface"
        report.error(
            "bridge_taken",
            f"{what} {bridge} exists and is not Overlace's",
            "somebody else made it",
            "choose another name with --bridge",
            stays=True,
        )


def _fabric(host: Host, report: Report, asked: "dict[str, Any]") -> None:
    fabric = asked["fabric_interface"]
    holder = host.bridge_of(fabric)
    if fabric and fabric not in host.links:
        report.error(
            "fabric_interface",
            f"there is no interface {fabric}",
            "it goes by another name here, or its driver is missing",
            "give the right one with --fabric-interface: ip link",
        )
    elif fabric and holder not in (None, asked["bridge"]):
        report.error(
            "fabric_interface",
            f"interface {fabric} is in bridge {holder}",
            "somebody else uses it",
            "give another with --fabric-interface, or take it out of that bridge first",
            stays=True,
        )


def _tunnel_port(host: Host, report: Report, asked: "dict[str, Any]") -> None:
    port, holders, ours = asked["tunnel_port"], [], False
    for bridge in sorted(host.bridges):
        for each in host.interfaces_of(bridge):
            usual = TUNNELS.get(each["type"])
            if usual is not None and int((each["options"] or {}).get("dst_port", usual)) == port:
                ours = ours or host.is_ours(bridge)
                if not host.is_ours(bridge):
                    holders.append(f"{each['type']} interface {each['name']} of bridge {bridge}")
    for encapsulation in host.external_ids.get("ovn-encap-type", "").split(","):
        if TUNNELS.get(encapsulation) == port:
            holders.append(f"OVN, which tunnels by {encapsulation}")
    for name, link in sorted(host.links.items()):
        info = link.get("linkinfo", {})
        usual = TUNNELS.get(info.get("info_kind"))
        # ..._sys_... are Open vSwitch's own, for the interfaces in its bridges.
        if usual is not None and info.get("info_data", {}).get("port", usual) == port and "_sys_" not in name:
            holders.append(f"the kernel's interface {name}")
    if not holders and not ours and port in host.udp_ports:
        holders.append("a program (ss -ulnp tells which)")
    if holders:
        report.error(
            "tunnel_port_taken",
            f"UDP port {port} is in use by {'; '.join(holders)}",
            "another overlay has it on this host: either would get the other's packets, or none at all",
            "overlace underlay set --tunnel-port NUMBER, for all hosts, and the same --tunnel-port here",
        )


def _ways(host: Host, report: Report, asked: "dict[str, Any]") -> None:
    """The interfaces of its tunnel endpoints, or the one towards the controller where these are not told."""
    devices = {}
    for endpoint in asked["endpoints"]:
        if endpoint in host.addresses:
            devices[host.addresses[endpoint]] = endpoint
            continue
        report.error(
            "endpoint_missing",
            f"no interface of this host has the address {endpoint}",
            "the address is another host's, or is not set up yet",
            "give the right one with --endpoint: ip address",
        )
    if not asked["endpoints"]:
        route = parsed(run("ip", "-json", "route", "get", asked["controller"]))
        devices = {str(each["dev"]): f"the way to {asked['controller']}" for each in route if "dev" in each}
    for device, way in sorted(devices.items()):
        mtu = int(host.links.get(device, {}).get("mtu", WHOLE_MTU))
        seen = f"{device} ({way}) has an MTU of {mtu}"
        if mtu < LEAST_MTU:
            report.error(
                "mtu_too_small",
                seen,
                "inside VXLAN over IPv6 less than the 1280 bytes are left that IPv6 asks for",
                f"ip link set {device} mtu 1600, and the same on the switches between the hosts",
            )
        elif mtu < WHOLE_MTU:
            report.note(
                "mtu_leaves_less",
                seen,
                f"VXLAN leaves {mtu - 50} bytes of it to networks over IPv4, {mtu - 70} over IPv6",
                f"overlace site add --mtu {mtu}, or a greater one for {device}",
            )


def _controller(_: Host, report: Report, asked: "dict[str, Any]") -> None:
    for what in ("openflow", "ovsdb"):
        address, _colon, port = asked[what].partition(":")[2].rpartition(":")
        try:
            socket.create_connection((address.strip("[]"), int(port)), timeout=3).close()
        except OSError as error:
            report.warning(
                "controller_unreachable",
                f"{address} port {port} cannot be reached: {error}",
                "the controller does not run, or a filter is between",
                "start it, or open the port; a host that has joined goes on calling",
            )


def _clock(_: Host, report: Report, asked: "dict[str, Any]") -> None:
    # When the script was printed is all that is known without asking.
    skew, about = min(0.0, _now() - asked["printed"]), "at least "
    if asked["enrolment_port"]:
        try:
            skew, about = _now() - _controller_clock(asked), ""
        except (OSError, ValueError, KeyError) as error:
            report.warning(
                "clock_unknown",
                f"the controller could not be asked for the time: {error}",
                f"{asked['controller']} port {asked['enrolment_port']} does not answer as this controller",
                "start the controller, or open the port: certificates come from there as well",
            )
    if abs(skew) <= CLOCK_WARNING:
        return
    seen = f"the clock of this host is {about}{abs(skew):.0f} s {'ahead' if skew > 0 else 'behind'}"
    cure = "timedatectl set-ntp true, on the machine whose clock is wrong"
    if asked["trust"] and abs(skew) > CLOCK_ERROR:
        cause = "no time service sets it, or the controller's; certificates would be taken for invalid"
        report.error("clock_apart", seen, cause, cure)
    else:
        report.warning("clock_apart", seen, "no time service sets it, or the controller's", cure)


def _controller_clock(asked: "dict[str, Any]") -> float:
    context = ssl.create_default_context(cadata=asked["trust"])
    context.verify_flags |= NO_CHECK_TIME
    address = asked["controller"]
    plain = socket.create_connection((address, asked["enrolment_port"]), timeout=5)
    with context.wrap_socket(plain, server_hostname=address) as connection:
        connection.sendall(b"clock\n")
        answer = connection.makefile("rb").readline(4096)
    return float(json.loads(answer.decode())["clock"])


def _now() -> float:
    return datetime.now(timezone.utc).timestamp()  # noqa: UP017


def _others(host: Host, report: Report, asked: "dict[str, Any]") -> None:
    for bridge in sorted(host.bridges):
        for each in host.controllers_of(bridge):
            if not host.is_ours(bridge) and each != asked["openflow"]:
                seen, cause = f"bridge {bridge} has the controller {each}", "it is somebody else's"
                report.note("controller_of_another", seen, cause, "nothing: it is left as it is")
    for row in host.managers:
        if (row["external_ids"] or {}).get("overlace-owned") != "true":
            seen, cause = f"the database has the manager {row['target']}", "somebody else manages it as well"
            report.note("manager_of_another", seen, cause, "nothing: Overlace's stands beside it")
    signs = {
        "OVN": host.runs("ovn-controller") or any(each.startswith("ovn-") for each in host.external_ids),
        "Neutron": host.runs("neutron-openvswitch-agent") or {"br-int", "br-tun"} <= set(host.bridges),
        "Proxmox": Path("/etc/pve").is_dir() or shutil.which("pveversion") is not None,
    }
    for name in (each for each, seen in signs.items() if seen):
        report.note(
            f"{name.lower()}_here",
            f"{name} is at work on this host",
            "it has bridges, interfaces and a tunnel port of its own",
            "nothing: they stay as they are, and workloads can move over one by one",
        )


def _tls(host: Host, report: Report, asked: "dict[str, Any]") -> None:
    key = str(host.identity.get("private_key", ""))
    if asked["trust"] and key and "/openvswitch/overlace/" not in key:
        report.warning(
            "tls_identity",
            f"Open vSwitch has a TLS identity already, {host.identity['certificate']}",
            "it can have only one, and somebody else has set it",
            "none, if it will do; otherwise joining says how it can be shared. Or join with --plaintext",
        )


def _changes(host: Host, report: Report, asked: "dict[str, Any]") -> None:
    bridge, fabric = asked["bridge"], asked["fabric_interface"]
    if bridge not in host.bridges:
        report.changes.append(f"a new bridge {bridge}, datapath {asked['datapath']}, fail-mode secure")
    if bridge not in host.bridges or asked["openflow"] not in host.controllers_of(bridge):
        report.changes.append(f"bridge {bridge} calls the controller {asked['openflow']}")
    if fabric and host.bridge_of(fabric) != bridge:
        report.changes.append(f"interface {fabric} into bridge {bridge}")
    if asked["ovsdb"] not in [each["target"] for each in host.managers]:
        report.changes.append(f"one manager more, {asked['ovsdb']}")
    if not host.external_ids.get("overlace-host"):
        report.changes.append(f"Open_vSwitch external_ids:overlace-host={asked['name']}")
    if asked["trust"] and not host.identity:
        report.changes.append("a key made here and a certificate for it as Open vSwitch's TLS identity")


def main(mode: str, asked: "dict[str, Any]") -> int:
    """Exit status 1 where joining is refused."""
    report = examine(asked)
    refused = report.refuses(asked["force"])
    report.tell(mode, refused)
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], json.loads(sys.argv[2])))
