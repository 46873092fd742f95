"""What a comparison of a switch with its plan found, for people."""

from dataclasses import dataclass
from datetime import datetime

from overlace.datapath.text import describe_flow
from overlace.southbound.operations import TableOperations

MOST_TEXTS = 20


@dataclass(frozen=True, slots=True)
class ComparisonReport:
    """Counts over flows, groups and meters together; `flows` shows the first few with what was wrong."""

    at: datetime
    observed: int
    added: int
    changed: int
    removed: int
    cookies: tuple[int, ...]
    flows: tuple[str, ...]

    @property
    def repaired(self) -> int:
        """Everything that was not as it should be."""
        return self.added + self.changed + self.removed


def report(at: datetime, observed: int, operations: TableOperations) -> ComparisonReport:
    """Sum up; `observed` is the number of flows that the switch had."""
    parts = (operations.flows, operations.groups, operations.meters)
    flows = operations.flows
    return ComparisonReport(
        at=at,
        observed=observed,
        added=sum(len(part.added) for part in parts),
        changed=sum(len(part.changed) for part in parts),
        removed=sum(len(part.removed) for part in parts),
        cookies=tuple(sorted({flow.cookie for flow in flows})),
        flows=tuple(
            f"{what}: {describe_flow(flow)}"
            for what, some in (
                ("missing", flows.added),
                ("changed", flows.changed),
                ("foreign", flows.removed),
            )
            for flow in some[:MOST_TEXTS]
        ),
    )


def merge(first: ComparisonReport, second: ComparisonReport) -> ComparisonReport:
    """The sum of the reports on two parts of a switch."""
    return ComparisonReport(
        at=second.at,
        observed=first.observed + second.observed,
        added=first.added + second.added,
        changed=first.changed + second.changed,
        removed=first.removed + second.removed,
        cookies=tuple(sorted({*first.cookies, *second.cookies})),
        flows=(*first.flows, *second.flows)[: 3 * MOST_TEXTS],
    )
