"""Given a name, a file or a text, when a topology is loaded, then it is the one meant or a helpful error."""

from pathlib import Path

import pytest

from overlace.lab.description import builtin_names, builtin_text, decode_topology, load_topology
from overlace.lab.errors import LabError, TopologyError


def test_the_default_has_two_sites_of_two_hosts() -> None:
    topology = load_topology()
    assert [(site.name, site.hosts) for site in topology.sites] == [
        ("site-a", ("h1", "h2")),
        ("site-b", ("h3", "h4")),
    ]
    assert topology.has_ipv4
    assert topology.has_ipv6
    assert topology.links == ()


def test_the_transit_topology_crosses_the_wan_between_its_switches() -> None:
    topology = load_topology("transit")
    assert [(link.name, link.wan) for link in topology.links] == [
        ("h1-t1", False),
        ("h2-t1", False),
        ("t1-t2", True),
        ("t2-h3", False),
        ("t2-h4", False),
    ]


@pytest.mark.parametrize("name", builtin_names())
def test_a_printed_topology_can_be_saved_and_loaded(name: str, tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(builtin_text(name))
    assert load_topology(str(file)) == load_topology(name)


def test_an_unknown_name_tells_what_there_is() -> None:
    with pytest.raises(LabError, match=r"'nowhere' is neither built in \(default or transit\) nor a file"):
        load_topology("nowhere")


def test_a_misspelt_key_is_named_with_its_place() -> None:
    with pytest.raises(TopologyError, match=r"`hots`.*\$\.sites\[0\].*overlace lab topology"):
        decode_topology("sites: [{name: a, hosts: [h1], hots: 1}]")


def test_a_text_that_is_not_yaml_is_told_so() -> None:
    with pytest.raises(TopologyError, match="not YAML"):
        decode_topology("sites: [")
