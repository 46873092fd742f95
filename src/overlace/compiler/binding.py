"""Bindings: what a port needs on the host that it is bound to. The only rules that know OpenFlow ports."""

from dataclasses import dataclass
from ipaddress import IPv4Address, ip_network

from overlace.compiler.guard import Identity, guard_flows, open_flows
from overlace.compiler.pipeline import (
    DESTINATION_PORT,
    FLAGS,
    GENERATION,
    GROUP,
    NETWORK,
    SOURCE_PORT,
    STATELESS,
    ZONE,
    CookieClass,
    Flag,
    Table,
    cookie,
)
from overlace.compiler.plan import Fragment
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
from overlace.compiler.unit import Audience, Output, UnitId, group_audience, network_audience, switch_audience
from overlace.datapath.actions import (
    Action,
    Learn,
    LearnLoad,
    LearnMatch,
    Output as Send,
    SendToController,
    Subfield,
    set_field,
    whole,
)
from overlace.datapath.fields import Field
from overlace.datapath.flow import Flow
from overlace.kit.addresses import IPAddress
from overlace.model.network import Network
from overlace.model.policy import SecurityGroup
from overlace.model.port import Binding, BindingState, Port

ACTIVATION = b"active"
"""Userdata of the packet-in by which a prepared port says that it has started: followed by the port key."""
_LEARNED_SECONDS = 0xFFFF


@dataclass(frozen=True, slots=True)
class BindingView:
    """A binding with what its flows depend on; `group_keys` None where port security is off."""

    host: str
    port_id: str
    network_id: str
    state: BindingState
    generation: int
    zone: int
    ofport: int | None
    enabled: bool
    port_key: int
    network_key: int
    identities: tuple[Identity, ...]
    addresses: tuple[IPAddress, ...]
    groups: tuple[tuple[str, int], ...] | None
    stateless: bool


def project(reader: Reader, unit: UnitId) -> BindingView | None:
    """Read a binding, its port, and the names of its groups."""
    binding = reader.get(Binding, unit[0])
    if binding is None:
        return None
    port = reader.get(Port, binding.port_id)
    network = reader.get(Network, binding.network_id)
    if port is None or network is None:
        return None
    named = (reader.get(SecurityGroup, group) for group in sorted(port.security_groups))
    found = [group for group in named if group is not None]
    groups = tuple((group.id, group.key) for group in found)
    return BindingView(
        binding.host_id,
        port.id,
        network.id,
        binding.state,
        binding.generation,
        binding.zone,
        reader.ofport((binding.host_id, port.id)),
        port.admin_state_up and network.admin_state_up,
        port.key,
        network.key,
        identities(port),
        tuple(ip.ip_address for ip in port.fixed_ips),
        groups if port.port_security_enabled else None,
        bool(found) and not any(group.stateful for group in found),
    )


def identities(port: Port) -> tuple[Identity, ...]:
    """The port's own addresses and its allowed pairs, gathered by MAC."""
    prefixes: dict[int, list[str]] = {port.mac_address: [str(ip.ip_address) for ip in port.fixed_ips]}
    for pair in port.allowed_address_pairs:
        mac = port.mac_address if pair.mac_address is None else pair.mac_address
        prefixes.setdefault(mac, []).append(str(pair.ip_address))
    return tuple(Identity(mac, tuple(ip_network(text) for text in texts)) for mac, texts in prefixes.items())


def build(view: BindingView) -> Output:
    """Flows for this switch alone, and the audiences that the port makes its host a member of."""
    joins: list[tuple[str, Audience]] = [(view.host, network_audience(view.network_id))]
    joins += [(view.host, group_audience(group)) for group, _ in view.groups or ()]
    flows = _flows(view) if view.enabled else []
    fragment = Fragment(("binding", view.port_id, view.host), tuple(flows))
    return Output(((switch_audience(view.host), fragment),), tuple(joins))


def _flows(view: BindingView) -> list[Flow]:
    mark = cookie(CookieClass.BINDING, view.port_key)
    if view.state is BindingState.RELEASING:
        return [_redirect(view, mark)]
    if view.ofport is None:
        return []
    return [
        _classify(view, view.ofport, mark),
        *_arrival(view, mark),
        *_source_guard(view, mark),
        *_own_addresses(view, mark),
        *_policy(view, mark),
        rule(Table.DELIVER, 100, {DESTINATION_PORT: view.port_key}, mark, Send(view.ofport)),
    ]


def _zone(view: BindingView) -> int:
    """Connections are tracked as soon as one group is stateful; the rules of all then permit connections."""
    if view.groups is None:
        return 0
    return STATELESS if view.stateless else view.zone


def _classify(view: BindingView, ofport: int, mark: int) -> Flow:
    first = Table.ARMED_LOCAL if view.state is BindingState.PREPARED else Table.SOURCE_GUARD
    return rule(
        Table.CLASSIFY,
        100,
        {Field.IN_PORT: ofport},
        mark,
        set_field(SOURCE_PORT, view.port_key),
        set_field(NETWORK, view.network_key),
        set_field(ZONE, _zone(view)),
        goto(first),
    )


def _arrival(view: BindingView, mark: int) -> list[Flow]:
    """Is it here? A prepared port takes only what a tunnel brings, until its own first frame makes it active."""
    here = {DESTINATION_PORT: view.port_key}
    actions: tuple[Action, ...] = (set_field(ZONE, _zone(view)), goto(Table.INGRESS_TRACK))
    if view.state is BindingState.ACTIVE:
        return [rule(Table.LOCAL, 100, here, mark, *actions)]
    return [
        rule(Table.LOCAL, 100, {**here, **flagged(Flag.FROM_TUNNEL)}, mark, *actions),
        rule(Table.LOCAL, 110, {**here, **flagged(Flag.ACTIVATED)}, mark, *actions),
        _first_frame(view, mark),
    ]


def _first_frame(view: BindingView, mark: int) -> Flow:
    superseded = view.generation - 1
    learn = Learn(
        table=int(Table.OVERRIDE),
        priority=100,
        cookie=cookie(CookieClass.LEARNED, view.port_key),
        hard_timeout=_LEARNED_SECONDS,
        specs=(
            LearnMatch(whole(DESTINATION_PORT), view.port_key),
            LearnMatch(whole(GENERATION), superseded),
            LearnLoad(Subfield(FLAGS, Flag.ACTIVATED.bit_length() - 1, 1), 1),
        ),
    )
    tell = SendToController(ACTIVATION + view.port_key.to_bytes(4, "big"))
    return rule(
        Table.ARMED_LOCAL, 100, {SOURCE_PORT: view.port_key}, mark, learn, tell, goto(Table.SOURCE_GUARD)
    )


def _redirect(view: BindingView, mark: int) -> Flow:
    """Where the port has been: frames of peers that do not know yet go after it, once."""
    return rule(
        Table.LOCAL,
        100,
        {DESTINATION_PORT: view.port_key, **flagged(Flag.FROM_TUNNEL)},
        mark,
        raise_flag(Flag.REDIRECT),
        goto(Table.ENCAPSULATE),
    )


def _source_guard(view: BindingView, mark: int) -> list[Flow]:
    if view.groups is None:
        return open_flows(view.port_key, mark)
    return guard_flows(view.port_key, view.identities, mark)


def _own_addresses(view: BindingView, mark: int) -> list[Flow]:
    """The switch does not answer a port that asks for its own address: probes and announcements go out."""
    me = {SOURCE_PORT: view.port_key}
    flows = []
    for address in view.addresses:
        asks = (
            {**ARP, Field.ARP_TPA: address}
            if isinstance(address, IPv4Address)
            else {**neighbour(135), Field.ND_TARGET: address}
        )
        flows.append(rule(Table.RESPOND, 200, {**me, **asks}, mark, goto(Table.EGRESS_TRACK)))
    return flows


def _policy(view: BindingView, mark: int) -> list[Flow]:
    if view.groups is None:
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
    for _, key in view.groups or ():
        actions += (set_field(GROUP, key), visit(group))
    return rule(policy, 50, whose, mark, *actions, goto(verdict))
