"""The rules that every host holds, whatever its tenants do: how the tables hang together."""

from overlace.compiler import query
from overlace.compiler.guard import common_guard_flows
from overlace.compiler.pipeline import (
    COPIES,
    DESTINATION_PORT,
    KNOWN,
    LATE_FRAMES,
    LATE_MASK,
    SENT_ON_MASK,
    SENT_ON_PREFIX_MASK,
    STATELESS,
    ZONE,
    CookieClass,
    Flag,
    Table,
    cookie,
)
from overlace.compiler.plan import Fragment
from overlace.compiler.probe import probe_fragment
from overlace.compiler.reader import Reader
from overlace.compiler.respond import NEIGHBOUR_ANSWERS, neighbour_answers
from overlace.compiler.rule import (
    ICMPV6,
    IPV4,
    IPV6,
    clear_flag,
    flagged,
    goto,
    rule,
    visit,
)
from overlace.compiler.technologies.members import TECHNOLOGIES
from overlace.compiler.technologies.technology import fragment
from overlace.compiler.unit import ALL_HOSTS, Output, UnitId
from overlace.datapath.actions import (
    Action,
    Conntrack,
    ConntrackClear,
    Move,
    Subfield,
    set_field,
)
from overlace.datapath.fields import VLAN_PRESENT, CtState, Field
from overlace.datapath.flow import Flow
from overlace.model.controller import controller_of

_COOKIE = cookie(CookieClass.BASE)
_ZONE = Subfield(ZONE, 0, 16)

_UNTRACKED_ICMPV6 = (130, 131, 132, 133, 134, 135, 136, 137, 143)
"""Multicast listener and neighbour discovery: no connection to track (RFC 4890 4.4)."""


def project(reader: Reader, _: UnitId) -> int:
    """The UDP port of tunnels."""
    return controller_of(reader).tunnel_port


def build(tunnel_port: int) -> Output:
    """All of it, for all hosts."""
    flows = (
        *_entry(),
        *_tracking(Table.EGRESS_TRACK, Table.EGRESS_POLICY, Table.EGRESS_VERDICT, Table.DESTINATION),
        *_tracking(Table.INGRESS_TRACK, Table.INGRESS_POLICY, Table.INGRESS_VERDICT, Table.DELIVER),
        *_switching(),
        *query.everywhere(_COOKIE),
    )
    parts = (technology.everywhere(_COOKIE, tunnel_port) for technology in TECHNOLOGIES.values())
    base = fragment(("base",), parts, *flows)
    answers = Fragment(NEIGHBOUR_ANSWERS, neighbour_answers(_COOKIE))
    return Output(tuple(each.to(ALL_HOSTS) for each in (base, answers, probe_fragment())))


def _entry() -> tuple[Flow, ...]:
    tagged = {Field.VLAN_TCI: (VLAN_PRESENT, VLAN_PRESENT)}
    return (
        *common_guard_flows(_COOKIE),
        rule(Table.ARMED, 300, tagged, _COOKIE),
        rule(Table.PHYSICAL_IN, 300, tagged, _COOKIE),
        # No frame has this address. The rule makes every flow of the data path tell senders apart: one that did not
        # would be translated anew, when a port is prepared, with the first frame that ever made it, whoever uses it
        # now; were that one of the port's from an earlier stay, the port would seem to have spoken.
        rule(Table.ARMED, 300, {Field.ETH_SRC: 0}, _COOKIE),
        rule(Table.ARMED, 150, {Field.ETH_DST: (COPIES, LATE_MASK)}, _COOKIE),
        # Only hosts give such addresses: a port that did could answer a question in another's name.
        rule(Table.DESTINATION, 400, {Field.ETH_DST: (KNOWN, SENT_ON_MASK)}, _COOKIE),
        rule(Table.DESTINATION, 400, {Field.ETH_SRC: (KNOWN, SENT_ON_MASK)}, _COOKIE),
        rule(Table.ARMED, 0, {}, _COOKIE, goto(Table.DESTINATION)),
        rule(Table.RESPOND, 0, {}, _COOKIE, goto(Table.EGRESS_TRACK)),
        rule(Table.RESPOND_ND, 0, {}, _COOKIE, goto(Table.EGRESS_TRACK)),
    )


def _tracking(track: Table, policy: Table, verdict: Table, permitted: Table) -> tuple[Flow, ...]:
    """Connection tracking around one policy. What the port's own direction sends is judged on every new
    megaflow, replies ride on the connection: a withdrawn rule cuts at once."""
    untracked = tuple(
        rule(track, 200, {**ICMPV6, Field.ICMPV6_TYPE: kind}, _COOKIE, goto(permitted))
        for kind in _UNTRACKED_ICMPV6
    )
    state = Field.CT_STATE
    trk, est, rel, rpl, inv, new = (
        CtState.TRK,
        CtState.EST,
        CtState.REL,
        CtState.RPL,
        CtState.INV,
        CtState.NEW,
    )
    return (
        *untracked,
        rule(track, 150, {ZONE: 0}, _COOKIE, goto(permitted)),
        *(
            # The zone of the sender may have left its verdict on the packet, and this port's policy reads one.
            rule(track, 150, {ZONE: STATELESS, **family}, _COOKIE, ConntrackClear(), goto(policy))
            for family in (IPV4, IPV6)
        ),
        rule(track, 100, IPV4, _COOKIE, Conntrack(_ZONE, table=int(policy))),
        rule(track, 100, IPV6, _COOKIE, Conntrack(_ZONE, table=int(policy))),
        rule(track, 0, {}, _COOKIE, goto(permitted)),
        rule(policy, 300, {state: (trk | inv, trk | inv)}, _COOKIE),
        rule(policy, 200, {state: (trk | est | rpl, trk | est | rpl)}, _COOKIE, goto(permitted)),
        rule(policy, 200, {state: (trk | rel, trk | rel)}, _COOKIE, goto(permitted)),
        rule(
            verdict,
            200,
            {**flagged(Flag.PERMITTED), **IPV4, state: (trk | new, trk | new)},
            _COOKIE,
            clear_flag(Flag.PERMITTED),
            Conntrack(_ZONE, commit=True),
            goto(permitted),
        ),
        rule(
            verdict,
            200,
            {**flagged(Flag.PERMITTED), **IPV6, state: (trk | new, trk | new)},
            _COOKIE,
            clear_flag(Flag.PERMITTED),
            Conntrack(_ZONE, commit=True),
            goto(permitted),
        ),
        rule(
            verdict,
            100,
            flagged(Flag.PERMITTED),
            _COOKIE,
            clear_flag(Flag.PERMITTED),
            goto(permitted),
        ),
    )


def _switching() -> tuple[Flow, ...]:
    return (
        rule(Table.DESTINATION, 0, {}, _COOKIE, goto(Table.UNKNOWN)),
        rule(Table.UNKNOWN, 0, {}, _COOKIE),
        rule(Table.FLOOD_REMOTE, 300, flagged(Flag.FROM_TUNNEL), _COOKIE),
        rule(Table.LOCAL, 0, {}, _COOKIE, goto(Table.ENCAPSULATE)),
        rule(Table.LOCAL, 200, flagged(Flag.REDIRECT), _COOKIE, goto(Table.ENCAPSULATE)),
        rule(Table.LOCAL, 210, flagged(Flag.COPY), _COOKIE),
        rule(Table.ENCAPSULATE, 320, flagged(Flag.COPY), _COOKIE, *_sent_on(COPIES)),
        rule(
            Table.ENCAPSULATE, 310, flagged(Flag.REDIRECT, Flag.FROM_TUNNEL), _COOKIE, *_sent_on(LATE_FRAMES)
        ),
        rule(Table.ENCAPSULATE, 300, flagged(Flag.FROM_TUNNEL), _COOKIE),
    )


def _sent_on(prefix: int) -> tuple[Action, ...]:
    """Mark a frame as sent on, so that nobody does so again, and let it out although it came from outside."""
    return (
        Move(Subfield(DESTINATION_PORT, 0, 32), Subfield(Field.ETH_DST, 0, 32)),
        set_field(Field.ETH_DST, prefix, SENT_ON_PREFIX_MASK),
        set_field(
            Field.IN_PORT, 0
        ),  # an output to the tunnel it came from is dropped unless in_port says else
        clear_flag(Flag.REDIRECT),
        clear_flag(Flag.FROM_TUNNEL),
        clear_flag(Flag.COPY),
        visit(Table.ENCAPSULATE),
    )
