"""What switches say about themselves: frozen values and the sink that takes them.

Observations are not intents: they never consume revisions, and are rebuilt from the switches at every start.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class InterfaceSeen:
    """One Interface row of the host's own bridge (ovs-vswitchd.conf.db(5), Interface).

    `ofport` is None until the switch has given one (or could not: then `error` says why). `iface_id` and
    `attached_mac` are the external_ids by which a workload's interface announces itself.
    """

    host: str
    name: str
    ofport: int | None
    iface_id: str | None
    attached_mac: str | None
    mac: str | None
    admin_up: bool
    link_up: bool
    error: str | None
    type: str
    mtu: int | None


@dataclass(frozen=True, slots=True)
class HostSeen:
    """A switch and its connections; `ovs_version` is known only over OVSDB, so never of transit switches.

    When `connected_ovsdb` turns True, every interface that the host has was reported before.
    """

    host: str
    datapath_id: int | None
    ovs_version: str | None
    connected_ovsdb: bool
    connected_openflow: bool
    last_seen: datetime


@dataclass(frozen=True, slots=True)
class LivenessSeen:
    """What BFD (RFC 5880) on the tunnel port `interface` says about the way to `remote`."""

    host: str
    remote: str
    up: bool
    interface: str
    state: str
    remote_state: str
    diagnostic: str


@dataclass(frozen=True, slots=True)
class PortsSeen:
    """The interfaces of a switch that have a carrier, with their OpenFlow port numbers.

    Of a host those that announce no workload (its way into a fabric among them), of a transit switch all. What is
    not named has no carrier, or is not there.
    """

    switch: str
    ports: Mapping[str, int]


class ObservationSink(Protocol):
    """Who wants to know. Called on the event loop's thread; must return soon and must not raise."""

    def interface_changed(self, interface: InterfaceSeen) -> None:
        """An interface is new or is not what it was."""
        ...

    def interface_removed(self, host: str, name: str) -> None:
        """An interface is gone from the bridge."""
        ...

    def host_changed(self, host: HostSeen) -> None:
        """A connection came or went, or the switch said more about itself."""
        ...

    def ports_changed(self, ports: PortsSeen) -> None:
        """Told of a host before it counts as connected, of a transit switch after; and whenever they change."""
        ...

    def liveness_changed(self, liveness: LivenessSeen) -> None:
        """BFD saw the way to another host come or go."""
        ...
