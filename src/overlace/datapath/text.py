"""Flows, groups and meters in the syntax of ovs-ofctl(8), for people, traces, tests and documents.

What is printed here is accepted by ``ovs-ofctl -O OpenFlow15``. The product itself speaks OpenFlow; it never
reads this text back.
"""

from collections.abc import Callable
from typing import Any

from overlace.datapath.actions import (
    CONTROLLER,
    PACKET_TYPE_ETHERNET,
    PACKET_TYPE_MPLS,
    Action,
    ApplyMeter,
    CheckPacketLarger,
    Clone,
    Conntrack,
    ConntrackClear,
    Decap,
    DecrementTtl,
    Encap,
    Goto,
    Learn,
    LearnLoad,
    LearnMatch,
    LearnOutput,
    LearnSpec,
    Move,
    Note,
    Output,
    OutputField,
    PopMpls,
    PopVlan,
    PushMpls,
    PushVlan,
    Resubmit,
    SendToController,
    SendToGroup,
    SetField,
    Subfield,
)
from overlace.datapath.field_text import (
    format_masked,
    format_match,
    format_port,
    format_subfield,
    format_value,
)
from overlace.datapath.fields import Field
from overlace.datapath.flow import Bucket, Flow, Group, Meter
from overlace.datapath.prerequisites import NOT_MASKABLE

__all__ = ["describe_flow", "format_actions", "format_flow", "format_group", "format_match", "format_meter"]


def format_flow(flow: Flow) -> str:
    """One flow as ``ovs-ofctl add-flow`` reads it."""
    options = [f"table={flow.table}", f"priority={flow.priority}"]
    options += [f"cookie={flow.cookie:#x}"] if flow.cookie else []
    options += [f"idle_timeout={flow.idle_timeout}"] if flow.idle_timeout else []
    options += [f"hard_timeout={flow.hard_timeout}"] if flow.hard_timeout else []
    options += ["send_flow_rem"] if flow.send_flow_removed else []
    options += [format_match(flow.match)] if flow.match.conditions else []
    return f"{','.join(options)} actions={format_actions(flow.actions)}"


def describe_flow(flow: Flow) -> str:
    """`format_flow` for flows that a switch has told, which may be none that Open vSwitch would hold: those are named,
    with what is wrong about them."""
    try:
        return format_flow(flow)
    except ValueError as error:
        return f"table={flow.table},priority={flow.priority},cookie={flow.cookie:#x}: {error}"


def format_actions(actions: tuple[Action, ...]) -> str:
    """An action list; ``drop`` when empty."""
    return ",".join(map(format_action, actions)) or "drop"


def format_action(action: Action) -> str:
    """One action. Raises ValueError for what has no syntax (a write under a mask with holes into a field
    that takes no mask, or an unknown packet type)."""
    return _FORMATTERS[type(action)](action)


def format_group(group: Group) -> str:
    """One group as ``ovs-ofctl add-group`` reads it."""
    parts = [f"group_id={group.group_id}", f"type={group.type.value}"]
    parts += [f"selection_method={group.selection_method}"] if group.selection_method else []
    return ",".join(parts + [_bucket(bucket, group) for bucket in group.buckets])


def format_meter(meter: Meter) -> str:
    """One meter as ``ovs-ofctl add-meter`` reads it."""
    burst = ",burst" if meter.burst else ""
    size = f",burst_size={meter.burst}" if meter.burst else ""
    return f"meter={meter.meter_id},{meter.unit.value}{burst},bands=type=drop,rate={meter.rate}{size}"


def _bucket(bucket: Bucket, group: Group) -> str:
    parts = [f"bucket_id:{bucket.bucket_id}"]
    parts += [f"weight:{bucket.weight}"] if group.type.value == "select" else []
    parts += [f"watch_port:{bucket.watch_port}"] if bucket.watch_port is not None else []
    return f"bucket={','.join(parts)},actions={format_actions(bucket.actions)}"


def _output(action: Output) -> str:
    if action.port == CONTROLLER:
        return f"CONTROLLER:{action.max_len}"
    if action.max_len:
        return f"output(port={format_port(action.port)},max_len={action.max_len})"
    return f"output:{format_port(action.port)}"


def _set_field(action: SetField) -> str:
    field, mask = action.field, action.mask
    name = "in_port" if field is Field.IN_PORT and action.value <= 0xFFFF else field.ovs_name
    if field is Field.IN_PORT and name == "in_port":
        return f"set_field:{action.value}->in_port"
    if field in NOT_MASKABLE and mask != field.full_mask:
        return _load(action)
    return f"set_field:{format_masked(field, action.value, mask)}->{name}"


def _load(action: SetField) -> str:
    start = (action.mask & -action.mask).bit_length() - 1
    bits = action.mask.bit_count()
    if action.mask >> start != (1 << bits) - 1:
        raise ValueError(f"{action.field.ovs_name} takes no mask with holes")
    return f"load:{action.value >> start:#x}->{format_subfield(Subfield(action.field, start, bits))}"


def _resubmit(action: Resubmit) -> str:
    return f"resubmit({'' if action.in_port is None else action.in_port},{action.table})"


def _conntrack(action: Conntrack) -> str:
    parts = ["commit"] if action.commit else []
    parts += ["force"] if action.force else []
    parts.append(f"zone={_number_or_bits(action.zone)}")
    parts += [] if action.table is None else [f"table={action.table}"]
    parts += [f"exec({','.join(map(_set_field, action.set_fields))})"] if action.set_fields else []
    return f"ct({','.join(parts)})"


def _number_or_bits(source: int | Subfield) -> str:
    return format_subfield(source) if isinstance(source, Subfield) else str(source)


def _learn(action: Learn) -> str:
    parts = [f"table={action.table}", f"priority={action.priority}", f"cookie={action.cookie:#x}"]
    parts += [f"idle_timeout={action.idle_timeout}"] if action.idle_timeout else []
    parts += [f"hard_timeout={action.hard_timeout}"] if action.hard_timeout else []
    parts += ["send_flow_rem"] if action.send_flow_removed else []
    parts += ["delete_learned"] if action.delete_learned else []
    return f"learn({','.join(parts + [_learn_spec(spec) for spec in action.specs])})"


def _learn_spec(spec: LearnSpec) -> str:
    match spec:
        case LearnMatch(target, Subfield() as source):
            return f"{format_subfield(target)}={format_subfield(source)}"
        case LearnMatch(target, int() as number):
            return _learn_constant(target, number)
        case LearnLoad(target, Subfield() as source):
            return f"load:{format_subfield(source)}->{format_subfield(target)}"
        case LearnLoad(target, int() as number):
            return f"load:{number:#x}->{format_subfield(target)}"
        case LearnOutput(source):
            return f"output:{format_subfield(source)}"
    raise ValueError(f"no learn specification: {spec!r}")


def _learn_constant(target: Subfield, number: int) -> str:
    if (target.start, target.bits) == (0, target.field.bits):
        return f"{target.field.ovs_name}={format_value(target.field, number)}"
    return f"{format_subfield(target)}={number:#x}"


def _controller(action: SendToController) -> str:
    parts = [f"max_len={action.max_len}", f"id={action.controller_id}"]
    parts += [f"userdata={action.userdata.hex('.')}"] if action.userdata else []
    parts += [] if action.meter_id is None else [f"meter_id={action.meter_id}"]
    return f"controller({','.join(parts)})"


def _encap(action: Encap) -> str:
    try:
        return f"encap({ {PACKET_TYPE_ETHERNET: 'ethernet', PACKET_TYPE_MPLS: 'mpls'}[action.packet_type] })"
    except KeyError:
        raise ValueError(f"no encap for packet type {action.packet_type:#x}") from None


def _decap(action: Decap) -> str:
    if action.packet_type is None:
        return "decap()"
    return f"decap(packet_type(ns={action.packet_type >> 16},type={action.packet_type & 0xFFFF:#x}))"


_FORMATTERS: dict[type, Callable[[Any], str]] = {
    Output: _output,
    OutputField: lambda a: f"output:{format_subfield(a.source)}",
    SetField: _set_field,
    Move: lambda a: f"move:{format_subfield(a.source)}->{format_subfield(a.target)}",
    Resubmit: _resubmit,
    Goto: lambda a: f"goto_table:{a.table}",
    SendToGroup: lambda a: f"group:{a.group_id}",
    ApplyMeter: lambda a: f"meter:{a.meter_id}",
    Conntrack: _conntrack,
    ConntrackClear: lambda _: "ct_clear",
    Learn: _learn,
    SendToController: _controller,
    CheckPacketLarger: lambda a: f"check_pkt_larger({a.length})->{format_subfield(a.target)}",
    DecrementTtl: lambda _: "dec_ttl",
    PushVlan: lambda a: f"push_vlan:{a.eth_type:#x}",
    PopVlan: lambda _: "pop_vlan",
    PushMpls: lambda a: f"push_mpls:{a.eth_type:#x}",
    PopMpls: lambda a: f"pop_mpls:{a.eth_type:#x}",
    Encap: _encap,
    Decap: _decap,
    Clone: lambda a: f"clone({format_actions(a.actions)})",
    Note: lambda a: f"note:{a.data.hex('.')}",
}
