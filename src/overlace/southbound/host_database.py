"""What Overlace does in the database of one connected host: its tunnel ports and its stamp, nothing else."""

from collections.abc import Callable, Iterable, Mapping, Sequence

import structlog

from overlace.compiler.plan import SwitchName, TunnelPort
from overlace.southbound.bridge_interfaces import BridgeInterfaces
from overlace.southbound.database_view import DatabaseView, News, Reported, news, string_map
from overlace.southbound.marker import Stamp
from overlace.southbound.operations import Changes
from overlace.southbound.tunnel_ports import (
    TunnelPortWork,
    far_end_work,
    is_ours,
    tunnel_port_changes,
    tunnel_port_work,
)
from overlace.wire.ovsdb.operations import Clause, Operation, by_uuid, comment, mutate
from overlace.wire.ovsdb.replica import RowChange
from overlace.wire.ovsdb.results import TransactReply

log = structlog.get_logger(__name__)


class HostDatabase:
    """One synchronised connection. At most one transaction for tunnel ports is under way at a time."""

    def __init__(
        self,
        host: SwitchName,
        bridge: str,
        view: DatabaseView,
        transact: Callable[[Sequence[Operation]], int],
    ) -> None:
        self.host = host
        self.bridge = bridge
        self.view = view
        self._transact = transact
        self._interfaces = BridgeInterfaces(view, bridge)
        self._untold = set(self._interfaces.by_name)
        self._is_first = True
        self._wanted: Mapping[str, TunnelPort] | None = None
        self._work = TunnelPortWork()
        self._refusal: str | None = None
        self._under_way: int | None = None
        self._looks_elsewhere = True
        """Whether patch ports of ours may be in bridges of others."""

    @property
    def tunnel_ports_problem(self) -> str | None:
        """Why the wanted tunnel ports are not all there; None when they are (or none were ever wanted)."""
        if self._wanted is None:
            return None
        if self._refusal is not None:
            return self._refusal
        if self._work.problems:
            return "; ".join(self._work.problems)
        if self._under_way is not None or not self._work.done:
            return f"tunnel ports in the making: {', '.join(self._work.waiting) or 'transaction under way'}"
        return None

    @property
    def stamp(self) -> Stamp | None:
        """The stamp on the bridge."""
        return self.view.stamp(self.bridge)

    @property
    def datapath_type(self) -> str | None:
        """Whose datapath the bridge has (ovs-vswitchd.conf.db(5)); empty is the kernel's, None not known."""
        row = self.view.bridge(self.bridge)
        value = row.columns.get("datapath_type") if row else None
        return value if isinstance(value, str) else None

    @property
    def tunnel_ports_refused(self) -> bool:
        """True when waiting will not help: the database refused, or a name is taken."""
        return self._refusal is not None or bool(self._work.problems)

    def retry(self) -> None:
        """Try again what the database refused."""
        if self._refusal is not None:
            self._refusal = None
            self.reconcile()

    def want_tunnel_ports(self, wanted: Mapping[str, TunnelPort]) -> None:
        """From now on keep these tunnel ports on the bridge, and no others of ours."""
        if wanted == self._wanted and self._refusal is None:
            return
        self._wanted = dict(wanted)
        self._refusal = None
        self.reconcile()

    def tunnel_port_changes(self, wanted: Mapping[str, TunnelPort]) -> Changes[str]:
        """In which tunnel ports the database differs from the wanted ones; names."""
        near = {name: port for name, port in wanted.items() if not port.bridge}
        return tunnel_port_changes(self._interfaces.by_name, near)

    def rest(self) -> None:
        """Keep no tunnel ports for the time being: whatever the database becomes, nothing is written to it."""
        self._wanted = self._refusal = None
        self._work = TunnelPortWork()

    def rows_changed(self, changes: Iterable[RowChange]) -> None:
        """The database has changed so."""
        touched = self._interfaces.take(changes)
        self._untold |= touched
        if self._looks_elsewhere or not self._work.done or any(map(self._concerns_tunnels, touched)):
            self.reconcile()

    def _concerns_tunnels(self, name: str) -> bool:
        present = self._interfaces.by_name.get(name)
        return name in (self._wanted or ()) or (present is not None and is_ours(present))

    def reconcile(self) -> None:
        """Compare again; call it after changes of the database, and now and then after a refusal."""
        if self._wanted is None or self._under_way is not None:
            return
        near = {name: port for name, port in self._wanted.items() if not port.bridge}
        far = [port for port in self._wanted.values() if port.bridge]
        self._work = tunnel_port_work(self.view, self.bridge, self._interfaces.by_name, near)
        if (self._looks_elsewhere or far) and not self._work.operations:
            elsewhere = far_end_work(self.view, self.bridge, far)
            self._looks_elsewhere = bool(far or elsewhere.operations)
            self._work.operations += elsewhere.operations
            self._work.problems += elsewhere.problems
            self._work.waiting += elsewhere.waiting
        if self._work.operations:
            self._under_way = self._transact([*self._work.operations, comment("overlace: tunnel ports")])

    def write_stamp(self, stamp: Stamp) -> None:
        """Put the stamp on the bridge, unless it is there."""
        row = self.view.bridge(self.bridge)
        if row is None:
            return
        wanted = stamp.external_ids()
        present = string_map(row, "external_ids")
        if any(present.get(key) != value for key, value in wanted.items()):
            mutations: list[Clause] = [
                ("external_ids", "delete", frozenset(wanted)),
                ("external_ids", "insert", wanted),
            ]
            self._transact([mutate("Bridge", by_uuid(row.uuid), mutations)])

    def news(self, reported: Reported) -> News:
        """What the database says now that was not reported before."""
        present = self._interfaces.by_name
        touched = {name: present[name].row if name in present else None for name in self._untold}
        touched |= dict.fromkeys(reported.interfaces.keys() - present.keys()) if self._is_first else {}
        self._untold, self._is_first = set(), False
        return news(self.host, touched, reported)

    def replied(self, reply: TransactReply) -> None:
        """A transaction is over."""
        if reply.error is not None:
            log.warning(
                "ovsdb transaction refused",
                host=self.host,
                error=reply.error.error,
                details=reply.error.details,
            )
        if reply.request_id == self._under_way:
            self._under_way = None
            failed = reply.error
            self._refusal = f"{failed.error}: {failed.details}" if failed else None
            if failed is None:
                self.reconcile()
