"""What the API shows of the underlay: who hears whom, what the paths carry, and what is wrong with it."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from overlace.app.underlay import Underlay, overhead
from overlace.engine.reason import Ground, Reason
from overlace.model.carriage import CARRIAGES
from overlace.model.controller import controller_of
from overlace.model.network import Network, Segment
from overlace.model.site import Host, Site
from overlace.model.snapshot import Snapshot
from overlace.model.underlay import Room, room
from overlace.northbound.views import Alarm
from overlace.protocols.path_mtu import Finding, Path, Verdict


class UnderlayStatus:
    """See `northbound.views.UnderlayView`."""

    def __init__(self, snapshot: Callable[[], Snapshot], underlay: Underlay, default_mtu: int) -> None:
        self._snapshot = snapshot
        self._underlay = underlay
        self._default_mtu = default_mtu

    def liveness(self) -> Sequence[Mapping[str, object]]:
        """Each end's word on each BFD session."""
        liveness = self._underlay.liveness
        owner = self._owners()
        return [
            {
                "host": session.heard.host,
                "remote_host": owner.get(session.heard.remote),
                "remote_address": session.heard.remote,
                "up": session.heard.up,
                "state": session.heard.state,
                "remote_state": session.heard.remote_state,
                "diagnostic": session.heard.diagnostic,
                "since": session.since.isoformat(timespec="milliseconds"),
                "interface": session.heard.interface,
                "current": not liveness.is_away(session.heard.host),
            }
            for session in liveness.sessions()
        ]

    def paths(self) -> Sequence[Mapping[str, object]]:
        """The last finding on each path, in bytes of underlay IP packet."""
        return [
            {
                "source": path.source,
                "target": path.target,
                "address": str(path.address),
                "verdict": finding.verdict.value,
                "carries": finding.carries,
                "needed": finding.needed,
                "network_mtu": finding.carries - overhead(path.address) if finding.carries else 0,
                "detail": self._explain(finding),
            }
            for path, finding in self._findings()
        ]

    def alarms(self) -> Sequence[Alarm]:
        """What an operator should do something about."""
        return [*self._silent_alarms(), *self._path_alarms(), *self._network_alarms()]

    def reasons(self, host: str, others: Collection[str]) -> list[Reason]:
        """See `engine.diagnosis.AskUnderlay`."""
        found = []
        for alarm in self._silent_alarms():
            if _between(alarm, host, others):
                cure = f"see: overlace underlay liveness --host {host}"
                found.append(Reason(Ground.NOT_HEARD, alarm.text, cure, host, blocking=False))
        for alarm in self._path_alarms():
            if _between(alarm, host, others):
                text, _, cure = alarm.text.rpartition(": ")
                found.append(Reason(Ground.PATH, text, cure, host, blocking=False))
        return found

    def _owners(self) -> dict[str, str]:
        return {str(each): host.id for host in self._snapshot().all(Host) for each in host.addresses}

    def _findings(self, leave_out: Verdict | None = None) -> list[tuple[Path, Finding]]:
        """Those that still count, in order."""
        findings = (
            item for item in self._underlay.prober.findings.items() if item[1].verdict is not leave_out
        )
        current = (item for item in findings if self._underlay.needed_size(item[0]) is not None)
        return sorted(current, key=lambda item: (item[0].source, item[0].target, str(item[0].address)))

    def _explain(self, finding: Finding) -> str:
        path = finding.path
        way = f"{path.source} -> {path.target} ({path.address})"
        adds = overhead(path.address)
        if finding.verdict is Verdict.SILENT:
            port = controller_of(self._snapshot()).tunnel_port
            return f"{way}: no probe arrives, not even a small one: look at the link and at UDP port {port}"
        if finding.verdict is Verdict.WIDE:
            return f"{way} carries packets of {finding.carries} bytes, as needed"
        return (
            f"{way} carries packets of {finding.carries} bytes, networks of MTU {finding.needed - adds} need "
            f"{finding.needed}: lower the networks' MTU to {finding.carries - adds} or raise the link's to "
            f"{finding.needed}"
        )

    def _silent_alarms(self) -> Iterator[Alarm]:
        owner = self._owners()
        for session in filter(self._underlay.liveness.is_lost, self._underlay.liveness.sessions()):
            heard = session.heard
            remote = owner.get(heard.remote, "?")
            since = session.since.isoformat(timespec="seconds")
            text = f"{heard.host} does not hear {remote} ({heard.remote}) since {since}: {heard.diagnostic}"
            yield Alarm("not heard", (heard.host, remote), text)

    def _path_alarms(self) -> Iterator[Alarm]:
        for path, finding in self._findings(leave_out=Verdict.WIDE):
            yield Alarm(finding.verdict.value, (path.source, path.target), self._explain(finding))

    def _network_alarms(self) -> Iterator[Alarm]:
        snapshot = self._snapshot()
        sites, hosts = list(snapshot.all(Site)), list(snapshot.all(Host))
        rooms: dict[frozenset[str], Room] = {}
        for network in sorted(snapshot.all(Network), key=lambda network: network.id):
            segments = snapshot.members(Segment, "network", network.id)
            kinds = frozenset({segment.network_type for segment in segments} & CARRIAGES.keys())
            if kinds not in rooms:
                rooms[kinds] = room(sites, hosts, [CARRIAGES[kind] for kind in kinds], self._default_mtu)
            left = rooms[kinds]
            if network.mtu > left.mtu:
                yield Alarm(
                    "network too wide",
                    (),
                    f"network {network.name or '(no name)'} ({network.id}) has MTU {network.mtu}, the most that "
                    f"reaches every host is {left.mtu} ({left.because}): lower the network's MTU, or raise the "
                    "underlay's and the site's",
                )


def _between(alarm: Alarm, host: str, others: Collection[str]) -> bool:
    return host in alarm.hosts and any(each in others for each in alarm.hosts if each != host)
