"""What a host's database says about our bridge, read from the replica into observations.

Pure: rows in, observations out. Only interfaces of the one bridge that Overlace was given count; whatever else
lives on the host is neither reported nor touched.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import cast

from immutables import Map

from overlace.southbound.marker import Stamp, read_external_ids
from overlace.southbound.observations import InterfaceSeen, LivenessSeen
from overlace.wire.ovsdb.replica import Replica, Row, Selection
from overlace.wire.ovsdb.values import Uuid

_DATAPATH_ID = re.compile("[0-9a-fA-F]{16}")

SELECTION: Selection = {
    "Open_vSwitch": ("external_ids", "other_config", "ovs_version", "bridges"),
    "Bridge": (
        "name",
        "datapath_id",
        "datapath_type",
        "ports",
        "external_ids",
        "fail_mode",
        "other_config",
        "controller",
    ),
    "Port": ("name", "interfaces"),
    "Interface": (
        "name",
        "type",
        "ofport",
        "ofport_request",
        "options",
        "external_ids",
        "mac_in_use",
        "admin_state",
        "link_state",
        "error",
        "mtu",
        "bfd",
        "bfd_status",
    ),
    "Controller": ("target", "is_connected", "role"),
}
"""The columns worth hearing about; statistics change every few seconds and are left out."""


def text(row: Row, column: str) -> str | None:
    """A string column; None when it is empty or this server does not have it."""
    value = row.columns.get(column)
    return str(value) if isinstance(value, str) and value else None


def number(row: Row, column: str) -> int | None:
    """An integer column, as `text`."""
    value = row.columns.get(column)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def string_map(row: Row, column: str) -> dict[str, str]:
    """A map column of strings; empty when this server does not have it."""
    value = row.columns.get(column)
    return {str(key): str(item) for key, item in value.items()} if isinstance(value, Map) else {}


def references(row: Row, column: str) -> Iterator[Uuid]:
    """The rows to which a column refers, be it a set or a single reference."""
    value = row.columns.get(column)
    for item in value if isinstance(value, frozenset) else (value,):
        if isinstance(item, Uuid):
            yield item


@dataclass(frozen=True, slots=True)
class BridgeInterface:
    """An interface with the port through which it hangs on the bridge."""

    port: Uuid
    row: Row


@dataclass(frozen=True, slots=True)
class BridgeSeen:
    """How a host's Open vSwitch and our bridge in it are set up; `controllers` are its targets, `others` more
    bridges that joining has made."""

    ovs_version: str | None
    fail_mode: str | None
    in_band: bool
    controllers: tuple[str, ...]
    restoring: bool
    """other_config:flow-restore-wait of ovs-vswitchd.conf.db(5): nothing is forwarded until it is gone."""
    datapath_id: int | None
    is_there: bool = True
    others: tuple[str, ...] = ()


_NONE: frozenset[Uuid] = frozenset()


class DatabaseView:
    """A reader of one host's replica."""

    def __init__(self, replica: Replica) -> None:
        self._replica = replica

    @property
    def host_name(self) -> str | None:
        """external_ids:overlace-host, which the join script writes; else system-id.

        The latter is the distribution's: ovs-ctl(8) sets it anew at each start, and OVN names its chassis by it.
        """
        ids = string_map(self._root, "external_ids") if self._root else {}
        return ids.get("overlace-host") or ids.get("system-id")

    @property
    def ovs_version(self) -> str | None:
        """The version of ovs-vswitchd."""
        return text(self._root, "ovs_version") if self._root else None

    @property
    def _root(self) -> Row | None:
        return next(iter(self._replica.rows("Open_vSwitch").values()), None)

    def bridge(self, name: str) -> Row | None:
        """The row of the bridge called `name`."""
        rows = self._replica.rows("Bridge").values()
        return next((row for row in rows if row.columns.get("name") == name), None)

    def bridge_names(self) -> list[str]:
        """Every bridge of the host, others' too."""
        rows = self._replica.rows("Bridge").values()
        return sorted(name for row in rows if (name := text(row, "name")))

    def interfaces(self, bridge: str) -> dict[str, BridgeInterface]:
        """The interfaces of any bridge by name: for one that is looked at now and then."""
        found: dict[str, BridgeInterface] = {}
        for port_id in self.ports(bridge):
            port = self.row("Port", port_id)
            for interface_id in references(port, "interfaces") if port else ():
                interface = self.row("Interface", interface_id)
                if interface and (name := text(interface, "name")):
                    found[name] = BridgeInterface(port_id, interface)
        return found

    def row(self, table: str, uuid: Uuid) -> Row | None:
        """A row by its id."""
        return self._replica.rows(table).get(uuid)

    def ports(self, bridge: str) -> frozenset[Uuid]:
        """The ports of a bridge: the same object as long as they do not change."""
        row = self.bridge(bridge)
        value = row.columns.get("ports") if row else None
        if isinstance(value, frozenset):
            return cast("frozenset[Uuid]", value)
        return frozenset(references(row, "ports")) if row else _NONE

    def seen(self, name: str) -> BridgeSeen:
        """How the bridge called `name` is set up."""
        row = self.bridge(name)
        targets = (
            (self._replica.rows("Controller").get(each) for each in references(row, "controller"))
            if row
            else ()
        )
        others = (
            each
            for each in self._replica.rows("Bridge").values()
            if each is not row and string_map(each, "external_ids").get("overlace-owned") == "true"
        )
        in_band = row is not None and string_map(row, "other_config").get("disable-in-band") != "true"
        restoring = string_map(self._root, "other_config").get("flow-restore-wait") if self._root else None
        return BridgeSeen(
            self.ovs_version,
            text(row, "fail_mode") if row else None,
            in_band,
            tuple(sorted(target for each in targets if each and (target := text(each, "target")))),
            restoring == "true",
            self.datapath_id(name),
            row is not None,
            tuple(sorted(filter(None, (text(each, "name") for each in others)))),
        )

    def datapath_id(self, bridge: str) -> int | None:
        """The bridge's datapath id; None until ovs-vswitchd has made the bridge."""
        row = self.bridge(bridge)
        digits = text(row, "datapath_id") if row else None
        return int(digits, 16) if digits and _DATAPATH_ID.fullmatch(digits) else None

    def stamp(self, bridge: str) -> Stamp | None:
        """The stamp on the bridge."""
        row = self.bridge(bridge)
        return read_external_ids(string_map(row, "external_ids")) if row else None

    def has_interface(self, name: str) -> bool:
        """Whether some interface of the host has this name: a new one needs a name of its own."""
        return any(text(row, "name") == name for row in self._replica.rows("Interface").values())


def interface_seen(host: str, name: str, row: Row) -> InterfaceSeen:
    """Read an Interface row."""
    external_ids = string_map(row, "external_ids")
    ofport = number(row, "ofport")
    return InterfaceSeen(
        host=host,
        name=name,
        ofport=ofport if ofport is not None and ofport > 0 else None,
        iface_id=external_ids.get("iface-id"),
        attached_mac=external_ids.get("attached-mac"),
        mac=text(row, "mac_in_use"),
        admin_up=text(row, "admin_state") == "up",
        link_up=text(row, "link_state") == "up",
        error=text(row, "error"),
        type=text(row, "type") or "system",
        mtu=number(row, "mtu"),
    )


def liveness_seen(host: str, name: str, row: Row) -> LivenessSeen | None:
    """Read BFD's view of a tunnel port; None where BFD is off or has said nothing yet."""
    status = string_map(row, "bfd_status")
    if "state" not in status:
        return None
    return LivenessSeen(
        host=host,
        remote=string_map(row, "options").get("remote_ip", ""),
        up=status["state"] == "up",
        interface=name,
        state=status["state"],
        remote_state=status.get("remote_state", ""),
        diagnostic=status.get("diagnostic", ""),
    )


@dataclass(slots=True)
class Reported:
    """What was told about a host's interfaces, to tell only what is new."""

    interfaces: dict[str, InterfaceSeen] = field(default_factory=dict)
    liveness: dict[str, LivenessSeen] = field(default_factory=dict)
    plain_ports: dict[str, int] = field(default_factory=dict)
    """The interfaces with a carrier that are no workload's, by name, with their numbers."""
    ports_told: bool = False
    """Whether it was told that these are all."""


@dataclass(frozen=True, slots=True)
class News:
    """The difference between what was told and what is."""

    changed: tuple[InterfaceSeen, ...]
    removed: tuple[str, ...]
    liveness: tuple[LivenessSeen, ...]
    plain_ports: bool
    """Whether these are others now."""


def news(host: str, touched: Mapping[str, Row | None], reported: Reported) -> News:
    """What to tell now that these interfaces are so (None: gone); `reported` takes it over."""
    removed = tuple(name for name, row in touched.items() if row is None and name in reported.interfaces)
    present = {name: row for name, row in touched.items() if row is not None}
    seen = {name: interface_seen(host, name, row) for name, row in present.items()}
    alive = {
        name: state for name, row in present.items() if (state := liveness_seen(host, name, row)) is not None
    }
    plain = {name: number for name, each in seen.items() if (number := _plain_port(each)) is not None}
    told = News(
        tuple(each for name, each in seen.items() if reported.interfaces.get(name) != each),
        removed,
        tuple(each for name, each in alive.items() if reported.liveness.get(name) != each),
        any(reported.plain_ports.get(name) != plain.get(name) for name in touched),
    )
    for name in touched:
        reported.interfaces.pop(name, None)
        reported.liveness.pop(name, None)
        reported.plain_ports.pop(name, None)
    reported.interfaces |= seen
    reported.liveness |= alive
    reported.plain_ports |= plain
    return told


def _plain_port(seen: InterfaceSeen) -> int | None:
    return seen.ofport if seen.link_up and seen.iface_id is None else None
