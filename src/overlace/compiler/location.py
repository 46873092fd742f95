"""Ports as the whole network sees them: where a MAC address lives, who owns an IP address, who is on the move.

One fragment a port, shared by every host of its network: it speaks of keys only, so it is the same everywhere,
on the port's own host too.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from overlace.compiler.pipeline import (
    DESTINATION_HOST,
    DESTINATION_PORT,
    FLAGS,
    GENERATION,
    LEARNED_SECONDS,
    NETWORK,
    SOURCE_HOST,
    CookieClass,
    Flag,
    Table,
    cookie,
)
from overlace.compiler.plan import Fragment
from overlace.compiler.query import Answerer, answerers, answers
from overlace.compiler.reader import Reader
from overlace.compiler.respond import answer
from overlace.compiler.rule import goto, rule, visit
from overlace.compiler.unit import Output, UnitId, network_audience
from overlace.datapath.actions import Action, Learn, LearnLoad, LearnMatch, Subfield, set_field, whole
from overlace.datapath.fields import Field
from overlace.datapath.flow import Flow
from overlace.model.network import Network
from overlace.model.port import Binding, BindingState, FixedIp, Port
from overlace.model.site import Host
from overlace.model.snapshot import Key, Snapshot


@dataclass(frozen=True, slots=True)
class LocationView:
    """A port, where it is active (`host_key` 0: nowhere), and the keys of the hosts where it is prepared."""

    port_id: str
    network_id: str
    port_key: int
    network_key: int
    mac: int
    fixed_ips: tuple[FixedIp, ...]
    host_key: int
    generation: int
    prepared: tuple[int, ...]
    answerers: tuple[Answerer, ...]
    """Who may be asked about connections from before a move."""


def project(reader: Reader, unit: UnitId) -> LocationView | None:
    """Read a port, its bindings and their hosts."""
    near = reader.near
    port = near.get(Port, unit[0])
    if port is None:
        return None
    network = near.get(Network, port.network_id)
    bindings = sorted(near.members(Binding, "port", port.id), key=lambda binding: binding.host_id)
    active = next((each for each in bindings if each.state is BindingState.ACTIVE), None)
    host = near.get(Host, active.host_id) if active is not None and port.admin_state_up else None
    prepared = (near.get(Host, each.host_id) for each in bindings if each.state is BindingState.PREPARED)
    return LocationView(
        port.id,
        port.network_id,
        port.key,
        network.key if network is not None else 0,
        port.mac_address,
        port.fixed_ips,
        host.key if host is not None else 0,
        active.generation if active is not None else 0,
        tuple(each.key for each in prepared if each is not None),
        answerers(reader, port, bindings),
    )


def kin(key: Key, snapshot: Snapshot) -> Iterable[UnitId]:
    """The unit of the port whose bindings are asked for, the units of a network's ports, and of those at a host."""
    match key:
        case (cls, "port", port_id, _) if cls is Binding:
            return [(port_id,)]
        case (cls, network_id) if cls is Network:
            return [(each.id,) for each in snapshot.members(Port, "network", network_id)]
        case (cls, host_id) if cls is Host:
            return [(each.port_id,) for each in snapshot.members(Binding, "host", host_id)]
        case _:
            return ()


def build(view: LocationView) -> Output:
    """The fragment, for the hosts of the network, and what those hold that are asked; none while the port is active
    nowhere."""
    if not view.host_key or not view.network_key:
        return Output()
    here = Fragment.made_of(("port", view.port_id), _flows, view).to(network_audience(view.network_id))
    if not view.answerers:
        return Output((here,))
    asked = answers(view.port_id, view.port_key, (view.network_id, view.network_key), view.answerers)
    return Output((here, *asked.fragments), asked.memberships)


def _flows(view: LocationView) -> Iterator[Flow]:
    mark = cookie(CookieClass.PORT, view.port_key)
    yield _location(view, mark)
    for ip in view.fixed_ips:
        yield answer(view.network_key, ip.ip_address, view.mac, mark)
    for host_key in view.prepared:
        yield _armed(view, host_key, mark)


def _location(view: LocationView, mark: int) -> Flow:
    actions: list[Action] = [
        set_field(DESTINATION_PORT, view.port_key),
        set_field(DESTINATION_HOST, view.host_key),
    ]
    if view.prepared:
        actions += (set_field(GENERATION, view.generation), visit(Table.OVERRIDE))
    where = {NETWORK: view.network_key, Field.ETH_DST: view.mac}
    return rule(Table.DESTINATION, 100, where, mark, *actions, goto(Table.LOCAL))


def _armed(view: LocationView, host_key: int, mark: int) -> Flow:
    """One frame of the port from the prepared host, and this switch sends there, controller or not. One way:
    the learned flow holds for the superseded generation only, and stragglers from the old host match nothing."""
    learn = Learn(
        table=int(Table.OVERRIDE),
        priority=100,
        cookie=cookie(CookieClass.LEARNED, view.port_key),
        hard_timeout=LEARNED_SECONDS,
        specs=(
            LearnMatch(whole(DESTINATION_PORT), view.port_key),
            LearnMatch(whole(GENERATION), view.generation),
            LearnLoad(whole(DESTINATION_HOST), host_key),
            LearnLoad(Subfield(FLAGS, Flag.REDIRECT.bit_length() - 1, 1), 1),
        ),
    )
    moved = {NETWORK: view.network_key, Field.ETH_SRC: view.mac, SOURCE_HOST: host_key}
    return rule(Table.ARMED, 100, moved, mark, learn, goto(Table.DESTINATION))
