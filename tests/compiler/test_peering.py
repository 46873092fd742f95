"""Who watches whom: everybody while hosts are few; bounded, connected and steady when they are many."""

from collections import Counter
from collections.abc import Iterable

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from overlace.compiler.peering import FULL_MESH, PAIRS_BETWEEN_SITES, STRIDES, Member, Pair, watching_pairs


def hosts(number: int, sites: int) -> list[Member]:
    return [(f"site-{index % sites}", f"h{index:03}") for index in range(number)]


def degrees(pairs: Iterable[Pair]) -> Counter[Member]:
    return Counter(member for pair in pairs for member in pair)


@given(st.integers(0, FULL_MESH), st.integers(1, 4))
def test_few_hosts_watch_each_other(number: int, sites: int) -> None:
    assert len(watching_pairs(hosts(number, sites))) == number * (number - 1) // 2


@settings(max_examples=40, deadline=None)
@given(st.integers(FULL_MESH + 1, 200), st.integers(1, 9))
def test_many_hosts_are_one_graph_of_bounded_degree(number: int, sites: int) -> None:
    members = hosts(number, sites)
    pairs = watching_pairs(members)
    # the order in which hosts are named means nothing
    assert pairs == watching_pairs(members[::-1])
    # no host bears more than its strides and its share of the ways between sites
    smallest = number // sites
    share = -(-PAIRS_BETWEEN_SITES * (sites - 1) // smallest) + PAIRS_BETWEEN_SITES
    assert max(degrees(pairs).values()) <= 2 * len(STRIDES) + share
    # and every host is seen from every other, over some others
    assert reached_from(members[0], pairs) == set(members)


def reached_from(start: Member, pairs: Iterable[Pair]) -> set[Member]:
    near: dict[Member, set[Member]] = {}
    for one, other in pairs:
        near.setdefault(one, set()).add(other)
        near.setdefault(other, set()).add(one)
    reached, fresh = {start}, {start}
    while fresh:
        fresh = {there for here in fresh for there in near.get(here, ())} - reached
        reached |= fresh
    return reached


@pytest.mark.parametrize("sites", [2, 5, 20])
def test_every_two_sites_watch_the_way_between_them(sites: int) -> None:
    joined = {
        frozenset((one[0], other[0]))
        for one, other in watching_pairs(hosts(200, sites))
        if one[0] != other[0]
    }
    assert len(joined) == sites * (sites - 1) // 2


def test_one_more_host_alters_few_pairs() -> None:
    members = hosts(500, 2)
    before, after = watching_pairs(members), watching_pairs([*members, ("site-0", "h100a")])
    between = 2 * PAIRS_BETWEEN_SITES
    assert len(before - after) <= sum(STRIDES) + between
    assert len(after - before) <= sum(STRIDES) + 2 * len(STRIDES) + between
    assert len(after) < 4 * 501
