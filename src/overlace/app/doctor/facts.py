"""What the checks look at, gathered at one moment; values only, so that every fault can be made in a test."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from overlace.app.trust import HostClock
from overlace.compiler.plan import SwitchName
from overlace.engine.interfaces import PluggedInterface
from overlace.engine.reason import Reason
from overlace.model.snapshot import Snapshot
from overlace.northbound.views import Alarm
from overlace.pki.expiry import Expiry
from overlace.protocols.path_mtu import Path
from overlace.southbound.database_view import BridgeSeen
from overlace.southbound.observations import HostSeen
from overlace.southbound.refusals import Refusal
from overlace.southbound.status import SwitchStatus


@dataclass(frozen=True, slots=True)
class MachineFacts:
    """The controller's machine and process; sizes in bytes. `unwritable` says why nothing can be written."""

    database: str
    free: int
    size: int
    unwritable: str | None
    store_failure: str | None
    newest_change: datetime | None
    """Of the log of changes."""
    clock_synchronised: bool
    file_limit: int


@dataclass(frozen=True, slots=True)
class ServiceFacts:
    """How the controller serves."""

    switch_address: str
    is_plaintext: bool
    api_in_the_clear: str
    """The reason that was given for serving the API beyond loopback without TLS."""
    observe_only: bool
    certificate_addresses: tuple[str, ...]
    trust_problem: str | None
    expiries: tuple[Expiry, ...]
    clocks: tuple[HostClock, ...] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything."""

    now: datetime
    snapshot: Snapshot
    machine: MachineFacts
    service: ServiceFacts
    switches: Mapping[SwitchName, SwitchStatus] = field(default_factory=dict)
    faults: Mapping[SwitchName, str] = field(default_factory=dict)
    """What switches said when they refused a part of the plan."""
    hosts: Mapping[SwitchName, HostSeen] = field(default_factory=dict)
    bridges: Mapping[SwitchName, BridgeSeen] = field(default_factory=dict)
    interfaces: Sequence[PluggedInterface] = ()
    port_reasons: Sequence[Reason] = ()
    """Of ports that an interface announces and that are not served there."""
    refusals: Sequence[Refusal] = ()
    strangers: Sequence[tuple[str, int]] = ()
    alarms: Sequence[Alarm] = ()
    strays: Mapping[Path, str] = field(default_factory=dict)
    replica_problems: Mapping[str, str] = field(default_factory=dict)
    """By machine, why its replica does not get newer."""
    resting: int = 0
    """Numbers and addresses in quarantine."""
