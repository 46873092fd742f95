"""Keep the plan's tunnel ports in a host's database: which rows to add, alter and remove.

Pure and level-triggered: the answer depends on the replica as it is now, so it does not matter which
notification was missed. Rows without our mark are never altered, whatever the plan says.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from overlace.compiler.plan import TunnelPort
from overlace.southbound.database_view import BridgeInterface, DatabaseView, number, string_map, text
from overlace.southbound.operations import Changes
from overlace.wire.ovsdb.operations import Operation, RowInput, by_uuid, insert, mutate, update
from overlace.wire.ovsdb.replica import Row
from overlace.wire.ovsdb.values import NamedUuid, Uuid

OWNED_KEY = "overlace-owned"
"""The mark, in external_ids, of rows that Overlace made and may remove."""

TUNNEL_TYPES = frozenset(
    {"vxlan", "geneve", "gre", "ip6gre", "stt", "lisp", "gtpu", "bareudp", "erspan", "patch"}
)
"""Marked rows of other types (uplinks that the join script made) are not the plan's to remove."""

_NO_PEER_YET = "No usable peer"
"""What ovs-vswitchd says of one end of a patch before it has made the other, and goes on saying until it next looks at
the state of its ports. The other end is a row of ours, too, whose own trouble is told by name."""


@dataclass(slots=True)
class TunnelPortWork:
    """Operations for one transaction; what cannot be done; and names that the switch has yet to number."""

    operations: list[Operation] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)

    @property
    def done(self) -> bool:
        """True when every wanted port is there with its number and no other is."""
        return not (self.operations or self.problems or self.waiting)


def tunnel_port_work(
    view: DatabaseView, bridge: str, present: Mapping[str, BridgeInterface], wanted: Mapping[str, TunnelPort]
) -> TunnelPortWork:
    """Compare the wanted tunnel ports with the database, whose bridge has the interfaces that are `present`."""
    work = TunnelPortWork()
    row = view.bridge(bridge)
    if row is None:
        if wanted:
            work.problems.append(f"there is no bridge {bridge}")
        return work
    for name, port in wanted.items():
        if name in present:
            _align(work, present[name], port)
        elif view.has_interface(name):
            work.problems.append(f"the name {name} is taken by an interface outside {bridge}")
        else:
            _make(work, row.uuid, port)
    for name, interface in present.items():
        if name not in wanted and is_ours(interface):
            work.operations.append(
                mutate("Bridge", by_uuid(row.uuid), [("ports", "delete", {interface.port})])
            )
    return work


def far_end_work(view: DatabaseView, bridge: str, wanted: Iterable[TunnelPort]) -> TunnelPortWork:
    """The same for the ends of patch ports that are in bridges of others than the host's own `bridge`."""
    work, missing = TunnelPortWork(), {port.name: port for port in wanted}
    for name in view.bridge_names():
        row = view.bridge(name)
        if name == bridge or row is None:
            continue
        for each in (each for each in view.interfaces(name).values() if is_ours(each)):
            port = missing.get(text(each.row, "name") or "")
            if port is not None and port.bridge == name:
                _align(work, each, missing.pop(port.name))
            else:
                work.operations.append(
                    mutate("Bridge", by_uuid(row.uuid), [("ports", "delete", {each.port})])
                )
    for port in missing.values():
        row = view.bridge(port.bridge)
        if row is None:
            work.problems.append(
                f"there is no bridge {port.bridge} for the patch port into a physical network"
            )
        elif view.has_interface(port.name) and not work.operations:
            work.problems.append(f"the name {port.name} is taken by an interface that Overlace did not make")
        elif not work.operations:  # what is misplaced goes first
            _make(work, row.uuid, port)
    return work


def tunnel_port_changes(
    present: Mapping[str, BridgeInterface], wanted: Mapping[str, TunnelPort]
) -> Changes[str]:
    """The same for people: the names that are missing, not as they should be, and to be removed."""
    return Changes(
        added=[name for name in wanted if name not in present],
        changed=[
            name for name, port in wanted.items() if name in present and not _same(present[name].row, port)
        ],
        removed=[name for name, each in present.items() if name not in wanted and is_ours(each)],
    )


def _same(row: Row, port: TunnelPort) -> bool:
    return (
        text(row, "type") == port.type
        and string_map(row, "options") == dict(port.options)
        and string_map(row, "bfd") == dict(port.bfd)
        and (number(row, "ofport_request") or 0) == port.ofport
    )


def is_ours(interface: BridgeInterface) -> bool:
    """Whether it is a tunnel port that Overlace made."""
    if text(interface.row, "type") not in TUNNEL_TYPES:
        return False
    return string_map(interface.row, "external_ids").get(OWNED_KEY) == "true"


def _align(work: TunnelPortWork, present: BridgeInterface, port: TunnelPort) -> None:
    row = present.row
    if not is_ours(present):
        work.problems.append(f"the name {port.name} is taken by a port that Overlace did not make")
        return
    if not _same(row, port):
        work.operations.append(update("Interface", by_uuid(row.uuid), _columns(port)))
    elif (error := text(row, "error")) and not error.startswith(_NO_PEER_YET):
        work.problems.append(f"tunnel port {port.name}: {error}")
    elif number(row, "ofport") is None or (port.ofport and number(row, "ofport") != port.ofport):
        work.waiting.append(port.name)


def _make(work: TunnelPortWork, bridge: Uuid, port: TunnelPort) -> None:
    mark = {OWNED_KEY: "true"}
    interface_id = NamedUuid(f"interface{len(work.operations)}")
    port_id = NamedUuid(f"port{len(work.operations)}")
    interface = {"name": port.name, "external_ids": mark, **_columns(port)}
    work.operations += [
        insert("Interface", interface, interface_id),
        insert("Port", {"name": port.name, "interfaces": interface_id, "external_ids": mark}, port_id),
        mutate("Bridge", by_uuid(bridge), [("ports", "insert", {port_id})]),
    ]


def _columns(port: TunnelPort) -> RowInput:
    return {
        "type": port.type,
        "options": dict(port.options),
        "bfd": dict(port.bfd),
        "ofport_request": port.ofport or frozenset(),
    }
