"""Bindings: what a port needs on the host that it is bound to. The only rules that know OpenFlow ports."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address

from overlace.compiler.guard import Identity, guard_flows, open_flows
from overlace.compiler.pipeline import (
    COPIES,
    DESTINATION_HOST,
    DESTINATION_PORT,
    FLAGS,
    GENERATION,
    GROUP,
    LATE_FRAMES,
    LEARNED_SECONDS,
    NETWORK,
    SOURCE_PORT,
    STATELESS,
    TUNNEL_OFPORT,
    ZONE,
    CookieClass,
    Flag,
    Table,
    cookie,
    failover_group,
    is_learned_by_any,
)
from overlace.compiler.plan import Fragment
from overlace.compiler.query import Asker, asker, asking
from overlace.compiler.reader import Reader
from overlace.compiler.rule import (
    ARP,
    Conditions,
    clear_flag,
    flagged,
    goto,
    neighbour,
    raise_flag,
    rule,
    visit,
)
from overlace.compiler.unit import (
    Memberships,
    Output,
    UnitId,
    group_audience,
    network_audience,
    switch_audience,
)
from overlace.datapath.actions import (
    Action,
    Clone,
    Learn,
    LearnLoad,
    LearnMatch,
    Output as Send,
    SendToController,
    SendToGroup,
    SetField,
    Subfield,
    set_field,
    whole,
)
from overlace.datapath.fields import Field
from overlace.datapath.flow import Bucket, Flow, Group, GroupType
from overlace.kit.addresses import IPAddress, IPNetwork, narrowest
from overlace.model.network import Network
from overlace.model.policy import SecurityGroup
from overlace.model.port import AddressPair, Binding, BindingState, FixedIp, Port, binding_id, place_of
from overlace.model.site import Host
from overlace.model.snapshot import Key, Snapshot

ACTIVATION = b"active"
"""Userdata of the packet-in by which a prepared port says that it has started: followed by the port key."""


_Groups = tuple[tuple[str, int], ...]
"""Ids and keys of security groups."""


@dataclass(frozen=True, slots=True)
class Common:
    """What the ports of a network on a host have in common, but for those that move; `groups` None where port security
    is off."""

    host: str
    network_id: str
    network_key: int
    enabled: bool
    groups: _Groups | None
    stateless: bool
    state: BindingState
    superseded: int
    """The generation of the active binding: what a move that is prepared makes stale."""
    elsewhere: int
    """The key of the host where the port is prepared while it is active here; 0 for none."""


@dataclass(frozen=True, slots=True)
class BindingView:
    """A binding with what its flows depend on."""

    common: Common
    port_id: str
    port_key: int
    zone: int
    ofport: int | None
    mac: int
    fixed_ips: tuple[FixedIp, ...]
    pairs: tuple[AddressPair, ...]
    asker: Asker | None
    """Whom the port asks about connections from before a move."""


def project(reader: Reader, unit: UnitId) -> BindingView | None:
    """Read a binding, its port, and the names of its groups."""
    near = reader.near
    binding = near.get(Binding, binding_id(*unit))
    if binding is None:
        return None
    port = near.get(Port, binding.port_id)
    network = near.get(Network, binding.network_id)
    if port is None or network is None:
        return None
    named = (near.get(SecurityGroup, group) for group in sorted(port.security_groups))
    found = [group for group in named if group is not None]
    groups = tuple((group.id, group.key) for group in found)
    bindings = sorted(near.members(Binding, "port", port.id), key=lambda each: each.host_id)
    active = next((each for each in bindings if each.state is BindingState.ACTIVE), None)
    common = _common(
        binding.host_id,
        network.id,
        network.key,
        port.admin_state_up and network.admin_state_up,
        groups if port.port_security_enabled else None,
        bool(found) and not any(group.stateful for group in found),
        binding.state,
        active.generation if active is not None else 0,
        _elsewhere(reader, bindings) if active == binding else 0,
    )
    return BindingView(
        common,
        port.id,
        port.key,
        binding.zone,
        near.ofport((binding.host_id, port.id)),
        port.mac_address,
        port.fixed_ips,
        port.allowed_address_pairs,
        asker(reader, port, binding, network.key),
    )


_common = lru_cache(maxsize=1 << 14)(Common)
"""The same object for all that have the same in common."""


def _elsewhere(reader: Reader, bindings: list[Binding]) -> int:
    prepared = (reader.get(Host, each.host_id) for each in bindings if each.state is BindingState.PREPARED)
    return next((host.key for host in prepared if host is not None), 0)


def identities(
    own_mac: int, fixed_ips: tuple[FixedIp, ...], pairs: tuple[AddressPair, ...]
) -> tuple[Identity, ...]:
    """A port's own addresses and its allowed pairs, gathered by MAC."""
    sources: dict[int, list[IPAddress | IPNetwork]] = {own_mac: [ip.ip_address for ip in fixed_ips]}
    for pair in pairs:
        mac = own_mac if pair.mac_address is None else pair.mac_address
        sources.setdefault(mac, []).append(narrowest(pair.ip_address))
    return tuple(Identity(mac, tuple(known)) for mac, known in sources.items())


def kin(key: Key, snapshot: Snapshot) -> Iterable[UnitId]:
    """The units of all bindings of a port, of a network, of the ports in a group; of one, for the interface at its
    host."""
    match key:
        case ("ofport", (host_id, port_id)):
            known = snapshot.get(Binding, binding_id(port_id, host_id)) is not None
            return [(port_id, host_id)] if known else ()
        case (cls, port_id) if cls is Port:
            ports = [port_id]
        case (cls, "port", port_id, _) if cls is Binding:
            ports = [port_id]
        case (cls, network_id) if cls is Network:
            ports = [each.id for each in snapshot.members(Port, "network", network_id)]
        case (cls, group_id) if cls is SecurityGroup:
            ports = [each.id for each in snapshot.members(Port, "security_group", group_id)]
        case _:
            return ()
    return [(port, each.host_id) for port in ports for each in snapshot.members(Binding, "port", port)]


def roots(snapshot: Snapshot) -> Iterable[UnitId]:
    """All bindings, by their ports and hosts."""
    return ((each.port_id, each.host_id) for each in snapshot.all(Binding))


def root_of(key: Key) -> UnitId:
    """The port and host of a binding."""
    return place_of(key[1])


def build(view: BindingView) -> Output:
    """Flows for this switch alone, and the audiences that the port makes its host a member of."""
    failover = _failover(view) if view.common.enabled else None
    groups = (failover,) if failover is not None else ()
    fragment = Fragment.made_of(("binding", view.port_id, view.common.host), _flows, view, groups)
    memberships = _memberships(view.common.host, view.common.network_id, view.common.groups or ())
    return Output((fragment.to(switch_audience(view.common.host)),), memberships)


@lru_cache(maxsize=1 << 14)
def _memberships(host: str, network_id: str, groups: _Groups) -> Memberships:
    """The same object for all ports of a network on a host, as far as their groups are the same."""
    audiences = (network_audience(network_id), *(group_audience(group) for group, _ in groups))
    return Memberships(tuple((host, audience) for audience in audiences))


def _flows(view: BindingView) -> list[Flow]:
    mark = cookie(CookieClass.BINDING, view.port_key)
    if view.common.state is BindingState.FENCED or not view.common.enabled:
        return []
    if view.common.state is BindingState.RELEASING:
        return [rule(Table.LOCAL, 100, {**_to_it(view), **flagged(Flag.FROM_TUNNEL)}, mark, *_away())]
    if view.ofport is None:
        return (
            [rule(Table.LOCAL, 120, _to_it(view), mark, *_away(view.common.elsewhere))]
            if view.common.elsewhere
            else []
        )
    return [
        _classify(view, view.ofport, mark),
        *_arrival(view, mark),
        _late_arrival(view, mark),
        *_copy_arrival(view, mark),
        *_source_guard(view, mark),
        *_own_addresses(view, mark),
        *_policy(view, mark),
        *(asking(view.asker) if view.asker is not None and _zone(view) == view.zone else ()),
        rule(Table.DELIVER, 100, {DESTINATION_PORT: view.port_key}, mark, Send(view.ofport)),
    ]


def _zone(view: BindingView) -> int:
    """Connections are tracked as soon as one group is stateful; the rules of all then permit connections."""
    if view.common.groups is None:
        return 0
    return STATELESS if view.common.stateless else view.zone


def _classify(view: BindingView, ofport: int, mark: int) -> Flow:
    first = Table.ARMED_LOCAL if view.common.state is BindingState.PREPARED else Table.SOURCE_GUARD
    return rule(
        Table.CLASSIFY,
        100,
        {Field.IN_PORT: ofport},
        mark,
        set_field(SOURCE_PORT, view.port_key),
        set_field(NETWORK, view.common.network_key),
        set_field(ZONE, _zone(view)),
        goto(first),
    )


def _arrival(view: BindingView, mark: int) -> list[Flow]:
    """Is it here? A prepared port takes only what a tunnel brings, until its own first frame makes it active."""
    here = {DESTINATION_PORT: view.port_key}
    actions: tuple[Action, ...] = (set_field(ZONE, _zone(view)), goto(Table.INGRESS_TRACK))
    if view.common.state is BindingState.ACTIVE:
        flows = [rule(Table.LOCAL, 100, here, mark, *actions)]
        if view.common.elsewhere:
            group = SendToGroup(failover_group(view.port_key))
            flows.append(
                rule(Table.LOCAL, 120, _to_it(view), mark, _second_copy(view.common.elsewhere), group)
            )
        return flows
    return [
        rule(Table.LOCAL, 100, {**here, **flagged(Flag.FROM_TUNNEL)}, mark, *actions),
        rule(Table.LOCAL, 110, {**here, **flagged(Flag.ACTIVATED)}, mark, *actions),
        _first_frame(view, mark),
    ]


def activation_in(flow: Flow) -> tuple[int, int] | None:
    """The port key and the superseded generation, if this is what the first frame of a prepared port has left."""
    port, generation = flow.match.get(DESTINATION_PORT), flow.match.get(GENERATION)
    if not is_learned_by_any(flow.cookie) or port is None or generation is None:
        return None
    here = any(
        isinstance(each, SetField) and each.field is FLAGS and each.value & Flag.ACTIVATED
        for each in flow.actions
    )
    return (port.value, generation.value) if here else None


def _late_arrival(view: BindingView, mark: int) -> Flow:
    """What the host where the port was has sent on: for this port or for nobody."""
    late = {NETWORK: view.common.network_key, Field.ETH_DST: LATE_FRAMES | view.port_key}
    return rule(
        Table.ARMED,
        200,
        late,
        mark,
        set_field(Field.ETH_DST, view.mac),
        set_field(DESTINATION_PORT, view.port_key),
        set_field(ZONE, _zone(view)),
        goto(Table.INGRESS_TRACK),
    )


def _second_copy(host_key: int) -> Clone:
    """To the host where the port is prepared: until the news of a move is here, frames still come here."""
    return Clone((raise_flag(Flag.COPY), set_field(DESTINATION_HOST, host_key), visit(Table.ENCAPSULATE)))


def _copy_arrival(view: BindingView, mark: int) -> list[Flow]:
    """What the host where the port was sends here too, for the time that the news of the move takes to reach it."""
    copies = {NETWORK: view.common.network_key, Field.ETH_DST: COPIES | view.port_key}
    mine: tuple[Action, ...] = (
        set_field(Field.ETH_DST, view.mac),
        set_field(DESTINATION_PORT, view.port_key),
        set_field(ZONE, _zone(view)),
    )
    if view.common.state is BindingState.ACTIVE:
        return [rule(Table.ARMED, 200, copies, mark, *mine, goto(Table.INGRESS_TRACK))]
    started = {DESTINATION_PORT: view.port_key, **flagged(Flag.COPY, Flag.ACTIVATED)}
    asked = (set_field(GENERATION, view.common.superseded), visit(Table.OVERRIDE), raise_flag(Flag.COPY))
    return [
        rule(Table.ARMED, 200, copies, mark, *mine, *asked, goto(Table.LOCAL)),
        rule(Table.LOCAL, 220, started, mark, clear_flag(Flag.COPY), goto(Table.INGRESS_TRACK)),
    ]


def _to_it(view: BindingView) -> Conditions:
    """Frames to the port alone: of a broadcast every host of the network has a copy already."""
    return {DESTINATION_PORT: view.port_key, Field.ETH_DST: view.mac}


def _away(host_key: int = 0) -> list[Action]:
    """After the port: to the host that its location names, or to this one."""
    there: list[Action] = [set_field(DESTINATION_HOST, host_key)] if host_key else []
    return [raise_flag(Flag.REDIRECT), *there, goto(Table.ENCAPSULATE)]


def _failover(view: BindingView) -> Group | None:
    """While a move is prepared, the switch itself notices that the interface has gone from here."""
    if view.common.state is not BindingState.ACTIVE or view.ofport is None or not view.common.elsewhere:
        return None
    here = (set_field(ZONE, _zone(view)), visit(Table.INGRESS_TRACK))
    there = (
        raise_flag(Flag.REDIRECT),
        set_field(DESTINATION_HOST, view.common.elsewhere),
        visit(Table.ENCAPSULATE),
    )
    buckets = (Bucket(1, here, watch_port=view.ofport), Bucket(2, there, watch_port=TUNNEL_OFPORT))
    return Group(failover_group(view.port_key), GroupType.FAST_FAILOVER, buckets)


def _first_frame(view: BindingView, mark: int) -> Flow:
    learn = Learn(
        table=int(Table.OVERRIDE),
        priority=100,
        cookie=cookie(CookieClass.LEARNED, view.port_key),
        hard_timeout=LEARNED_SECONDS,
        specs=(
            LearnMatch(whole(DESTINATION_PORT), view.port_key),
            LearnMatch(whole(GENERATION), view.common.superseded),
            LearnLoad(Subfield(FLAGS, Flag.ACTIVATED.bit_length() - 1, 1), 1),
        ),
    )
    tell = SendToController(ACTIVATION + view.port_key.to_bytes(4, "big"))
    return rule(
        Table.ARMED_LOCAL, 100, {SOURCE_PORT: view.port_key}, mark, learn, tell, goto(Table.SOURCE_GUARD)
    )


def _source_guard(view: BindingView, mark: int) -> list[Flow]:
    if view.common.groups is None:
        return open_flows(view.port_key, mark)
    return guard_flows(view.port_key, identities(view.mac, view.fixed_ips, view.pairs), mark)


def _own_addresses(view: BindingView, mark: int) -> list[Flow]:
    """The switch does not answer a port that asks for its own address: probes and announcements go out."""
    me = {SOURCE_PORT: view.port_key}
    flows = []
    for address in (ip.ip_address for ip in view.fixed_ips):
        asks = (
            {**ARP, Field.ARP_TPA: address}
            if isinstance(address, IPv4Address)
            else {**neighbour(135), Field.ND_TARGET: address}
        )
        flows.append(rule(Table.RESPOND, 200, {**me, **asks}, mark, goto(Table.EGRESS_TRACK)))
    return flows


def _policy(view: BindingView, mark: int) -> list[Flow]:
    if view.common.groups is None:
        return []
    return [
        _groups(
            Table.EGRESS_POLICY,
            Table.EGRESS_GROUP,
            Table.EGRESS_VERDICT,
            {SOURCE_PORT: view.port_key},
            view,
            mark,
        ),
        _groups(
            Table.INGRESS_POLICY,
            Table.INGRESS_GROUP,
            Table.INGRESS_VERDICT,
            {DESTINATION_PORT: view.port_key},
            view,
            mark,
        ),
    ]


def _groups(
    policy: Table, group: Table, verdict: Table, whose: Conditions, view: BindingView, mark: int
) -> Flow:
    actions: list[Action] = [clear_flag(Flag.PERMITTED)]
    for _, key in view.common.groups or ():
        actions += (set_field(GROUP, key), visit(group))
    return rule(policy, 50, whose, mark, *actions, goto(verdict))
