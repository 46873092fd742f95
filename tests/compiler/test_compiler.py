"""What is unchanged stays the same object, and work does not grow with the world (see `proof` for the rest)."""

from tests.compiler.worlds import WorldBuilder

from overlace.compiler.compiler import Compiler
from overlace.compiler.graph import UNIT_KINDS
from overlace.compiler.reader import Reader
from overlace.compiler.unit import sort_of
from overlace.model.policy import Direction
from overlace.model.port import BindingState


def test_an_unchanged_projection_gives_the_same_fragment_objects() -> None:
    # given two hosts with a port each
    world = WorldBuilder()
    world.hosts("h1", "h2")
    world.network("n", 1)
    world.group("g", 1)
    first, second = world.port("a", 1, "n", 11, "g"), world.port("b", 2, "n", 12, "g")
    world.bind(first, "h1", 5)
    world.bind(second, "h2", 6)
    compiler = Compiler()
    compiler.advance(world.world)
    # then what is about a port for the whole network is one object on both hosts
    assert compiler.switch_plan("h1")["port", "a"] is compiler.switch_plan("h2")["port", "a"]
    # when something is touched without being changed
    world.take_dirty()
    world.put(first)
    change = compiler.advance(world.world, world.take_dirty())
    # then nothing goes to any switch
    assert change.switches == {}


def test_the_cost_of_a_port_does_not_grow_with_the_number_of_ports() -> None:
    def work_of_one_more(ports: int) -> int:
        world = WorldBuilder()
        world.hosts("h1", "h2")
        world.network("n", 1)
        world.group("g", 1)
        world.permit("g", 1, Direction.INGRESS, remote_group_id="g")
        for number in range(1, ports + 1):
            world.bind(world.port(f"p{number}", number, "n", number % 250, "g", mac=number), "h1", number)
        compiler = Compiler()
        compiler.advance(world.world)
        world.take_dirty()
        world.bind(world.port("new", 9999, "n", 251, "g", mac=9999), "h2", 7)
        before = compiler.counters.units_projected
        compiler.advance(world.world, world.take_dirty())
        return compiler.counters.units_projected - before

    assert work_of_one_more(200) == work_of_one_more(20)


def test_from_every_key_that_a_unit_reads_near_to_it_the_unit_is_found() -> None:
    # given ports of two networks, in several groups and in none, some of them on the move
    world = WorldBuilder()
    world.hosts("h1", "h2", "h3")
    for number, network in enumerate("nm", start=1):
        world.network(network, number)
        world.group(f"g{network}", number)
    groups = {"a": ("gn", "gm"), "b": ("gn",), "c": (), "d": ("gm", "gone")}
    for number, (name, ids) in enumerate(groups.items(), start=1):
        port = world.port(name, number, "nm"[number % 2], 10 + number, *ids, mac=number)
        world.bind(port, "h1", number)
        if name in "ad":
            world.bind(port, "h2", None, state=BindingState.PREPARED, generation=2)
    read = 0
    for kind in UNIT_KINDS:
        for root in kind.roots(world.snapshot):
            reader = Reader(world.world)
            # when a unit projects
            kind.project(reader, root)
            # then each key that is not noted leads to it, as its own or as kin
            for key in reader.near.keys:
                kin = kind.kin(key, world.snapshot) if kind.kin is not None else ()
                own = sort_of(key) == kind.rooted_in and kind.root_of(key) == root
                assert own or root in kin, (kind.name, root, key)
                read += 1
    assert read > 50
