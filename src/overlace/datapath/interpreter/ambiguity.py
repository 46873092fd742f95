"""Flows whose order nobody has decided: same table and priority, a packet that both match, different actions.

What a switch does with such a packet is undefined (OpenFlow 1.5, 6.4), so it must not be what correctness rests on.
"""

from collections.abc import Iterable
from itertools import combinations

from overlace.datapath.fields import Field
from overlace.datapath.flow import Flow
from overlace.datapath.match import Match
from overlace.datapath.prerequisites import is_data_field

Masks = tuple[tuple[Field, int], ...]
Conditions = dict[Field, tuple[int, int]]


def ambiguities(flows: Iterable[Flow]) -> list[tuple[Flow, Flow]]:
    """All pairs of flows of one table and priority that can match one packet and differ in actions.

    Pairs that compare the same bits can only overlap when they are equal, so only groups of flows with
    different masks are compared one by one.
    """
    by_place: dict[tuple[int, int], dict[Masks, list[Flow]]] = {}
    for flow in flows:
        masks = tuple((condition.field, condition.mask) for condition in flow.match)
        by_place.setdefault((flow.table, flow.priority), {}).setdefault(masks, []).append(flow)
    found: list[tuple[Flow, Flow]] = []
    for groups in by_place.values():
        for (masks, some), (other_masks, others) in combinations(groups.items(), 2):
            found += _overlapping(some, others, _shared(masks, other_masks))
    return found


def overlap(one: Match, other: Match) -> bool:
    """True when some packet can match both."""
    conditions, others = _conditions(one), _conditions(other)
    return all(
        not (conditions[field][0] ^ others[field][0]) & conditions[field][1] & others[field][1]
        for field in conditions.keys() & others.keys()
    )


def _overlapping(some: list[Flow], others: list[Flow], shared: Masks) -> list[tuple[Flow, Flow]]:
    """Join the two groups on the bits that both compare."""
    index: dict[tuple[int, ...], list[Flow]] = {}
    for flow in others:
        index.setdefault(_bits(flow.match, shared), []).append(flow)
    return [
        (flow, other)
        for flow in some
        for other in index.get(_bits(flow.match, shared), ())
        if flow.actions != other.actions and overlap(flow.match, other.match)
    ]


def _shared(masks: Masks, other_masks: Masks) -> Masks:
    others = dict(other_masks)
    return tuple((field, mask & others[field]) for field, mask in masks if field in others)


def _bits(match: Match, masks: Masks) -> tuple[int, ...]:
    values = {condition.field: condition.value for condition in match}
    return tuple(values[field] & mask for field, mask in masks)


def _conditions(match: Match) -> Conditions:
    conditions = {condition.field: (condition.value, condition.mask) for condition in match}
    if Field.PACKET_TYPE not in conditions and any(map(is_data_field, conditions)):
        conditions[Field.PACKET_TYPE] = (0, Field.PACKET_TYPE.full_mask)
    return conditions
