"""Runs on a host: what its Open vSwitch database and its kernel say, read once and never written.

Only Python's own library, of any version since 3.6.
"""

import json
import subprocess
from pathlib import Path
from typing import Any, Iterator  # noqa: UP035

TUNNELS = {"vxlan": 4789, "geneve": 6081, "gtpu": 2152}
"""Kinds of tunnel interfaces over UDP, and the port each has when it is given none."""


def run(*command: str) -> str:
    """What a program prints; nothing when there is no such program or it fails."""
    out, err = subprocess.PIPE, subprocess.DEVNULL
    try:
        done = subprocess.run(command, stdout=out, stderr=err, timeout=30, check=False)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.decode(errors="replace").strip() if done.returncode == 0 else ""


def parsed(text: str) -> Any:
    """JSON; an empty list when it is none."""
    try:
        return json.loads(text) if text else []
    except ValueError:
        return []


def plain(value: Any) -> Any:
    """A column's value: maps as dictionaries, sets as lists, UUIDs as text."""
    if not isinstance(value, list):
        return value
    kind, inner = value
    if kind == "map":
        return {plain(key): plain(each) for key, each in inner}
    return [plain(each) for each in inner] if kind == "set" else inner


def table(name: str) -> "list[dict[str, Any]]":
    """The rows of a table of the database."""
    answer = parsed(run("ovs-vsctl", "--timeout=20", "--format=json", "list", name))
    return [dict(zip(answer["headings"], map(plain, row))) for row in answer["data"]] if answer else []  # noqa: B905


def many(value: Any) -> "list[Any]":
    """OVSDB shows a set of one as that one."""
    return value if isinstance(value, list) else [value] if value else []


class Host:
    """This machine."""

    def __init__(self) -> None:
        """Read."""
        self.root: dict[str, Any] = (table("Open_vSwitch") or [{}])[0]
        self.bridges = {str(each["name"]): each for each in table("Bridge")}
        self.managers = table("Manager")
        self.identity = (table("SSL") or [{}])[0]
        self.version = run("ovs-appctl", "--timeout=10", "-t", "ovs-vswitchd", "version")
        """What ovs-vswitchd says of itself; nothing when it does not answer."""
        self.links = {str(each["ifname"]): each for each in parsed(run("ip", "-json", "-details", "link"))}
        self.addresses = {
            str(info["local"]): str(each["ifname"])
            for each in parsed(run("ip", "-json", "address"))
            for info in each.get("addr_info", [])
            if "local" in info
        }
        self.udp_ports = _udp_ports()
        self._ports = {each["_uuid"]: each for each in table("Port")}
        self._interfaces = {each["_uuid"]: each for each in table("Interface")}
        self._controllers = {each["_uuid"]: str(each["target"]) for each in table("Controller")}

    @property
    def external_ids(self) -> "dict[str, str]":
        """Of the whole Open vSwitch."""
        return self.root.get("external_ids") or {}

    def interfaces_of(self, bridge: str) -> "Iterator[dict[str, Any]]":
        """The rows of a bridge's interfaces."""
        for port in many(self.bridges[bridge].get("ports")):
            for interface in many(self._ports.get(port, {}).get("interfaces")):
                if interface in self._interfaces:
                    yield self._interfaces[interface]

    def bridge_of(self, interface: str) -> "str | None":
        """The bridge that an interface is in."""
        for bridge in self.bridges:
            if any(each["name"] == interface for each in self.interfaces_of(bridge)):
                return bridge
        return None

    def controllers_of(self, bridge: str) -> "list[str]":
        """The targets of a bridge's controllers."""
        rows = many(self.bridges[bridge].get("controller"))
        return sorted(self._controllers[each] for each in rows if each in self._controllers)

    def is_ours(self, bridge: str) -> bool:
        """Whether joining made the bridge."""
        return (self.bridges[bridge].get("external_ids") or {}).get("overlace-owned") == "true"

    def runs(self, program: str) -> bool:
        """Whether there is a process of this name."""
        return any(_name(each) == program[:15] for each in Path("/proc").glob("[0-9]*/comm"))


def _name(file: Path) -> str:
    try:
        return file.read_text().strip()
    except OSError:
        return ""  # it has just ended


def _udp_ports() -> "list[int]":
    found = set()
    for file in (Path("/proc/net/udp"), Path("/proc/net/udp6")):
        lines = file.read_text().splitlines()[1:] if file.exists() else []
        found |= {int(line.split()[1].rpartition(":")[2], 16) for line in lines}
    return sorted(found)
