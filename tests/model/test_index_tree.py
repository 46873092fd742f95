"""A tree is the same however it came about, and gives back what was put into it."""

from dataclasses import dataclass

from hypothesis import given, strategies as st
from immutables import Map

from overlace.model import index_tree
from overlace.model.index_tree import Tree


@dataclass(frozen=True)
class Thing:
    """A value; `version` makes two of one id differ."""

    id: str
    version: int = 0


Place = tuple[str, str, str]
PLACES = st.tuples(st.sampled_from("xy"), st.sampled_from(["", "p", "q"]), st.sampled_from("abc"))


def tree_of(things: dict[Place, Thing]) -> Tree:
    return index_tree.build((outer, inner, key, thing) for (outer, inner, key), thing in things.items())


def test_what_is_alone_has_no_map_around_it() -> None:
    alone = Thing("a")
    assert index_tree.put(Map(), "x", "", "a", alone) == Map({"x": alone})
    assert index_tree.put(Map(), "x", "p", "a", alone) == Map({"x": Map({"p": alone})})


@given(st.lists(st.tuples(PLACES, st.integers(0, 1)), max_size=12))
def test_put_one_by_one_or_built_at_once_it_is_the_same_tree(steps: list[tuple[Place, int]]) -> None:
    tree: Tree = Map()
    things: dict[Place, Thing] = {}
    for place, version in steps:
        things[place] = Thing(place[2], version)
        tree = index_tree.put(tree, *place, things[place])
    assert tree == tree_of(things)
    for outer in "xy":
        inners = {inner for each, inner, _ in things if each == outer}
        assert set(index_tree.inner_keys(tree, outer)) == inners
        for inner in ("", "p", "q"):
            expected = {thing for place, thing in things.items() if place[:2] == (outer, inner)}
            assert set(index_tree.values(tree, outer, inner)) == expected
            assert index_tree.count(tree, outer, inner) == len(expected)


@given(st.sets(PLACES), st.sets(PLACES))
def test_removing_leaves_nothing_behind(staying: set[Place], going: set[Place]) -> None:
    tree = tree_of({place: Thing(place[2]) for place in staying | going})
    for place in going - staying:
        tree = index_tree.remove(tree, *place)
    assert tree == tree_of({place: Thing(place[2]) for place in staying})


def test_few_are_a_tuple_and_many_a_map_whichever_way_they_came_about() -> None:
    things = {
        ("x", inner, f"{number:03}"): Thing(f"{number:03}") for number in range(70) for inner in ("", "p")
    }
    # when they come one by one
    tree: Tree = Map()
    here: dict[Place, Thing] = {}
    for place in sorted(things, key=lambda place: hash(place[2])):
        here[place] = things[place]
        tree = index_tree.put(tree, *place, here[place])
        # then the tree is as if built at once
        assert tree == tree_of(here)
        assert index_tree.count(tree, *place[:2]) == len([each for each in here if each[1] == place[1]])
    assert isinstance(tree["x"]["p"], Map)
    # and when one has a new version, and they go again, so it is, too
    changed = ("x", "p", "007")
    here[changed] = Thing("007", 1)
    tree = index_tree.put(tree, *changed, here[changed])
    for place in list(here)[:-2]:
        del here[place]
        tree = index_tree.remove(tree, *place)
        assert tree == tree_of(here)
