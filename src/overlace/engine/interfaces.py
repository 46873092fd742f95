"""Interfaces that hosts report, and which port each of them is.

An interface announces itself by ``external_ids:iface-id``; where nobody sets that, a port may name its host
and interface instead (``binding:profile``).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class PluggedInterface:
    """A workload interface on the integration bridge of a host; `ofport` None until the switch numbers it."""

    host: str
    name: str
    iface_id: str | None
    ofport: int | None
    error: str = ""


@dataclass(slots=True)
class Interfaces:
    """The interfaces of all hosts, found by name and by port id."""

    _by_name: dict[tuple[str, str], PluggedInterface] = field(default_factory=dict)
    _by_iface_id: dict[str, dict[str, dict[str, PluggedInterface]]] = field(default_factory=dict)
    """Port id -> host -> interface name."""

    def put(self, interface: PluggedInterface) -> PluggedInterface | None:
        """Take in a new or changed interface. Returns what was known of it before."""
        before = self.remove(interface.host, interface.name)
        self._by_name[interface.host, interface.name] = interface
        if interface.iface_id:
            hosts = self._by_iface_id.setdefault(interface.iface_id, {})
            hosts.setdefault(interface.host, {})[interface.name] = interface
        return before

    def remove(self, host: str, name: str) -> PluggedInterface | None:
        """Forget an interface. Returns what was known of it."""
        before = self._by_name.pop((host, name), None)
        if before is not None and before.iface_id:
            hosts = self._by_iface_id[before.iface_id]
            del hosts[host][name]
            if not hosts[host]:
                del hosts[host]
            if not hosts:
                del self._by_iface_id[before.iface_id]
        return before

    def named(self, host: str, name: str) -> PluggedInterface | None:
        """The interface of that name."""
        return self._by_name.get((host, name))

    def announcing(self, host: str, port_id: str) -> list[PluggedInterface]:
        """The interfaces of a host that announce the port: more than one is a fault of the host."""
        announcing = self._by_iface_id.get(port_id, {}).get(host, {})
        return sorted(announcing.values(), key=lambda each: each.name)

    def hosts_announcing(self, port_id: str) -> set[str]:
        """The hosts where some interface announces the port."""
        return set(self._by_iface_id.get(port_id, {}))

    def all(self) -> Iterable[PluggedInterface]:
        """All interfaces of all hosts."""
        return self._by_name.values()

    def on_host(self, host: str) -> list[PluggedInterface]:
        """All interfaces of a host."""
        return [each for (at, _), each in self._by_name.items() if at == host]
