"""The binding machine under every order of events: what must hold holds after each of them."""

from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from hypothesis.strategies import floats, sampled_from
from tests.model.ledger import Ledger

from overlace.kit.addresses import Mac
from overlace.model import binder
from overlace.model.move import Cause, Move, MoveState, Trigger
from overlace.model.port import Binding, BindingState, Port
from overlace.model.site import Host
from overlace.model.trail import KEPT, Trail, leads_to

HOSTS = ("h1", "h2", "h3")
hosts = sampled_from(HOSTS)
ASKED = Cause(Trigger.API, "alice")


class Bindings(RuleBasedStateMachine):
    """One port, three hosts; interfaces, frames, requests and time come in any order, and more than once."""

    @initialize()
    def begin(self) -> None:
        self.ledger = Ledger()
        for key, name in enumerate(HOSTS, start=1):
            self.ledger.put(Host(id=name, site_id="a", key=key))
        self.ledger.put(Port(id="p", project_id="red", network_id="n", name="", mac_address=Mac(2), key=1))
        self.highest = 0
        self.superseded: set[tuple[str, int]] = set()
        self.interfaces: set[str] = set()

    @rule(host=hosts)
    def an_interface_appears(self, host: str) -> None:
        self.interfaces.add(host)
        binder.plugged(self.ledger, "p", host)

    @rule(host=hosts)
    def an_interface_goes(self, host: str) -> None:
        self.interfaces.discard(host)
        binder.unplugged(self.ledger, "p", host)

    @rule()
    def the_controller_restarts_and_hears_of_every_interface_anew(self) -> None:
        for host in HOSTS:
            (binder.plugged if host in self.interfaces else binder.unplugged)(self.ledger, "p", host)

    @rule(host=hosts)
    def a_frame_comes_perhaps_a_straggler(self, host: str) -> None:
        before = self.ledger.states()
        binder.activated(self.ledger, "p", host)
        if before.get(host, ("", 0))[0] != "prepared":
            assert self.ledger.states() == before

    @rule(host=hosts)
    def somebody_asks_for_it(self, host: str) -> None:
        binding = binder.prepare(self.ledger, "p", host, ASKED)
        assert binder.prepare(self.ledger, "p", host, ASKED) == binding
        if binding.state is BindingState.PREPARED:
            binder.activate(self.ledger, binding, ASKED)

    @rule(host=hosts)
    def somebody_gives_it_up(self, host: str) -> None:
        binding = binder.binding_at(self.ledger, "p", host)
        if binding is not None:
            binder.abort(self.ledger, binding, "given up")

    @rule(seconds=floats(0, 90))
    def time_passes(self, seconds: float) -> None:
        self.ledger.wait(seconds)
        binder.expired(self.ledger)
        assert not binder.expired(self.ledger)

    @rule()
    def trails_are_over(self) -> None:
        binder.forgotten(self.ledger, [self.ledger.now.date().isoformat()])

    @rule()
    def the_port_is_unbound(self) -> None:
        binder.remove_all(self.ledger, "p")

    @invariant()
    def at_most_one_is_active(self) -> None:
        assert [state for state, _ in self.ledger.states().values()].count("active") <= 1

    @invariant()
    def generations_rise_and_what_was_superseded_is_never_active_again(self) -> None:
        port = self.ledger.get(Port, "p")
        generations = [generation for _, generation in self.ledger.states().values()]
        assert len(set(generations)) == len(generations)
        assert max(generations, default=0) <= port.generation and port.generation >= self.highest
        self.highest = port.generation
        for host, (state, generation) in self.ledger.states().items():
            if state == "active":
                assert (host, generation) not in self.superseded
            elif state in ("releasing", "fenced"):
                self.superseded.add((host, generation))

    @invariant()
    def zones_are_held_by_bindings_and_trails_and_by_nothing_else(self) -> None:
        bound = {(f"zone:{each.host_id}", each.zone) for each in self.ledger.snapshot.all(Binding)}
        left = {(f"zone:{each.host_id}", each.zone) for each in self.ledger.snapshot.all(Trail)}
        assert bound | left == self.ledger.allocated
        assert len(left) <= KEPT

    @invariant()
    def what_was_left_behind_is_not_used_again(self) -> None:
        for each in self.ledger.snapshot.all(Binding):
            if each.state in (BindingState.ACTIVE, BindingState.PREPARED):
                assert not leads_to(self.ledger, "p", each.host_id, each.zone)

    @invariant()
    def receipts_agree_with_bindings(self) -> None:
        for move in self.ledger.snapshot.all(Move):
            binding = binder.binding_at(self.ledger, "p", move.to_host)
            if move.state is MoveState.PREPARED:
                assert binding is not None
                assert (binding.state, binding.generation) == (BindingState.PREPARED, move.generation)
            assert (move.ended_at is None) == (move.state in (MoveState.PREPARED, MoveState.ACTIVATED))


TestBindings = Bindings.TestCase
TestBindings.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
