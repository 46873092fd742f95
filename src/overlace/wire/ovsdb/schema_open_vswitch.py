"""The rows of the Open_vSwitch database (ovs-vswitchd.conf.db(5)) that Overlace reads, as typed values.

`SELECTION` is what to monitor. Statistics are left out: they change every five seconds on every interface.
Columns that a server does not have read as empty.
"""

from typing import TypeVar

import msgspec
from immutables import Map

from overlace.wire.errors import MalformedError
from overlace.wire.ovsdb.replica import Row, Selection
from overlace.wire.ovsdb.values import Atom, Uuid

StringMap = Map[str, str]
A = TypeVar("A", bound=Atom)


class OpenVSwitch(msgspec.Struct, frozen=True):
    """The root row: who this host is, which configuration is wanted (`next_cfg`) and in force (`cur_cfg`)."""

    uuid: Uuid
    bridges: frozenset[Uuid]
    external_ids: StringMap
    other_config: StringMap
    ovs_version: str | None
    datapath_types: frozenset[str]
    iface_types: frozenset[str]
    next_cfg: int
    cur_cfg: int

    @property
    def system_id(self) -> str | None:
        """The name the host gives itself, from ``external_ids:system-id``."""
        return self.external_ids.get("system-id")


class Bridge(msgspec.Struct, frozen=True):
    """One bridge; `datapath_id` is 16 hexadecimal digits once ovs-vswitchd has made it."""

    uuid: Uuid
    name: str
    ports: frozenset[Uuid]
    controllers: frozenset[Uuid]
    fail_mode: str | None
    protocols: frozenset[str]
    datapath_type: str
    datapath_id: str | None
    other_config: StringMap
    external_ids: StringMap


class Port(msgspec.Struct, frozen=True):
    """One port of a bridge; more than one interface only when it is a bond."""

    uuid: Uuid
    name: str
    interfaces: frozenset[Uuid]
    tag: int | None
    other_config: StringMap
    external_ids: StringMap


class Interface(msgspec.Struct, frozen=True):
    """One interface; `ofport` is None before ovs-vswitchd has seen it and -1 when it could not be made."""

    uuid: Uuid
    name: str
    type: str
    ofport: int | None
    ofport_request: int | None
    options: StringMap
    external_ids: StringMap
    admin_state: str | None
    link_state: str | None
    mtu: int | None
    mtu_request: int | None
    mac_in_use: str | None
    bfd: StringMap
    bfd_status: StringMap
    error: str | None

    @property
    def iface_id(self) -> str | None:
        """The port that the interface announces itself as, from ``external_ids:iface-id``."""
        return self.external_ids.get("iface-id")


class Controller(msgspec.Struct, frozen=True):
    """One OpenFlow controller of a bridge, with what the switch says about the connection."""

    uuid: Uuid
    target: str
    is_connected: bool
    role: str | None
    external_ids: StringMap
    status: StringMap


SELECTION: Selection = {
    "Open_vSwitch": (
        "bridges",
        "external_ids",
        "other_config",
        "ovs_version",
        "datapath_types",
        "iface_types",
        "next_cfg",
        "cur_cfg",
    ),
    "Bridge": (
        "name",
        "ports",
        "controller",
        "fail_mode",
        "protocols",
        "datapath_type",
        "datapath_id",
        "other_config",
        "external_ids",
    ),
    "Port": ("name", "interfaces", "tag", "other_config", "external_ids"),
    "Interface": (
        "name",
        "type",
        "ofport",
        "ofport_request",
        "options",
        "external_ids",
        "admin_state",
        "link_state",
        "mtu",
        "mtu_request",
        "mac_in_use",
        "bfd",
        "bfd_status",
        "error",
    ),
    "Controller": ("target", "is_connected", "role", "external_ids", "status"),
}


def read_open_vswitch(row: Row) -> OpenVSwitch:
    """Raises MalformedError, as all here, when a column has another type than the schema says."""
    return OpenVSwitch(
        uuid=row.uuid,
        bridges=_set(row, "bridges", Uuid),
        external_ids=_map(row, "external_ids"),
        other_config=_map(row, "other_config"),
        ovs_version=_optional(row, "ovs_version", str),
        datapath_types=_set(row, "datapath_types", str),
        iface_types=_set(row, "iface_types", str),
        next_cfg=_scalar(row, "next_cfg", int, 0),
        cur_cfg=_scalar(row, "cur_cfg", int, 0),
    )


def read_bridge(row: Row) -> Bridge:
    """Raises MalformedError."""
    return Bridge(
        uuid=row.uuid,
        name=_scalar(row, "name", str, ""),
        ports=_set(row, "ports", Uuid),
        controllers=_set(row, "controller", Uuid),
        fail_mode=_optional(row, "fail_mode", str),
        protocols=_set(row, "protocols", str),
        datapath_type=_scalar(row, "datapath_type", str, ""),
        datapath_id=_optional(row, "datapath_id", str),
        other_config=_map(row, "other_config"),
        external_ids=_map(row, "external_ids"),
    )


def read_port(row: Row) -> Port:
    """Raises MalformedError."""
    return Port(
        uuid=row.uuid,
        name=_scalar(row, "name", str, ""),
        interfaces=_set(row, "interfaces", Uuid),
        tag=_optional(row, "tag", int),
        other_config=_map(row, "other_config"),
        external_ids=_map(row, "external_ids"),
    )


def read_interface(row: Row) -> Interface:
    """Raises MalformedError."""
    return Interface(
        uuid=row.uuid,
        name=_scalar(row, "name", str, ""),
        type=_scalar(row, "type", str, ""),
        ofport=_optional(row, "ofport", int),
        ofport_request=_optional(row, "ofport_request", int),
        options=_map(row, "options"),
        external_ids=_map(row, "external_ids"),
        admin_state=_optional(row, "admin_state", str),
        link_state=_optional(row, "link_state", str),
        mtu=_optional(row, "mtu", int),
        mtu_request=_optional(row, "mtu_request", int),
        mac_in_use=_optional(row, "mac_in_use", str),
        bfd=_map(row, "bfd"),
        bfd_status=_map(row, "bfd_status"),
        error=_optional(row, "error", str),
    )


def read_controller(row: Row) -> Controller:
    """Raises MalformedError."""
    return Controller(
        uuid=row.uuid,
        target=_scalar(row, "target", str, ""),
        is_connected=_scalar(row, "is_connected", bool, False),
        role=_optional(row, "role", str),
        external_ids=_map(row, "external_ids"),
        status=_map(row, "status"),
    )


def _scalar(row: Row, column: str, kind: type[A], absent: A) -> A:
    value = _optional(row, column, kind)
    return absent if value is None else value


def _optional(row: Row, column: str, kind: type[A]) -> A | None:
    value = row.columns.get(column)
    if value is None or isinstance(value, kind):
        return value
    raise MalformedError(f"column {column} of {row.table} holds {value!r:.80}")


def _set(row: Row, column: str, kind: type[A]) -> frozenset[A]:
    value = row.columns.get(column, frozenset[Atom]())
    items = value if isinstance(value, frozenset) else frozenset((value,))
    typed = frozenset(item for item in items if isinstance(item, kind))
    if len(typed) != len(items):
        raise MalformedError(f"column {column} of {row.table} holds {value!r:.80}")
    return typed


def _map(row: Row, column: str) -> StringMap:
    value = row.columns.get(column)
    if value is None:
        return Map()
    if not isinstance(value, Map):
        raise MalformedError(f"column {column} of {row.table} holds {value!r:.80}")
    return Map({str(key): str(item) for key, item in value.items()})
