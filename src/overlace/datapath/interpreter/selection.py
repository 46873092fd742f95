"""Which buckets of a group a packet goes to (OpenFlow 1.5, 5.10.1; ovs-actions(7), group)."""

from collections.abc import Callable, Sequence

from overlace.datapath.fields import Field
from overlace.datapath.flow import Bucket, Group, GroupType
from overlace.datapath.interpreter.packet import Packet

ChooseBucket = Callable[[Group, Packet, Sequence[Bucket]], Bucket]
"""Chooses among the buckets of a select group that have a weight; a switch may choose as it likes."""

_CONNECTION = tuple(
    field.order
    for field in (Field.ETH_TYPE, Field.IPV4_SRC, Field.IPV4_DST, Field.IPV6_SRC, Field.IPV6_DST)
    + (Field.IP_PROTO, Field.TCP_SRC, Field.TCP_DST, Field.UDP_SRC, Field.UDP_DST)
)


def choose_by_flow_hash(group: Group, packet: Packet, buckets: Sequence[Bucket]) -> Bucket:
    """Keep the packets of one connection on one bucket, and share connections by weight.

    The hash is this function's own: which bucket a real switch would choose cannot be foretold.
    """
    number = hash((group.group_id, *(packet.values[order] for order in _CONNECTION)))
    place = number % sum(bucket.weight for bucket in buckets)
    for bucket in buckets:
        place -= bucket.weight
        if place < 0:
            return bucket
    raise AssertionError("a place below the sum of weights lies in some bucket")


def buckets_for(
    group: Group, packet: Packet, port_is_live: Callable[[int], bool], choose: ChooseBucket
) -> tuple[Bucket, ...]:
    """The buckets that the packet goes to, in order."""
    match group.type:
        case GroupType.ALL:
            return group.buckets
        case GroupType.INDIRECT:
            return group.buckets[:1]
        case GroupType.SELECT:
            weighted = [bucket for bucket in group.buckets if bucket.weight]
            return (choose(group, packet, weighted),) if weighted else ()
        case GroupType.FAST_FAILOVER:
            live = (b for b in group.buckets if b.watch_port is None or port_is_live(b.watch_port))
            return tuple(next(([bucket] for bucket in live), []))
