"""Interfaces that hosts report, and which port each of them is.

An interface announces itself by ``external_ids:iface-id``; where nobody sets that, a port may name its host
and interface instead (``binding:profile``).
"""

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
    _by_iface_id: dict[tuple[str, str], dict[str, PluggedInterface]] = field(default_factory=dict)

    def put(self, interface: PluggedInterface) -> PluggedInterface | None:
        """Take in a new or changed interface. Returns what was known of it before."""
        before = self.remove(interface.host, interface.name)
        self._by_name[interface.host, interface.name] = interface
        if interface.iface_id:
            same_port = self._by_iface_id.setdefault((interface.host, interface.iface_id), {})
            same_port[interface.name] = interface
        return before

    def remove(self, host: str, name: str) -> PluggedInterface | None:
        """Forget an interface. Returns what was known of it."""
        before = self._by_name.pop((host, name), None)
        if before is not None and before.iface_id:
            same_port = self._by_iface_id[host, before.iface_id]
            del same_port[name]
            if not same_port:
                del self._by_iface_id[host, before.iface_id]
        return before

    def named(self, host: str, name: str) -> PluggedInterface | None:
        """The interface of that name."""
        return self._by_name.get((host, name))

    def announcing(self, host: str, port_id: str) -> list[PluggedInterface]:
        """The interfaces of a host that announce the port: more than one is a fault of the host."""
        return sorted(self._by_iface_id.get((host, port_id), {}).values(), key=lambda each: each.name)

    def on_host(self, host: str) -> list[PluggedInterface]:
        """All interfaces of a host."""
        return [each for (at, _), each in self._by_name.items() if at == host]
