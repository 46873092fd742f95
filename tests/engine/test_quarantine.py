"""Numbers rest until no switch can act on them any more."""

from datetime import UTC, datetime
from ipaddress import ip_address

from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from hypothesis.strategies import sampled_from

from overlace.engine.quarantine import CONNECTION_SECONDS, Number, Quarantine, address_number
from overlace.engine.realisation import SwitchProgress
from overlace.model.port import RestingAddress

SWITCHES = ("h1", "h2", "h3")


def progress(published: int, acknowledged: int) -> SwitchProgress:
    return SwitchProgress(published=published, acknowledged=acknowledged)


def test_a_number_is_free_once_every_switch_has_acknowledged() -> None:
    quarantine, switches = Quarantine(), {"h1": progress(7, 7), "h2": progress(5, 4)}
    quarantine.look([("vni", 4096)], switches, 0)
    assert quarantine.over(switches, SWITCHES, 1) == []
    switches["h2"].acknowledged = 5
    assert quarantine.over(switches, SWITCHES, 1) == [("vni", 4096)]


def test_a_switch_that_was_removed_holds_nothing_up() -> None:
    quarantine, switches = Quarantine(), {"h1": progress(7, 7), "h2": progress(5, 0)}
    quarantine.look([("vni", 4096)], switches, 0)
    assert quarantine.over(switches, ("h1",), 1) == [("vni", 4096)]


def test_a_later_plan_that_waits_does_not_prolong_the_rest() -> None:
    quarantine, switches = Quarantine(), {"h1": progress(7, 7)}
    quarantine.look([("group_key", 3)], switches, 0)
    switches["h1"].published = 9
    quarantine.look([("group_key", 3)], switches, 5)
    assert quarantine.over(switches, SWITCHES, 5) == [("group_key", 3)]


def test_a_zone_waits_for_its_own_host_and_for_the_connections_in_it() -> None:
    quarantine, switches = Quarantine(), {"h1": progress(7, 7), "h2": progress(5, 0)}
    quarantine.look([("zone:h1", 12)], switches, 0)
    assert quarantine.over(switches, SWITCHES, CONNECTION_SECONDS - 1) == []
    assert quarantine.over(switches, SWITCHES, CONNECTION_SECONDS) == [("zone:h1", 12)]


def test_an_address_waits_for_every_switch_and_one_rest_of_it_is_not_another() -> None:
    def rests(second: int) -> RestingAddress:
        since = datetime(2026, 11, 28, 12, 0, second, tzinfo=UTC)
        address = ip_address("10.0.0.5")
        return RestingAddress(network_id="n", ip_address=address, project_id="red", holder=7, since=since)

    quarantine, switches = Quarantine(), {"h1": progress(7, 7), "h2": progress(5, 4)}
    first, second = address_number(rests(1)), address_number(rests(2))
    quarantine.look([first], switches, 0)
    assert quarantine.over(switches, SWITCHES, 1) == []
    # it was taken and given back again between two looks, and h1 has yet to hear of that
    switches["h1"].published = 9
    switches["h2"].acknowledged = 5
    quarantine.look([second], switches, 5)
    assert quarantine.over(switches, SWITCHES, 5) == []
    switches["h1"].acknowledged = 9
    assert quarantine.over(switches, SWITCHES, 6) == [second]


class Fleet(RuleBasedStateMachine):
    """Switches that come, go and lag behind, and numbers that objects take and give back."""

    @initialize()
    def begin(self) -> None:
        self.sequence = 0
        self.clock = 0.0
        self.next = 0
        self.used: set[Number] = set()
        self.resting: set[Number] = set()
        self.switches: dict[str, SwitchProgress] = {}
        self.planned: dict[str, set[Number]] = {}
        self.tables: dict[str, set[Number]] = {name: set() for name in SWITCHES}
        self.registered: set[str] = set()
        self.quarantine = Quarantine()

    def publish(self) -> None:
        self.sequence += 1
        for name in self.registered:
            if self.planned.get(name) != self.used:
                self.planned[name] = set(self.used)
                self.switches.setdefault(name, SwitchProgress()).published = self.sequence

    @rule(name=sampled_from(SWITCHES))
    def a_switch_is_registered(self, name: str) -> None:
        if name not in self.registered:
            self.registered.add(name)
            self.planned.pop(name, None)
            self.publish()

    @rule(name=sampled_from(SWITCHES))
    def a_switch_is_removed(self, name: str) -> None:
        self.registered.discard(name)
        self.tables[name] = set()

    @rule(name=sampled_from(SWITCHES))
    def a_switch_catches_up(self, name: str) -> None:
        if name in self.registered:
            self.tables[name] = set(self.planned[name])
            self.switches[name].acknowledged = self.switches[name].published

    @rule()
    def a_number_is_taken(self) -> None:
        self.next += 1
        self.used.add(("vni", self.next))
        self.publish()

    @rule()
    def a_number_is_given_back(self) -> None:
        if self.used:
            number = min(self.used)
            self.used.remove(number)
            self.resting.add(number)
            self.publish()

    @rule()
    def the_controller_restarts(self) -> None:
        self.quarantine, self.switches, self.planned = Quarantine(), {}, {}
        self.publish()

    @rule()
    def time_passes(self) -> None:
        self.clock += 5
        self.quarantine.look(self.resting, self.switches, self.clock)
        for number in self.quarantine.over(self.switches, self.registered, self.clock):
            assert not any(number in self.tables[name] for name in self.registered)
            self.resting.discard(number)


TestFleet = Fleet.TestCase
TestFleet.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
