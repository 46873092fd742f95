"""Who hears whom: the BFD sessions of all hosts, and which addresses are silent for which sites.

One end's word is a *session*. An address is silent for a site when no host there hears it, some host there
should, and another address of the same host is heard: only then is there something to go around by. A session
that was never up counts as down after a while; one that has come back counts as up after a while, so that a
flapping way does not throw traffic to and fro.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from ipaddress import ip_address
from typing import Protocol

import structlog

from overlace.kit.addresses import IPAddress
from overlace.kit.clock import Clock
from overlace.model.observation import Silence
from overlace.model.site import Host
from overlace.model.snapshot import Snapshot

log = structlog.get_logger(__name__)

NEVER_UP_SECONDS = 5.0
"""A new session is given this long to come up."""
SETTLED_SECONDS = 5.0
"""A session that was down must be up this long before it is trusted."""

_Words = dict[IPAddress, dict[str, list[bool | None]]]
"""Address -> site -> the verdicts of the hosts there."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What BFD says at one host of one tunnel port (RFC 5880 4.1: the state and diagnostic names)."""

    host: str
    interface: str
    remote: str
    up: bool
    state: str
    remote_state: str
    diagnostic: str


@dataclass(frozen=True, slots=True)
class Session:
    """One end's word, and since when it is so: `since` for people, `at` (monotonic seconds) for reckoning."""

    heard: Heard
    since: datetime
    at: float
    has_failed: bool

    def verdict(self, now: float) -> bool | None:
        """Whether the far address answers; None while that is too early to say."""
        age = now - self.at
        if self.heard.up:
            return True if not self.has_failed or age >= SETTLED_SECONDS else None
        return False if self.has_failed or age >= NEVER_UP_SECONDS else None


class SilenceSink(Protocol):
    """Who compiles with it: the engine."""

    def observed_lost(self, host: str, lost: bool) -> None:
        """Nobody hears the host: neither the controller nor any host that watches it; or somebody does again."""
        ...

    def observed_silence(self, host: str, silences: frozenset[Silence]) -> None:
        """These tunnel addresses of the host are silent now, and no others of it."""
        ...


class Liveness:
    """All sessions; fed by the switches, read by the API."""

    def __init__(self, snapshot: Callable[[], Snapshot], clock: Clock, sink: SilenceSink) -> None:
        self._snapshot = snapshot
        self._clock = clock
        self._sink = sink
        self._sessions: dict[str, dict[str, Session]] = {}
        self._away: set[str] = set()
        self._here: set[str] = set()
        self._lost: frozenset[str] = frozenset()
        self._told: dict[str, frozenset[Silence]] = {}
        self._unsettled = False

    def sessions(self) -> Iterator[Session]:
        """Every session, by host and interface; those of hosts that are away as they were last."""
        for _, ports in sorted(self._sessions.items()):
            yield from (session for _, session in sorted(ports.items()))

    def is_away(self, host: str) -> bool:
        """True when what the host says is not known to hold any more."""
        return host in self._away

    def is_lost(self, session: Session) -> bool:
        """True when the far end is not heard, by a host that is there to say so."""
        return not self.is_away(session.heard.host) and session.verdict(self._clock.monotonic()) is False

    def name_of(self, address: str) -> str | None:
        """The host with this tunnel address, if there is one."""
        hosts = self._snapshot().all(Host)
        return next((host.id for host in hosts if any(str(each) == address for each in host.addresses)), None)

    def heard(self, heard: Heard) -> None:
        """A host says how a session is."""
        ports = self._sessions.setdefault(heard.host, {})
        before = ports.get(heard.interface)
        if before is not None and before.heard.remote != heard.remote:
            before = None
        if before is not None and before.heard.up == heard.up:
            ports[heard.interface] = replace(before, heard=heard)
            return
        failed = not heard.up and (before is not None or heard.diagnostic not in ("", "No Diagnostic"))
        has_failed = failed or (before is not None and before.has_failed)
        ports[heard.interface] = Session(heard, self._clock.now(), self._clock.monotonic(), has_failed)
        if before is not None or heard.up:
            self._log(heard)
        self._unsettled = True

    def gone(self, host: str, interface: str) -> None:
        """A tunnel port is there no more."""
        if self._sessions.get(host, {}).pop(interface, None) is not None:
            self._unsettled = True

    def forget(self, host: str) -> None:
        """The host is no more."""
        self._sessions.pop(host, None)
        self._away.discard(host)
        self._here.discard(host)
        self._unsettled = True

    def host_away(self, host: str) -> None:
        """The host is out of reach of the controller: it is no witness."""
        self._away.add(host)
        self._here.discard(host)
        self._unsettled = True

    def host_back(self, host: str) -> None:
        """The host speaks again."""
        self._away.discard(host)
        self._here.add(host)
        self._unsettled = True

    def tick(self) -> None:
        """Reckon anew, if something has happened or was too early to say; call it often."""
        if not self._unsettled:
            return
        now = self._clock.monotonic()
        words = self._words(now)
        self._unsettled = any(None in verdicts for by_site in words.values() for verdicts in by_site.values())
        silences = _silences(self._snapshot(), words)
        for host in silences.keys() | self._told.keys():
            found = silences.get(host, frozenset())
            if found != self._told.get(host, frozenset()):
                log.warning("tunnel addresses silent", host=host, silent=sorted(map(_name, found)))
            self._sink.observed_silence(host, found)
        self._told = silences
        self._tell_lost(words)

    def _tell_lost(self, words: _Words) -> None:
        """A host is lost when it does not speak, somebody who does watches it, and nobody hears any address of it."""
        lost = set()
        for host in self._snapshot().all(Host):
            said = [verdicts for each in host.addresses for verdicts in words.get(each, {}).values()]
            verdicts = [verdict for each in said for verdict in each]
            if host.id not in self._here and verdicts and not any(each is not False for each in verdicts):
                lost.add(host.id)
        for name in sorted(lost ^ self._lost):
            log.warning("host lost" if name in lost else "host found again", host=name)
            self._sink.observed_lost(name, name in lost)
        self._lost = frozenset(lost)

    def _words(self, now: float) -> _Words:
        snapshot = self._snapshot()
        words: _Words = {}
        for name, ports in self._sessions.items():
            host = snapshot.get(Host, name)
            if host is None or name in self._away:
                continue
            for session in ports.values():
                by_site = words.setdefault(ip_address(session.heard.remote), {})
                by_site.setdefault(host.site_id, []).append(session.verdict(now))
        return words

    def _log(self, heard: Heard) -> None:
        log.log(
            20 if heard.up else 30,
            "host heard again" if heard.up else "host not heard",
            host=heard.host,
            remote=self.name_of(heard.remote) or "?",
            address=heard.remote,
            diagnostic=heard.diagnostic,
        )


def _silences(snapshot: Snapshot, words: _Words) -> dict[str, frozenset[Silence]]:
    found: dict[str, frozenset[Silence]] = {}
    for host in snapshot.all(Host):
        if len(host.addresses) < 2:
            continue
        sites = {site for address in host.addresses for site in words.get(address, ())}
        silent = frozenset(
            (site, address) for site in sites for address in _unheard(site, host.addresses, words)
        )
        if silent:
            found[host.id] = silent
    return found


def _unheard(site: str, addresses: tuple[IPAddress, ...], words: _Words) -> list[IPAddress]:
    """None while every address with a witness may still be heard, or none is."""
    said = {address: words.get(address, {}).get(site, []) for address in addresses}
    if not any(True in verdicts for verdicts in said.values()):
        return []
    return [address for address, verdicts in said.items() if False in verdicts and True not in verdicts]


def _name(silence: Silence) -> str:
    return f"{silence[1]} from {silence[0]}"
