"""The flow that a learn() action makes from a packet (ovs-actions(7), "The learn action")."""

from overlace.datapath.actions import (
    ANY,
    Action,
    Learn,
    LearnLoad,
    LearnMatch,
    LearnOutput,
    Output,
    SetField,
    Subfield,
)
from overlace.datapath.fields import Field
from overlace.datapath.flow import Flow
from overlace.datapath.interpreter.bits import read
from overlace.datapath.interpreter.packet import Packet
from overlace.datapath.match import match


def learned_flow(learn: Learn, packet: Packet) -> Flow:
    """Build the flow. Conditions on parts of one field add up to one condition."""
    conditions: dict[Field, tuple[int, int]] = {}
    actions: list[Action] = []
    for spec in learn.specs:
        match spec:
            case LearnMatch(target, source):
                value, mask = conditions.get(target.field, (0, 0))
                new = _placed(target, _source(source, packet))
                conditions[target.field] = (value & ~_mask(target) | new, mask | _mask(target))
            case LearnLoad(target, source):
                actions.append(
                    SetField(target.field, _placed(target, _source(source, packet)), _mask(target))
                )
            case LearnOutput(source):
                actions.append(Output(port_number(read(packet, source))))
    return Flow(
        table=learn.table,
        priority=learn.priority,
        match=match(dict(conditions)),
        actions=tuple(actions),
        cookie=learn.cookie,
        idle_timeout=learn.idle_timeout,
        hard_timeout=learn.hard_timeout,
        send_flow_removed=learn.send_flow_removed,
    )


def port_number(value: int) -> int:
    """A port number out of a subfield: 16-bit numbers from 0xff00 on are the reserved ports.

    A value beyond 16 bits that is no reserved port becomes `ANY`, which nothing is ever sent to.
    """
    if value < 0xFF00:
        return value
    if value <= 0xFFFF:
        return value | 0xFFFF0000
    return value if value >= 0xFFFFFF00 else ANY


def _source(source: Subfield | int, packet: Packet) -> int:
    return read(packet, source) if isinstance(source, Subfield) else source


def _mask(target: Subfield) -> int:
    return ((1 << target.bits) - 1) << target.start


def _placed(target: Subfield, value: int) -> int:
    return value << target.start & _mask(target)
