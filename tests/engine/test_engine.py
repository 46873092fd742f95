"""What is accepted is compiled and published, and told to the switches when it is durable."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from hypothesis import given, settings, strategies as st
from tests.compiler.worlds import WorldBuilder

from overlace.compiler.compiler import Compiler
from overlace.compiler.plan import Fragment, FragmentId, PlanChange, SwitchName
from overlace.engine.engine import Engine
from overlace.kit.revision import Revision
from overlace.model.network import Network
from overlace.model.port import Binding, Port
from overlace.model.snapshot import Change, Snapshot
from overlace.southbound.outbox import Outbox


class Switches:
    """What they were told to hold; what waits to be told is told in order, as the southbound does it."""

    def __init__(self) -> None:
        self.held: dict[SwitchName, dict[FragmentId, Fragment]] = {}
        self.told: list[int] = []
        self._outbox = Outbox()

    def publish(self, change: PlanChange, revision: Revision) -> None:
        self._outbox.expect(revision)
        self._outbox.send(lambda _: self._tell(change), b"")

    def durable(self, revision: Revision) -> None:
        self._outbox.release(revision)

    def _tell(self, change: PlanChange) -> None:
        self.told.append(change.sequence)
        for name, each in change.switches.items():
            held = self.held.setdefault(name, {})
            for id_ in each.removed:
                held.pop(id_, None)
            held.update(each.added)


class Scene:
    """A store that writes when it is told to, an engine, and switches that do all that they are told."""

    def __init__(self) -> None:
        world = WorldBuilder()
        world.hosts("h1", "h2")
        world.network("red", 1)
        world.group("open", 1)
        world.permit_everything("open")
        self.durable = self.head = world.snapshot
        self.waiting: list[tuple[Snapshot, tuple[Change, ...]]] = []
        self.once_durable: set[tuple[str, str]] = set()
        self.turns: list[Callable[[], None]] = []
        self.switches = Switches()
        self.engine = Engine(self.durable, self.switches, self.turns.append)

    def accept(self, number: int, host: str | None) -> None:
        """Bind a new port with this number to the host; without a host, the port goes."""
        builder = WorldBuilder(snapshot=self.head)
        name = f"p{number}"
        if host is None:
            builder.delete(Port, name)
            for binding in self.head.members(Binding, "port", name):
                builder.delete(Binding, binding.id)
        else:
            builder.bind(builder.port(name, number, "red", 10 + number, "open"), host, None)
        ids = [(Port, name), *((Binding, each) for each in self._bindings(self.head, builder.snapshot))]
        found = [
            Change(cls, id_, self.head.get(cls, id_), builder.snapshot.get(cls, id_)) for cls, id_ in ids
        ]
        changes = tuple(each for each in found if each.before != each.after)
        self.head = builder.snapshot.at(self.head.revision.next())
        self.waiting.append((self.head, changes))
        self.engine.accepted(self.head, changes)

    @staticmethod
    def _bindings(*snapshots: Snapshot) -> set[str]:
        return {each.id for snapshot in snapshots for each in snapshot.all(Binding)}

    def write(self) -> None:
        """Make the oldest commit durable."""
        self.durable, changes = self.waiting.pop(0)
        self.once_durable |= {(each.port_id, each.host_id) for each in self.durable.all(Binding)}
        self.engine.committed(self.durable, changes)

    def turn(self) -> None:
        """Let the event loop run."""
        turns, self.turns[:] = self.turns[:], []
        for turn in turns:
            turn()

    def flows(self) -> dict[SwitchName, dict[FragmentId, object]]:
        return {
            name: {id_: (each.flows, each.groups) for id_, each in held.items()}
            for name, held in self.switches.held.items()
        }

    def cold(self) -> dict[SwitchName, dict[FragmentId, object]]:
        """What an engine that knew only what is durable would have the switches hold."""
        compiler = Compiler()
        compiler.advance(replace(self.engine.world, snapshot=self.durable))
        return {
            name: {id_: (each.flows, each.groups) for id_, each in plan.items()}
            for name, plan in compiler.plan.items()
        }


def test_what_is_accepted_is_compiled_and_waits_until_it_is_durable() -> None:
    scene = Scene()
    # given a port that the disk is still at
    scene.accept(1, "h1")
    scene.turn()
    # then it is compiled, and no switch hears of it
    assert scene.engine.compiled == scene.head.revision
    assert scene.switches.told == [1]
    assert scene.engine.active_binding("p1") is None
    # when it is durable, then it goes out
    scene.write()
    assert scene.switches.told == [1, 2]
    assert scene.engine.active_binding("p1") is not None
    assert scene.flows() == scene.cold()


def test_what_is_durable_before_its_turn_is_told_at_once() -> None:
    scene = Scene()
    scene.accept(1, "h1")
    scene.write()
    assert scene.switches.told == [1]
    scene.turn()
    assert scene.switches.told == [1, 2]


def test_what_is_observed_meanwhile_keeps_its_place() -> None:
    scene = Scene()
    scene.accept(1, "h1")
    scene.turn()
    scene.engine.observed_ofport(("h1", "p1"), 7)
    scene.turn()
    assert scene.switches.told == [1]
    scene.write()
    assert scene.switches.told == [1, 2, 3]
    assert scene.flows() == scene.cold()


def test_a_port_is_not_active_before_its_openflow_port_has_gone_to_the_switches() -> None:
    scene = Scene()
    # given a port that is bound where the interface has no number yet, as all connected switches have acknowledged
    scene.engine.realisation.connected("h1", True)
    scene.accept(1, "h1")
    scene.turn()
    scene.write()
    scene.engine.acknowledged("h1", 2)
    assert scene.engine.port_status("p1") == "DOWN"
    # when the switch numbers it, then it is being built until that was compiled, sent and acknowledged
    scene.engine.observed_ofport(("h1", "p1"), 7)
    assert scene.engine.port_status("p1") == "BUILD"
    scene.turn()
    assert scene.switches.told == [1, 2, 3]
    assert scene.engine.port_status("p1") == "BUILD"
    scene.engine.acknowledged("h1", 3)
    assert scene.engine.port_status("p1") == "ACTIVE"


def test_a_port_is_not_active_while_its_plan_waits_for_another_to_be_durable() -> None:
    scene = Scene()
    # given a port that its switch has acknowledged, and another that the disk is still at
    scene.engine.realisation.connected("h1", True)
    scene.engine.observed_ofport(("h1", "p1"), 7)
    scene.accept(1, "h1")
    scene.turn()
    scene.write()
    scene.engine.acknowledged("h1", 2)
    assert scene.engine.port_status("p1") == "ACTIVE"
    scene.accept(2, "h2")
    # when its interface is numbered anew meanwhile, then that is on its way until the other is durable
    scene.engine.observed_ofport(("h1", "p1"), 8)
    scene.turn()
    assert (scene.switches.told, scene.engine.port_status("p1")) == ([1, 2], "BUILD")
    scene.write()
    assert (scene.switches.told, scene.engine.port_status("p1")) == ([1, 2, 3], "BUILD")
    scene.engine.acknowledged("h1", 3)
    assert scene.engine.port_status("p1") == "ACTIVE"


def test_a_network_out_of_use_concerns_no_switch_but_is_compiled() -> None:
    scene = Scene()
    network = Network(id="blue", project_id="b", name="blue", key=9)
    scene.head = scene.head.put(network).at(scene.head.revision.next())
    change = (Change(Network, "blue", None, network),)
    scene.waiting.append((scene.head, change))
    scene.engine.accepted(scene.head, change)
    scene.turn()
    scene.write()
    assert scene.engine.compiled == scene.head.revision
    assert scene.flows() == scene.cold()


STEPS = st.one_of(
    st.tuples(st.just("accept"), st.integers(1, 4), st.sampled_from(["h1", "h2"])),
    st.tuples(st.just("remove"), st.integers(1, 4)),
    st.tuples(st.just("see"), st.integers(1, 4), st.sampled_from(["h1", "h2"])),
    st.tuples(st.sampled_from(["write", "turn"])),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(STEPS, max_size=25))
def test_however_writes_and_turns_fall_the_switches_hold_what_is_durable(
    steps: list[tuple[Any, ...]],
) -> None:
    scene = Scene()
    for step in steps:
        match step:
            case ("accept", int(number), host):
                scene.accept(number, host)
            case ("remove", int(number)):
                if scene.head.get(Port, f"p{number}") is not None:
                    scene.accept(number, None)
            case ("see", int(number), host):
                scene.engine.observed_ofport((host, f"p{number}"), 40 + number)
            case ("write",):
                if scene.waiting:
                    scene.write()
            case ("turn",):
                scene.turn()
        # then no switch holds a binding that has never been durable
        held = {id_ for each in scene.switches.held.values() for id_ in each}
        assert {id_[1:] for id_ in held if id_[0] == "binding"} <= scene.once_durable
    while scene.waiting:
        scene.write()
    scene.turn()
    assert scene.flows() == scene.cold()
