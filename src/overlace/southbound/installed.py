"""What a switch really holds beside what the plan wants it to hold, for those who only look.

A switch gives flows back in its own spelling; those that mean what the plan wants are told in the plan's, so that a
reader can compare and look up what it compiled.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from overlace.datapath.flow import Flow, Group
from overlace.southbound.contents import Contents
from overlace.southbound.openflow_channel import SwitchConnection
from overlace.southbound.operations import TableOperations
from overlace.southbound.settings import Context
from overlace.southbound.synchronisation import observe
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
    for attempt in range(_ATTEMPTS):
        generation = contents.table.generation
        observed = await observe(context, connection, contents)
        settled = contents.table.generation == generation
        if settled or attempt == _ATTEMPTS - 1:
            break
    table = contents.table
    operations = table.difference(observed.flows, observed.groups, observed.meters)
    learned = [flow for flow in observed.flows if context.is_learned(flow.cookie)]
    there = _in_the_words_of_the_plan(contents, operations, {flow.key: flow for flow in observed.flows})
    return Installed(
        (*there, *learned),
        tuple(observed.groups),
        tuple(table.flows.values()),
        tuple(table.groups.values()),
        frozenset(operations.flows.added),
        frozenset(operations.flows.changed),
        frozenset(operations.flows.removed),
        settled,
    )


def _in_the_words_of_the_plan(
    contents: Contents, operations: TableOperations, observed: Mapping[object, Flow]
) -> list[Flow]:
    changes = operations.flows
    unlike = {flow.key for flow in (*changes.added, *changes.changed)}
    same = [flow for key, flow in contents.table.flows.items() if key not in unlike]
    instead = (observed.get(flow.key) or observed.get(canonical_flow(flow).key) for flow in changes.changed)
    return [*same, *(flow for flow in instead if flow is not None), *changes.removed]
