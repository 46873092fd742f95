"""What a switch really holds beside what the plan wants it to hold, for those who only look.

A switch gives flows back in its own spelling; those that mean what the plan wants are told in the plan's, so that a
reader can compare and look up what it compiled.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypedDict

from overlace.datapath.flow import Flow, FlowKey, Group
from overlace.southbound.comparison import compare_flows
from overlace.southbound.contents import Contents
from overlace.southbound.desired import IsLearned
from overlace.southbound.openflow_channel import SwitchConnection
from overlace.southbound.operations import Changes
from overlace.southbound.settings import Context
from overlace.southbound.synchronisation import observe
from overlace.southbound.wanted_flows import WantedFlows
from overlace.wire.openflow.codec import canonical_flow

_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Installed:
    """One switch at one time. `flows` and `groups` are there; `wanted_flows` and `wanted_groups` should be.

    `missing`, `changed` (as wanted) and `foreign` (as it is there) are the flows in which the two differ; flows
    that the data path has learned are in `flows` only. `settled` is False when the plan changed while the switch was
    read, so that a difference may be just on its way.
    """

    flows: tuple[Flow, ...]
    groups: tuple[Group, ...]
    wanted_flows: tuple[Flow, ...]
    wanted_groups: tuple[Group, ...]
    missing: frozenset[Flow]
    changed: frozenset[Flow]
    foreign: frozenset[Flow]
    settled: bool = True

    @property
    def differs(self) -> bool:
        """Whether the switch is not as the plan wants it."""
        groups_differ = set(self.groups) != set(self.wanted_groups)
        return bool(self.missing or self.changed or self.foreign) or groups_differ


async def read_installed(context: Context, connection: SwitchConnection, contents: Contents) -> Installed:
    """Read a switch in pieces. Raises what `SwitchConnection.request` raises."""
    table = contents.table
    with WantedFlows(table) as follower:
        for attempt in range(_ATTEMPTS):
            await follower.follow()
            generation = table.generation
            observed = await observe(context, connection, follower.per_table())
            settled = table.generation == generation
            if settled or attempt == _ATTEMPTS - 1:
                break
        wanted, groups = follower.gathered().union, tuple(table.groups.values())
    # A large switch takes a while to compare, and the loop has other switches to serve meanwhile.
    flows = await asyncio.to_thread(_compare, wanted, observed.flows, context.is_learned)
    return Installed(groups=tuple(observed.groups), wanted_groups=groups, settled=settled, **flows)


class _Flows(TypedDict):
    flows: tuple[Flow, ...]
    wanted_flows: tuple[Flow, ...]
    missing: frozenset[Flow]
    changed: frozenset[Flow]
    foreign: frozenset[Flow]


def _compare(wanted: Mapping[FlowKey, Flow], observed: list[Flow], is_learned: IsLearned) -> _Flows:
    learned = [flow for flow in observed if is_learned(flow.cookie)]
    own = [flow for flow in observed if not is_learned(flow.cookie)]
    changes = compare_flows(wanted, wanted.get, own, canonical_flow)
    there = _in_the_words_of_the_plan(wanted, changes, {flow.key: flow for flow in own})
    return {
        "flows": (*there, *learned),
        "wanted_flows": tuple(wanted.values()),
        "missing": frozenset(changes.added),
        "changed": frozenset(changes.changed),
        "foreign": frozenset(changes.removed),
    }


def _in_the_words_of_the_plan(
    wanted: Mapping[FlowKey, Flow], changes: Changes[Flow], observed: Mapping[FlowKey, Flow]
) -> list[Flow]:
    unlike = {flow.key for flow in (*changes.added, *changes.changed)}
    same = [flow for key, flow in wanted.items() if key not in unlike]
    instead = (observed.get(flow.key) or observed.get(canonical_flow(flow).key) for flow in changes.changed)
    return [*same, *(flow for flow in instead if flow is not None), *changes.removed]
