"""Given machines that have to leave, each gets a host that may take it, and the load stays as even as it can be."""

from collections import Counter

import pytest
from hypothesis import given, strategies as st

from overlace.model.machine import Machine
from overlace.model.placement import NoPlace, candidates, place
from overlace.model.site import Host

HOSTS = [Host(id=f"h{number}", site_id="tokyo" if number < 3 else "osaka") for number in range(6)]


def machine(name: str, host: str = "h0", project: str = "red") -> Machine:
    return Machine(id=name, project_id=project, host_id=host)


@given(st.integers(0, 40), st.lists(st.sampled_from(["h1", "h2", "h3"]), max_size=20))
def test_whoever_leaves_goes_to_the_host_with_the_fewest(leaving: int, staying: list[str]) -> None:
    gone = [machine(f"m{number}") for number in range(leaving)]
    stay = [machine(f"s{number}", host) for number, host in enumerate(staying)]
    placed = place(gone, HOSTS[1:4], [*gone, *stay])
    assert {each.machine.id for each in placed} == {each.id for each in gone}
    load = Counter(staying) + Counter(each.to_host for each in placed)
    used = {each.to_host for each in placed}
    assert all(load[host] <= min(load[other] for other in ("h1", "h2", "h3")) + 1 for host in used)


def test_a_machine_never_goes_to_where_it_is() -> None:
    (placed,) = place([machine("m", "h1")], HOSTS[1:3], [])
    assert placed.to_host == "h2"


def test_a_reserved_host_takes_its_projects_only() -> None:
    reserved = Host(id="h9", site_id="osaka", projects=("blue",))
    (placed,) = place([machine("m", project="blue")], [reserved], [])
    assert placed.to_host == "h9"
    with pytest.raises(NoPlace, match="h9 are reserved"):
        place([machine("m")], [reserved], [])


def test_without_any_host_it_is_said_so() -> None:
    with pytest.raises(NoPlace, match="m can go nowhere: no other host"):
        place([machine("m")], [], [])


def test_candidates_are_at_the_site_heard_and_not_to_be_left() -> None:
    found = candidates(HOSTS, "osaka", lambda host: host.id == "h3", lambda name: name != "h4")
    assert [host.id for host in found] == ["h5"]
    everywhere = candidates(HOSTS, "", lambda host: host.site_id == "tokyo", lambda _: True)
    assert [host.id for host in everywhere] == ["h3", "h4", "h5"]
