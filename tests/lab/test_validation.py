"""Given a faulty description, when it is read, then the error names the fault and the cure."""

import pytest

from overlace.lab.description import decode_topology
from overlace.lab.errors import TopologyError

GOOD = """
sites:
  - {name: a, ipv4: 10.1.0.0/24, ipv6: "fd01::/64", hosts: [h1, h2]}
  - {name: b, ipv4: 10.2.0.0/24, ipv6: "fd02::/64", hosts: [h3]}
transit: [{name: t1, site: a}, {name: t2, site: b}]
links: [{ends: [h1, t1]}, {ends: [t1, t2], wan: true}]
"""


def problems(text: str) -> str:
    with pytest.raises(TopologyError) as caught:
        decode_topology(text)
    return "\n".join(caught.value.problems)


def test_a_good_description_is_accepted() -> None:
    topology = decode_topology(GOOD)
    assert topology.switch_names() == ("h1", "h2", "h3", "t1", "t2")


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("hosts: [h3]", "hosts: [h1]", "name 'h1' is used 2 times: give every"),
        ("hosts: [h3]", "hosts: [mgmt]", "name 'mgmt' is reserved"),
        ("hosts: [h3]", "hosts: [w-3]", "name 'w-3' is reserved"),
        ("hosts: [h3]", "hosts: [a-name-too-long]", "name 'a-name-too-long' is not usable: 1 to 12"),
        ("hosts: [h3]", "hosts: []", "site 'b' has no host: name at least one"),
        ("10.2.0.0/24", "10.1.0.128/25", "site 'b' ipv4 10.1.0.128/25 overlaps site 'a' ipv4 10.1.0.0/24"),
        ("10.2.0.0/24", "10.2.0.1/24", "10.2.0.1/24 has host bits set: write a network such as 10.1.0.0/24"),
        ("10.2.0.0/24", "10.2.0.0/31", "site 'b' ipv4 is 10.2.0.0/31: too small for 2 nodes"),
        ("fd02::/64", "10.3.0.0/24", "site 'b' ipv6 is 10.3.0.0/24: an IPv6 prefix is needed"),
        ("fd02::/64", "fd02::/125", "site 'b' ipv6 is fd02::/125: too small"),
        ("ipv4: 10.2.0.0/24, ", "", "site 'b' has no ipv4 prefix although the underlay is 'dual'"),
        ("hosts: [h3]", "hosts: [h3], mtu: 1000", "site 'b' has mtu 1000: choose 1280 to 9216"),
        ("site: b", "site: c", "transit switch 't2' is at unknown site 'c': use one of a, b"),
        ("[h1, t1]", "[h9, t1]", "link h9-t1 ends at unknown 'h9': name a host or transit switch"),
        ("[h1, t1]", "[h1, h2]", "link h1-h2 joins two hosts: one end must be a transit switch"),
        ("[h1, t1]", "[t1, t1]", "link t1-t1 joins a node to itself"),
        ("[h1, t1]}", "[h1, t1]}, {ends: [t1, h1]}", "link t1-h1 is given twice: keep one"),
        (
            "hosts: [h3]",
            "hosts: [h3], kernel: [h4]",
            "site 'b' has 'h4' below 'kernel' but not below 'hosts'",
        ),
        ("hosts: [h1, h2]", "hosts: [h1, h2], kernel: [h1]", "host 'h1' has a link to a switch"),
        (", wan: true", "", "link t1-t2 leaves its site: mark it 'wan: true'"),
    ],
)
def test_a_fault_is_named_with_its_cure(before: str, after: str, expected: str) -> None:
    assert before in GOOD
    assert expected in problems(GOOD.replace(before, after))


@pytest.mark.parametrize(
    ("wan", "expected"),
    [
        ("delay_ms: -1", "wan delay_ms is -1.0: choose 0 to 10000"),
        ("loss_pct: 101", "wan loss_pct is 101.0: choose 0 to 100"),
        ("rate_mbit: -5", "wan rate_mbit is -5.0"),
        ("mtu: 99999", "wan mtu is 99999"),
        ("ipv4: 10.1.0.0/16", "wan ipv4 10.1.0.0/16 overlaps site 'a' ipv4"),
    ],
)
def test_a_faulty_wan_is_named_with_its_cure(wan: str, expected: str) -> None:
    assert expected in problems(f"{GOOD}\nwan: {{{wan}}}")


def test_all_faults_are_told_at_once() -> None:
    told = problems(GOOD.replace("[h1, t1]", "[h9, t1]").replace("hosts: [h3]", "hosts: [mgmt]"))
    assert "reserved" in told
    assert "unknown 'h9'" in told


def test_a_single_family_needs_only_its_own_prefixes() -> None:
    text = "underlay: ipv6\nsites: [{name: a, ipv6: 'fd01::/64', hosts: [h1]}]"
    assert decode_topology(text).has_ipv4 is False
