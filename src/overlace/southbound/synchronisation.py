"""Make a switch equal to its plan by difference: after connecting, after a refusal, after an operator's word.

Read the marker, then everything the switch holds; compare; and unless something forbids it, write what differs
and nothing else. A switch that is already right is written nothing at all. The dump is read piece by piece, while
nobody but this controller may write; the plan may go on changing meanwhile, for it is compared only at the end.
"""

from collections import Counter
from dataclasses import dataclass
from enum import Enum

from overlace.datapath.flow import Flow, Group, Meter
from overlace.southbound.comparison_report import ComparisonReport, report
from overlace.southbound.contents import Contents
from overlace.southbound.marker import Mark, Stamp, Verdict, judge, read_marker
from overlace.southbound.openflow_channel import SwitchConnection
from overlace.southbound.operations import TableOperations
from overlace.southbound.reading import Piece, SwitchReader
from overlace.southbound.settings import Context
from overlace.southbound.wanted_flows import WantedFlows

_VERSION_SHIFT = 48
_ANY_VERSION = ((1 << 64) - 1) & ~(0xFF << _VERSION_SHIFT)
"""The marker's cookie but for the pipeline version: a release must find what another has written."""


class HoldKind(Enum):
    """Why nothing is written."""

    OBSERVE = "observe"
    STALE_STORE = "stale-store"
    BRAKE = "brake"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Hold:
    """A switch on hold, and what to do about it."""

    kind: HoldKind
    text: str


@dataclass(frozen=True, slots=True)
class Allowed:
    """What an operator has said about one switch."""

    observe_only: bool = False
    adopt: bool = False
    """Write although the marker is newer or another cluster's."""
    removal: bool = False
    """Remove however much the plan says."""


@dataclass(frozen=True, slots=True)
class Observed:
    """Everything a switch holds, the marker apart."""

    flows: list[Flow]
    groups: list[Group]
    meters: list[Meter]
    stamp: Stamp | None
    of_another_version: bool
    """Whether a release wrote it to which tables and registers may mean something else."""

    @property
    def is_empty(self) -> bool:
        """Whether it forwards nothing, as after a restart of its own."""
        return not self.flows and not self.groups


async def observe(context: Context, connection: SwitchConnection, per_table: Counter[int]) -> Observed:
    """Read a switch, of which so many flows are expected in each table. Raises what `SwitchConnection.request`
    raises."""
    reader = SwitchReader(connection, context.clock, context.settings.piece_size)
    mark = await read_mark(context, reader)
    flows: list[Flow] = []
    async for piece in reader.pieces(per_table):
        flows += await reader.flows(piece)
    own = [flow for flow in flows if not is_marker(context, flow)]
    groups, meters = await reader.groups(), await reader.meters()
    if mark is None:
        return Observed(own, groups, meters, None, of_another_version=False)
    other = mark.version != version_in(context.marker.cookie)
    return Observed(own, groups, meters, mark.stamp, of_another_version=other)


async def read_mark(context: Context, reader: SwitchReader) -> Mark | None:
    """Read the marker flow alone: one request, by its table and cookie."""
    place = context.marker
    for flow in await reader.flows(Piece(place.table, place.cookie & _ANY_VERSION, _ANY_VERSION)):
        if (stamp := read_marker(flow)) is not None:
            return Mark(stamp, version_in(flow.cookie))
    return None


def version_in(cookie: int) -> int:
    """The pipeline version that a cookie carries."""
    return cookie >> _VERSION_SHIFT & 0xFF


def is_marker(context: Context, flow: Flow) -> bool:
    """True for the flow that carries the stamp, in whatever state it is."""
    place = context.marker
    return (flow.table, flow.priority, flow.match) == (place.table, place.priority, place.match)


def compare(
    context: Context, contents: Contents, wanted: WantedFlows, observed: Observed
) -> tuple[TableOperations, ComparisonReport]:
    """What has to be written, and that for people; `wanted` are the flows of the contents."""
    contents.count(wanted.gathered)
    flows = wanted.gathered().union
    operations = contents.table.difference(observed.flows, observed.groups, observed.meters, flows)
    return operations, report(context.clock.now(), len(observed.flows), operations)


def removal(operations: TableOperations, observed: Observed) -> int:
    """How many flows go; where another release's are replaced as a whole, by how many there are fewer."""
    flows = operations.flows
    return len(flows.removed) - (len(flows.added) if observed.of_another_version else 0)


def objection(
    context: Context, allowed: Allowed, seen: tuple[Stamp | None, ...], found: ComparisonReport, removed: int
) -> Hold | None:
    """Why the difference must not be written; None when it may. `removed` is what `removal` says."""
    ours = context.stamp()
    verdict = judge(seen, ours, context.lineage())
    if verdict in (Verdict.NEWER, Verdict.FOREIGN) and not allowed.adopt:
        return Hold(
            HoldKind.STALE_STORE,
            f"the switch was {verdict.value} ({_text(seen)}; this store: {ours.cluster} epoch {ours.epoch} "
            f"revision {ours.revision}); observing only until: overlace adopt NAME",
        )
    if allowed.observe_only:
        return Hold(HoldKind.OBSERVE, f"observe mode; {found.repaired} differences are not written")
    settings = context.settings
    if (
        removed > settings.brake_minimum
        and removed > settings.brake_share * found.observed
        and not allowed.removal
    ):
        return Hold(
            HoldKind.BRAKE,
            f"the plan would remove {removed} of {found.observed} flows; allow it or correct the plan",
        )
    return None


def _text(stamps: tuple[Stamp | None, ...]) -> str:
    return "; ".join(f"{each.cluster} epoch {each.epoch} revision {each.revision}" for each in stamps if each)
