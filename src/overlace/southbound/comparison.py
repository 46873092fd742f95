"""Compare what a switch says it holds with what it should hold.

A switch does not give back exactly what it was sent (prerequisites become explicit, values are normalised), so a
flow that looks different is compared once more in its canonical form. That second look is rare and costs little.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from overlace.datapath.flow import Flow, FlowKey
from overlace.southbound.operations import Changes

K = TypeVar("K")
V = TypeVar("V")


def compare_entries(wanted: Mapping[K, V], observed: Mapping[K, V]) -> Changes[V]:
    """The changes that turn `observed` into `wanted`."""
    changes: Changes[V] = Changes()
    for key, value in wanted.items():
        if key not in observed:
            changes.added.append(value)
        elif observed[key] != value:
            changes.changed.append(value)
    changes.removed.extend(value for key, value in observed.items() if key not in wanted)
    return changes


def compare_flows(
    wanted: Mapping[FlowKey, Flow],
    elsewhere: Callable[[FlowKey], Flow | None],
    observed: Iterable[Flow],
    canonical: Callable[[Flow], Flow],
) -> Changes[Flow]:
    """The changes that turn `observed`, a part of a switch, into `wanted`, the same part of what it should hold.

    The parts are cut by table and cookie. An entry that was given another cookie turns up in a part where it
    is not wanted; `elsewhere`, which finds a flow in any part, tells that it is one to correct, not one to remove.
    """
    missing = dict(wanted)
    unmatched: list[Flow] = []
    changes: Changes[Flow] = Changes()
    for entry in observed:
        key = entry.key
        flow = missing.pop(key, None) or elsewhere(key)
        if flow is None:
            unmatched.append(entry)
        elif flow != entry and canonical(flow) != entry:
            changes.changed.append(flow)
    _match_canonically(changes, missing, unmatched, canonical)
    changes.added.extend(missing.values())
    return changes


def _match_canonically(
    changes: Changes[Flow],
    missing: dict[FlowKey, Flow],
    unmatched: list[Flow],
    canonical: Callable[[Flow], Flow],
) -> None:
    """Pair entries with flows whose keys the switch writes in another way; what is left over is foreign."""
    if not unmatched:
        return
    rewritten = {canonical(flow).key: key for key, flow in missing.items()}
    for entry in unmatched:
        key = rewritten.get(entry.key)
        flow = None if key is None else missing.pop(key, None)
        if flow is None:
            changes.removed.append(entry)
        elif canonical(flow) != entry:
            changes.changed.append(flow)
