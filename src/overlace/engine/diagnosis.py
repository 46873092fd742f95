"""Why a port is not ACTIVE, a network not whole, a host not in sync: all causes, the nearest first.

What a cause is, is decided here from intents, interfaces and what switches have acknowledged; how it looks is the
business of who shows it.
"""

from collections.abc import Callable, Collection, Iterable, Iterator

from overlace.compiler.plan import FragmentId
from overlace.compiler.reader import Reader, World
from overlace.compiler.technologies.members import TECHNOLOGIES, carried_by
from overlace.engine.attachment_reasons import attachment_reasons
from overlace.engine.engine import Engine
from overlace.engine.interfaces import Interfaces
from overlace.engine.reason import Ground, Reason
from overlace.engine.switch_facts import AskSwitch, switch_reasons
from overlace.kit.addresses import IPAddress
from overlace.model.network import Network
from overlace.model.port import Binding, Port
from overlace.model.site import Host, Site
from overlace.model.snapshot import Snapshot

AskUnderlay = Callable[[str, Collection[str]], list[Reason]]
"""What is the matter with the ways between a host and some others; `app` asks liveness and probes."""


def _nothing_known(_: str, __: Collection[str]) -> list[Reason]:
    return []


class Diagnosis:
    """Asks everybody who knows something."""

    def __init__(
        self,
        snapshot: Callable[[], Snapshot],
        engine: Engine,
        interfaces: Interfaces,
        switch: AskSwitch,
        underlay: AskUnderlay = _nothing_known,
    ) -> None:
        self._snapshot = snapshot
        self._engine = engine
        self._interfaces = interfaces
        self._switch = switch
        self._underlay = underlay

    def port(self, port_id: str) -> list[Reason]:
        """Everything about a port. Raises KeyError when there is none."""
        snapshot = self._snapshot()
        port = snapshot.get(Port, port_id)
        if port is None:
            raise KeyError(port_id)
        network = snapshot.get(Network, port.network_id)
        reasons = [*_administrative(port, network)]
        reasons += attachment_reasons(snapshot, self._interfaces, port, self._switch)
        reasons += self._realisation(port)
        if network is not None:
            reasons += self._carriage(snapshot, port, network)
        if not port.fixed_ips:
            text = f"port {port.name or port.id} has no address, so nothing but its MAC is known to others"
            reasons.append(
                Reason(Ground.NO_ADDRESS, text, "give it one: openstack port set --fixed-ip ...", "", False)
            )
        return _nearest_first(reasons)

    def network(self, network_id: str) -> list[Reason]:
        """The blocking causes of all ports of a network. Raises KeyError when there is none."""
        snapshot = self._snapshot()
        if snapshot.get(Network, network_id) is None:
            raise KeyError(network_id)
        ports = sorted(snapshot.members(Port, "network", network_id), key=lambda port: port.name or port.id)
        found = [reason for port in ports for reason in self.port(port.id) if reason.blocking]
        return list(dict.fromkeys(found))

    def host(self, host: str) -> list[Reason]:
        """What is the matter with a host. Raises KeyError when there is none."""
        if self._snapshot().get(Host, host) is None:
            raise KeyError(host)
        facts = self._switch(host)
        reasons = switch_reasons(host, facts)
        if not reasons and facts.doing:
            reasons.append(Reason(Ground.WAITING, f"host {host} is {facts.doing}", "", host))
        reasons += [
            Reason(Ground.REFUSED, f"host {host} refuses {'/'.join(id_)}: {why}", "", host)
            for id_, why in facts.held_out.items()
        ]
        return reasons + self._underlay(host, [each.id for each in self._snapshot().all(Host)])

    def _realisation(self, port: Port) -> Iterator[Reason]:
        realisation = self._engine.realisation
        if not self._engine.is_published(port.id):
            text = "the port's last change is on its way to the switches"
            yield Reason(Ground.WAITING, text, "wait a moment and ask again")
        concerned = {binding.host_id for binding in self._snapshot().members(Binding, "port", port.id)}
        waiting = realisation.waiting_for(port.id)
        for name in sorted({*waiting, *concerned}):
            facts = self._switch(name)
            if name in waiting and facts.hold is None:
                text = f"{name} has not acknowledged the port's last change yet"
                text += f" ({facts.doing})" if facts.doing else ""
                yield Reason(Ground.WAITING, text, "wait a moment and ask again", name)
            elif name in waiting and name not in concerned:
                yield from switch_reasons(name, facts)
            yield from _refused(name, port, facts.held_out.items())
        for name in realisation.pending(port.id):
            if name not in concerned:
                text = f"{name} is away and will be brought up to date when it returns"
                yield Reason(Ground.PENDING, text, "", name, blocking=False)

    def _carriage(self, snapshot: Snapshot, port: Port, network: Network) -> Iterator[Reason]:
        reader = Reader(World(snapshot, self._engine.world.observations))
        segment = carried_by(reader, network.id)
        name = network.name or network.id
        if segment is None:
            types = ", ".join(sorted(TECHNOLOGIES))
            text = f"network {name} has no segment that leads to other hosts (there are {types})"
            yield Reason(Ground.NO_SEGMENT, text, "make the network anew with one of these types", "", False)
            return
        technology = TECHNOLOGIES[segment.network_type]
        names = set(snapshot.outer(Binding, "place", network.id))
        hosts = {key: host for key in names if (host := snapshot.get(Host, key)) is not None}
        for binding in snapshot.members(Binding, "port", port.id):
            here = hosts.get(binding.host_id)
            if here is None:
                continue
            others = {key: host for key, host in hosts.items() if key != here.id}
            yield from self._underlay(here.id, others)
            for obstacle in technology.obstacles(reader, here, others):
                cure = f"see: overlace host show {here.id}"
                yield Reason(Ground.UNREACHABLE_HOST, obstacle, cure, here.id, blocking=False)
            addresses = (host.endpoints[0].address for host in (here, *others.values()) if host.endpoints)
            overhead = _overhead(
                technology.carriage.overhead_ipv4, technology.carriage.overhead_ipv6, addresses
            )
            yield from _narrow(snapshot, here, network, overhead)


def _administrative(port: Port, network: Network | None) -> Iterator[Reason]:
    if not port.admin_state_up:
        name = port.name or port.id
        text = f"port {name} is administratively down"
        yield Reason(Ground.PORT_DOWN, text, f"openstack port set --enable {name}")
    if network is not None and not network.admin_state_up:
        name = network.name or network.id
        text = f"network {name} is administratively down"
        # The port's status does not follow the network's, in the networking API.
        yield Reason(Ground.NETWORK_DOWN, text, f"openstack network set --enable {name}", "", blocking=False)


def _refused(name: str, port: Port, held_out: Iterable[tuple[FragmentId, str]]) -> Iterator[Reason]:
    mine = {port.id, port.network_id, *port.security_groups}
    for id_, why in held_out:
        if mine & set(id_) or id_ in (("base",), ("host", name)):
            text = f"{name} refuses the rules of {'/'.join(id_)}: {why}"
            yield Reason(
                Ground.REFUSED, text, "the switch may be too old: see its log and `overlace status`", name
            )


def _overhead(ipv4: int, ipv6: int, addresses: Iterable[IPAddress]) -> int:
    return max((ipv4 if each.version == 4 else ipv6 for each in addresses), default=0)


def _narrow(snapshot: Snapshot, host: Host, network: Network, overhead: int) -> Iterator[Reason]:
    site = snapshot.get(Site, host.site_id)
    if site is None or not network.mtu or network.mtu + overhead <= site.mtu:
        return
    fits = site.mtu - overhead
    text = f"the MTU {network.mtu} of network {network.name or network.id} does not fit site {site.id}: {fits} would"
    cure = f"openstack network set --mtu {fits} {network.name or network.id}, or raise the underlay's MTU"
    yield Reason(Ground.MTU, text, cure, host.id, blocking=False)


def _nearest_first(reasons: list[Reason]) -> list[Reason]:
    """Each once; what blocks before what does not, else in the order in which a port comes into being."""
    return sorted(dict.fromkeys(reasons), key=lambda reason: not reason.blocking)
