"""The state of switches as values, for status pages and metrics."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from overlace.compiler.plan import FragmentId, SwitchName
from overlace.southbound.comparison_report import ComparisonReport


class Phase(Enum):
    """Where a switch is in its life; the value is for people."""

    ABSENT = "not connected"
    JOINING = "becoming its master"
    WAITING = "waiting for the plan or for the host's database"
    COMPARING = "reading and comparing"
    WRITING = "writing what differs"
    IN_SYNC = "in sync"
    HELD = "on hold: nothing is written"
    PASSIVE = "another controller is master"


@dataclass(frozen=True, slots=True)
class SwitchStatus:
    """One switch. `sequence` is the last one acknowledged (or failed) on the present connection."""

    name: SwitchName
    phase: Phase
    hold: str | None
    observed_only: bool
    peer: str | None
    database: bool
    tunnel_ports: str | None
    sequence: int | None
    wanted_flows: int | None
    """None until the switch was compared with the plan once."""
    held_out: Mapping[FragmentId, str]
    last_resync: ComparisonReport | None
    flows_sent: int
    batches: int
    bytes_sent: int
    resyncs: int
    resync_changes: int
    audit_repairs: int


@dataclass(frozen=True, slots=True)
class SouthboundStatus:
    """All switches, and what the shared encoder did."""

    switches: Mapping[SwitchName, SwitchStatus]
    encoded_flows: int
    encoded_bytes: int
    cache_hits: int
    bundled_flows: int = 0
    """Put into bundles; what many switches are sent in one change counts once."""
    bundled_bytes: int = 0
