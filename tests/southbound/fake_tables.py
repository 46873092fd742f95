"""The tables of a fake switch: it applies what it is told, and refuses what Open vSwitch refuses."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from overlace.datapath.actions import Action, ApplyMeter, Clone
from overlace.datapath.flow import Flow, FlowKey, Group, Meter
from overlace.southbound.order import referenced_groups
from overlace.wire.openflow.messages import (
    Error,
    FlowMod,
    FlowModCommand,
    GroupMod,
    GroupModCommand,
    Message,
    MeterMod,
    MeterModCommand,
)

BAD_OUT_GROUP = Error(2, 9)
GROUP_EXISTS = Error(6, 0)
UNKNOWN_GROUP = Error(6, 8)
METER_EXISTS = Error(12, 1)
UNKNOWN_METER = Error(12, 3)
BUNDLE_UNSUPPORTED = Error(17, 10)
BUNDLE_FAILED = Error(17, 13)


class RefusedMessage(Exception):
    """The message has no effect; `error` is the answer."""

    def __init__(self, error: Error) -> None:
        super().__init__(str(error))
        self.error = error


def referenced_meters(actions: Sequence[Action]) -> Iterator[int]:
    """The meters that a list of actions goes through."""
    for action in actions:
        if isinstance(action, ApplyMeter):
            yield action.meter_id
        elif isinstance(action, Clone):
            yield from referenced_meters(action.actions)


@dataclass
class FakeTables:
    """Flows, groups and meters of one switch."""

    flows: dict[FlowKey, Flow] = field(default_factory=dict)
    groups: dict[int, Group] = field(default_factory=dict)
    meters: dict[int, Meter] = field(default_factory=dict)

    def copy(self) -> "FakeTables":
        """A copy to try things on."""
        return replace(self, flows=dict(self.flows), groups=dict(self.groups), meters=dict(self.meters))

    def apply(self, message: Message) -> None:
        """Change the tables. Raises RefusedMessage."""
        match message:
            case FlowMod():
                self._flow_mod(message)
            case GroupMod():
                self._group_mod(message)
            case MeterMod():
                self._meter_mod(message)
            case _:
                raise RefusedMessage(Error(1, 1))

    def _flow_mod(self, message: FlowMod) -> None:
        flow = message.flow
        if message.command is FlowModCommand.DELETE_STRICT:
            self.flows.pop(flow.key, None)
            return
        assert message.command is FlowModCommand.ADD, "the southbound adds and deletes strictly, nothing else"
        if any(group_id not in self.groups for group_id in referenced_groups(flow.actions)):
            raise RefusedMessage(BAD_OUT_GROUP)
        if any(meter_id not in self.meters for meter_id in referenced_meters(flow.actions)):
            raise RefusedMessage(UNKNOWN_METER)
        self.flows[flow.key] = flow

    def _group_mod(self, message: GroupMod) -> None:
        group_id = message.group.group_id
        if message.command is GroupModCommand.DELETE:
            self.groups.pop(group_id, None)
            self._drop_flows(lambda flow: group_id in referenced_groups(flow.actions))
        elif (message.command is GroupModCommand.ADD) == (group_id in self.groups):
            raise RefusedMessage(GROUP_EXISTS if group_id in self.groups else UNKNOWN_GROUP)
        else:
            self.groups[group_id] = message.group

    def _meter_mod(self, message: MeterMod) -> None:
        meter_id = message.meter.meter_id
        if message.command is MeterModCommand.DELETE:
            self.meters.pop(meter_id, None)
            self._drop_flows(lambda flow: meter_id in referenced_meters(flow.actions))
        elif (message.command is MeterModCommand.ADD) == (meter_id in self.meters):
            raise RefusedMessage(METER_EXISTS if meter_id in self.meters else UNKNOWN_METER)
        else:
            self.meters[meter_id] = message.meter

    def _drop_flows(self, condition: Callable[[Flow], bool]) -> None:
        """OpenFlow 1.5, 6.5 and 6.6: with a group or a meter go the flows that use it."""
        for key in [key for key, flow in self.flows.items() if condition(flow)]:
            del self.flows[key]
