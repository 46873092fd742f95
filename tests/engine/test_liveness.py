"""Who hears whom, and which addresses are gone around."""

from dataclasses import dataclass, field
from ipaddress import ip_address

from overlace.engine.liveness import NEVER_UP_SECONDS, SETTLED_SECONDS, Heard, Liveness
from overlace.kit.clock import ManualClock
from overlace.kit.revision import Revision
from overlace.model.observation import Silence
from overlace.model.site import Host, TunnelEndpoint
from overlace.model.snapshot import Snapshot

BEST, OTHER = "192.0.2.9", "2001:db8::9"
SILENT = frozenset({("a", ip_address(BEST))})


@dataclass
class World:
    """A target with two addresses, two hosts at site a that listen to it, one at site b."""

    told: dict[str, frozenset[Silence]] = field(default_factory=dict)
    lost: set[str] = field(default_factory=set)
    clock: ManualClock = field(default_factory=ManualClock)
    snapshot: Snapshot = field(default_factory=lambda: Snapshot.empty(Revision("test", 1, 0)))

    def __post_init__(self) -> None:
        for number, (name, site) in enumerate([("a1", "a"), ("a2", "a"), ("b1", "b")], start=1):
            self._host(name, site, number, f"192.0.2.{number}")
        self._host("target", "c", 9, BEST, OTHER)
        self.liveness = Liveness(lambda: self.snapshot, self.clock, self)

    def _host(self, name: str, site: str, key: int, *addresses: str) -> None:
        endpoints = tuple(TunnelEndpoint(ip_address(text), rank) for rank, text in enumerate(addresses))
        self.snapshot = self.snapshot.put(Host(id=name, site_id=site, endpoints=endpoints, key=key))

    def observed_silence(self, host: str, silences: frozenset[Silence]) -> None:
        self.told[host] = silences

    def observed_lost(self, host: str, lost: bool) -> None:
        (self.lost.add if lost else self.lost.discard)(host)

    def says(self, host: str, address: str, up: bool, diagnostic: str = "No Diagnostic") -> None:
        state = "up" if up else "down"
        self.liveness.heard(Heard(host, f"bfd-{address}", address, up, state, state, diagnostic))
        self.liveness.tick()

    def pass_time(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.liveness.tick()

    @property
    def silent(self) -> frozenset[Silence]:
        return self.told.get("target", frozenset())


def everything_is_heard() -> World:
    world = World()
    for host in ("a1", "a2", "b1"):
        for address in (BEST, OTHER):
            world.says(host, address, False)
            world.says(host, address, True)
    return world


def test_an_address_that_no_host_of_a_site_hears_is_silent_for_that_site() -> None:
    world = everything_is_heard()
    world.says("a1", BEST, False, "Control Detection Time Expired")
    assert world.silent == frozenset()
    world.says("a2", BEST, False, "Control Detection Time Expired")
    assert world.silent == SILENT


def test_a_host_that_is_not_heard_at_all_is_dead_not_silent() -> None:
    world = everything_is_heard()
    for host in ("a1", "a2"):
        world.says(host, OTHER, False)
        world.says(host, BEST, False)
    assert world.silent == frozenset()


def test_a_host_is_lost_when_it_does_not_speak_and_nobody_hears_it() -> None:
    world = everything_is_heard()
    world.liveness.host_back("target")
    for host in ("a1", "a2", "b1"):
        for address in (BEST, OTHER):
            world.says(host, address, False)
    assert world.lost == set()  # the controller hears it: a fault of the underlay
    world.liveness.host_away("target")
    world.pass_time(0)
    assert world.lost == {"target"}
    # one witness is enough, at any address; whoever has gone itself is none
    world.says("b1", OTHER, True)
    world.pass_time(SETTLED_SECONDS)
    assert world.lost == set()
    world.liveness.host_away("b1")
    world.pass_time(0)
    assert world.lost == {"target"}
    world.liveness.host_back("target")
    world.pass_time(0)
    assert world.lost == set()


def test_without_a_witness_nobody_is_lost() -> None:
    world = World()
    world.liveness.host_away("target")
    world.pass_time(0)
    assert world.lost == set()


def test_an_address_is_trusted_again_only_once_it_is_settled() -> None:
    world = everything_is_heard()
    for host in ("a1", "a2"):
        world.says(host, BEST, False)
    world.says("a1", BEST, True)
    assert world.silent == SILENT
    world.pass_time(SETTLED_SECONDS - 1)
    assert world.silent == SILENT
    world.pass_time(1)
    assert world.silent == frozenset()


def test_a_session_that_never_comes_up_is_down_after_a_while() -> None:
    world = World()
    world.says("a1", BEST, False)
    world.says("a1", OTHER, False)
    world.says("a1", OTHER, True)
    assert world.silent == frozenset()
    world.pass_time(NEVER_UP_SECONDS)
    assert world.silent == SILENT


def test_what_was_down_before_the_controller_began_is_down_at_once() -> None:
    world = World()
    world.says("a1", OTHER, True)
    world.says("a1", BEST, False, "Control Detection Time Expired")
    assert world.silent == SILENT


def test_a_host_out_of_reach_is_no_witness() -> None:
    world = everything_is_heard()
    world.says("a1", BEST, False)
    world.liveness.host_away("a2")
    world.pass_time(0)
    assert world.silent == SILENT
    world.liveness.host_back("a2")
    world.pass_time(0)
    assert world.silent == frozenset()


def test_a_host_that_is_removed_takes_its_word_along() -> None:
    world = everything_is_heard()
    world.says("a1", BEST, False)
    world.liveness.forget("a2")
    world.pass_time(0)
    assert world.silent == SILENT
    world.liveness.gone("a1", f"bfd-{BEST}")
    world.pass_time(0)
    assert world.silent == frozenset()


def test_a_session_tells_since_when() -> None:
    world = World()
    world.says("a1", BEST, True)
    began = world.clock.now()
    world.pass_time(60)
    world.says("a1", BEST, True, "Neighbor Signaled Session Down")
    world.liveness.host_away("a1")
    (session,) = world.liveness.sessions()
    assert (session.since, session.heard.diagnostic) == (began, "Neighbor Signaled Session Down")
    assert world.liveness.is_away("a1")


def test_a_port_that_leads_elsewhere_now_begins_anew() -> None:
    world = World()
    world.liveness.heard(Heard("a1", "bfd", BEST, True, "up", "up", ""))
    world.pass_time(60)
    world.liveness.heard(Heard("a1", "bfd", OTHER, True, "up", "up", ""))
    (session,) = world.liveness.sessions()
    assert session.since == world.clock.now()
