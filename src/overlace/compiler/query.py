"""The connection query: a port that has moved asks the hosts that it has left about connections that it does not know.

The state of connections cannot be copied from switch to switch. So what the policy at the new host would drop, as part
of no connection that is known there, goes to the zones that the port has left behind (`model/trail.py`), under the key
of the port. From there comes back what is a reply in an established connection, or related to one: what the old host
would have let through whatever the rules say. A port that has come back asks its host's own older zones, too.

An answer to an echo request that came before the move is asked about too, either way: a tracker that has not seen the
question calls it invalid.

Nothing is entered into the new zone by that, so its policy decides as always: the first packet that the port itself
sends makes the connection known there.

    VERDICT at the new host -> ARMED at the old host, its zone -> ANSWER -> ARMED at the new host -> the port
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from overlace.compiler.pipeline import (
    ASKED,
    DESTINATION_HOST,
    DESTINATION_PORT,
    KNOWN,
    NETWORK,
    QUERY_MASK,
    SENT_ON_PREFIX_MASK,
    SOURCE_HOST,
    SOURCE_PORT,
    CookieClass,
    Flag,
    Table,
    cookie,
)
from overlace.compiler.plan import Fragment
from overlace.compiler.reader import Reader
from overlace.compiler.rule import IPV4, IPV6, clear_flag, goto, rule, visit
from overlace.compiler.unit import Memberships, Output, network_audience, switch_audience
from overlace.datapath.actions import Action, Clone, Conntrack, Move, Subfield, set_field
from overlace.datapath.fields import CtState, Field, IpProto
from overlace.datapath.flow import Flow
from overlace.model.port import Binding, BindingState, Port
from overlace.model.site import Host
from overlace.model.trail import Trail

_NEW = CtState.TRK | CtState.NEW
_REPLY = CtState.TRK | CtState.EST | CtState.RPL
_RELATED = CtState.TRK | CtState.REL
_SYN, _SYN_ACK = 0x002, 0x012
_DIRECTIONS = (
    (Table.INGRESS_VERDICT, DESTINATION_PORT, Field.ETH_DST),
    (Table.EGRESS_VERDICT, SOURCE_PORT, Field.ETH_SRC),
)
"""Where a direction of a port's policy ends, the port there, and which address of a frame is the port's."""
_INVALID = CtState.TRK | CtState.INV
_ECHO_REPLIES = (
    {**IPV4, Field.IP_PROTO: IpProto.ICMP, Field.ICMPV4_TYPE: 0},
    {**IPV6, Field.IP_PROTO: IpProto.ICMPV6, Field.ICMPV6_TYPE: 129},
)
_BEGINNINGS = {
    Table.INGRESS_VERDICT: Table.INGRESS_POLICY,
    Table.EGRESS_VERDICT: Table.EGRESS_POLICY,
}
"""Where a direction begins, by its end: what is invalid does not get further."""


@dataclass(frozen=True, slots=True)
class Asker:
    """A port at one host, and whom it asks there: other `hosts`, and the `zones` that it has left behind here."""

    port_key: int
    network_key: int
    mac: int
    host_key: int
    hosts: tuple[int, ...]
    zones: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Answerer:
    """A host that other hosts may ask about a port, and the zones that it answers from."""

    host: str
    zones: tuple[int, ...]
    askers: tuple[int, ...]


def asker(reader: Reader, port: Port, binding: Binding, network_key: int) -> Asker | None:
    """Who a port asks at a host: where it has been, and where it is active still. None where nobody is."""
    if port.generation <= 1:
        return None  # it was never anywhere else
    here = reader.get(Host, binding.host_id)
    trails = _trails(reader, port)
    bindings = reader.members(Binding, "port", port.id)
    active = (each.host_id for each in bindings if each.state is BindingState.ACTIVE)
    names = sorted({*active, *(each.host_id for each in trails)} - {binding.host_id})
    zones = tuple(
        each.zone for each in trails if each.host_id == binding.host_id and each.zone != binding.zone
    )
    if here is None or not (names or zones):
        return None
    return Asker(port.key, network_key, port.mac_address, here.key, _keys(reader, names), zones)


def answerers(reader: Reader, port: Port, bindings: list[Binding]) -> tuple[Answerer, ...]:
    """Who may be asked about a port."""
    if port.generation <= 1:
        return ()
    zones: dict[str, list[int]] = {}
    for trail in _trails(reader, port):
        zones.setdefault(trail.host_id, []).append(trail.zone)
    for each in bindings:
        if each.state is BindingState.ACTIVE:
            zones.setdefault(each.host_id, []).append(each.zone)
    there = [each.host_id for each in bindings if each.state in (BindingState.ACTIVE, BindingState.PREPARED)]
    found = (
        Answerer(host, tuple(sorted(known)), _keys(reader, [each for each in there if each != host]))
        for host, known in sorted(zones.items())
    )
    return tuple(each for each in found if each.askers)


def _trails(reader: Reader, port: Port) -> list[Trail]:
    return sorted(reader.members(Trail, "port", port.id), key=lambda each: (each.host_id, each.zone))


def _keys(reader: Reader, names: Iterable[str]) -> tuple[int, ...]:
    hosts = (reader.get(Host, name) for name in names)
    return tuple(host.key for host in hosts if host is not None)


def asking(asker: Asker) -> Iterator[Flow]:
    """What a port's host holds: the questions, and the way of the answers."""
    mark = cookie(CookieClass.BINDING, asker.port_key)
    for verdict, port, address in _DIRECTIONS:
        for family in (IPV4, IPV6):
            unknown = {**family, Field.CT_STATE: (_NEW, _NEW), port: asker.port_key, address: asker.mac}
            yield rule(verdict, 50, unknown, mark, *_questions(asker, address))
        for reply in _ECHO_REPLIES:
            late = {**reply, Field.CT_STATE: (_INVALID, _INVALID), port: asker.port_key, address: asker.mac}
            yield rule(_BEGINNINGS[verdict], 310, late, mark, *_questions(asker, address))
    # A visit and no goto: from ANSWER the way to DESTINATION is back.
    taken_on = (
        (Field.ETH_DST, (*_received(asker), goto(Table.DELIVER))),
        (Field.ETH_SRC, (*_sent(asker), visit(Table.DESTINATION))),
    )
    for address, taken in taken_on:
        for host in asker.hosts:
            answer = {NETWORK: asker.network_key, SOURCE_HOST: host, address: KNOWN | asker.port_key}
            yield rule(Table.ARMED, 210, answer, mark, *taken)
        own = {NETWORK: asker.network_key, SOURCE_HOST: asker.host_key, address: ASKED | asker.port_key}
        for state in (_REPLY, _RELATED) if asker.zones else ():
            yield rule(Table.ANSWER, 200, {**own, Field.CT_STATE: (state, state)}, mark, *taken)


def _questions(asker: Asker, address: Field) -> Iterator[Action]:
    marked = set_field(address, ASKED | asker.port_key)
    for host in asker.hosts:
        yield Clone((marked, set_field(DESTINATION_HOST, host), *_let_out(), visit(Table.ENCAPSULATE)))
    if asker.zones:
        yield from (marked, set_field(SOURCE_HOST, asker.host_key))
    for zone in asker.zones:
        yield Conntrack(zone, table=int(Table.ANSWER))


def _received(asker: Asker) -> tuple[Action, ...]:
    return (
        set_field(Field.ETH_DST, asker.mac),
        set_field(DESTINATION_PORT, asker.port_key),
    )


def _sent(asker: Asker) -> tuple[Action, ...]:
    return (
        set_field(Field.ETH_SRC, asker.mac),
        set_field(SOURCE_PORT, asker.port_key),
        set_field(SOURCE_HOST, 0),
        *_let_out(),
    )


def answers(port_id: str, port_key: int, network: tuple[str, int], found: tuple[Answerer, ...]) -> Output:
    """What hosts hold that may be asked about a port; `network` is its id and key. They stay in the network, since they
    have to send their answers."""
    fragments = tuple(
        Fragment.made_of(("trail", port_id, each.host), _answering, (port_key, network[1], each)).to(
            switch_audience(each.host)
        )
        for each in found
    )
    return Output(fragments, Memberships(tuple((each.host, network_audience(network[0])) for each in found)))


def _answering(whose: tuple[int, int, Answerer]) -> Iterator[Flow]:
    """Only hosts that the port is at get an answer."""
    port_key, network_key, answerer = whose
    mark = cookie(CookieClass.BINDING, port_key)
    looks = tuple(Conntrack(zone, table=int(Table.ANSWER)) for zone in answerer.zones)
    for host in answerer.askers:
        for _, __, address in _DIRECTIONS:
            question = {NETWORK: network_key, SOURCE_HOST: host, address: ASKED | port_key}
            for family in (IPV4, IPV6):
                yield rule(Table.ARMED, 210, {**question, **family}, mark, *looks)


def everywhere(mark: int) -> Iterator[Flow]:
    """What all hosts hold: which connections are answered for, and what is never asked or carried on."""
    for _, __, address in _DIRECTIONS:
        for state in (_REPLY, _RELATED):
            answered = {Field.CT_STATE: (state, state), address: (ASKED, SENT_ON_PREFIX_MASK)}
            yield rule(Table.ANSWER, 100, answered, mark, *_answer(address))
        yield rule(Table.ARMED, 150, {address: (KNOWN, QUERY_MASK)}, mark)
    for verdict, _, __ in _DIRECTIONS:
        for family in (IPV4, IPV6):
            begins = {**family, Field.IP_PROTO: IpProto.TCP, Field.TCP_FLAGS: (_SYN, _SYN_ACK)}
            yield rule(verdict, 60, {**begins, Field.CT_STATE: (_NEW, _NEW)}, mark)


def _answer(address: Field) -> tuple[Action, ...]:
    asker = Move(Subfield(SOURCE_HOST, 0, 32), Subfield(DESTINATION_HOST, 0, 32))
    return (set_field(address, KNOWN, SENT_ON_PREFIX_MASK), asker, *_let_out(), visit(Table.ENCAPSULATE))


def _let_out() -> tuple[Action, ...]:
    """An output to the tunnel that a frame came from is dropped unless in_port says else."""
    return (set_field(Field.IN_PORT, 0), clear_flag(Flag.FROM_TUNNEL))
