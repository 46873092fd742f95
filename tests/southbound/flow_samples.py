"""Small flows, groups and meters for tests: easy to tell apart, all acceptable to Open vSwitch."""

from overlace.datapath.actions import ApplyMeter, Goto, Output, SendToGroup
from overlace.datapath.fields import Field
from overlace.datapath.flow import Bucket, Flow, Group, GroupType, Meter, MeterUnit
from overlace.datapath.match import match


def flow(number: int, port: int = 1, table: int = 10, cookie: int | None = None) -> Flow:
    """Flow `number` sends to a port."""
    return Flow(
        table, 100, match({Field.ETH_DST: number}), (Output(port),), number if cookie is None else cookie
    )


def flow_to_group(number: int, group_id: int, table: int = 10) -> Flow:
    """A flow whose packets a group gets."""
    return Flow(table, 100, match({Field.ETH_DST: number}), (SendToGroup(group_id),), number)


def flow_to_meter(number: int, meter_id: int, table: int = 10) -> Flow:
    """A flow that is metered."""
    actions = (ApplyMeter(meter_id), Goto(table + 1))
    return Flow(table, 100, match({Field.ETH_DST: number}), actions, number)


def group(group_id: int, *ports: int) -> Group:
    """A group that sends to all ports."""
    buckets = tuple(Bucket(index, (Output(port),)) for index, port in enumerate(ports, 1))
    return Group(group_id, GroupType.ALL, buckets)


def meter(meter_id: int, rate: int = 1000) -> Meter:
    """A meter in packets a second."""
    return Meter(meter_id, MeterUnit.PKTPS, rate, 100)
