"""Given a topology, when it is planned, then every node has distinct names and addresses."""

from itertools import chain
from pathlib import Path

from overlace.lab.cabling import links
from overlace.lab.description import decode_topology, load_topology
from overlace.lab.fabric import cables, node_lines, relay_links, router_lines, sockets
from overlace.lab.plan import link_interfaces, make_plan

PLAN = make_plan("demo", load_topology("transit"), Path("/run/lab/demo"))


def test_hosts_are_numbered_inside_their_site() -> None:
    assert [(node.name, node.endpoints) for node in PLAN.nodes if not node.transit] == [
        ("h1", ("10.1.0.1", "fd01::1")),
        ("h2", ("10.1.0.2", "fd01::2")),
        ("h3", ("10.2.0.1", "fd02::1")),
        ("h4", ("10.2.0.2", "fd02::2")),
    ]
    assert PLAN.nodes[0].gateways == ("10.1.0.254", "fd01::ff")


def test_a_transit_switch_has_no_tunnel_endpoint_but_a_way_to_the_controller() -> None:
    t1 = next(node for node in PLAN.nodes if node.name == "t1")
    assert t1.endpoints == ()
    assert t1.management == "198.18.0.14"
    assert PLAN.controller == "198.18.0.1"


def test_the_environment_points_at_the_nodes_own_open_vswitch() -> None:
    h1 = PLAN.nodes[0]
    assert h1.environment["OVS_RUNDIR"] == "/run/lab/demo/h1/run"
    assert h1.db_socket == Path("/run/lab/demo/h1/run/db.sock")


def test_every_namespace_carries_the_laboratory_in_its_name() -> None:
    assert all(name.startswith("ovl-demo-") for name in PLAN.namespaces)
    assert len(set(PLAN.namespaces)) == len(PLAN.namespaces) == 6 + 2 + 3


def test_no_interface_is_used_twice_and_all_names_fit_linux() -> None:
    ends = list(chain.from_iterable((cable.near, cable.far) for cable in cables(PLAN)))
    assert len(set(ends)) == len(ends)
    assert all(len(interface) <= 15 for _, interface in ends)


def test_the_longest_names_still_fit_linux() -> None:
    topology = decode_topology(
        "underlay: ipv4\nsites: [{name: a, ipv4: 10.0.0.0/24, hosts: [host-of-12-x]}]\n"
        "transit: [{name: switch-12-xy, site: a}]\nlinks: [{ends: [host-of-12-x, switch-12-xy]}]"
    )
    plan = make_plan("demo", topology, Path("/run/lab/demo"))
    ends = chain.from_iterable((cable.near, cable.far) for cable in cables(plan))
    assert max(len(interface) for _, interface in ends) == 15


def test_routers_know_the_way_to_each_other_in_both_families() -> None:
    routes = [line for line in router_lines(PLAN, PLAN.routers[0]) if line.startswith("route")]
    assert routes == [
        "route add 10.2.0.0/24 via 172.31.255.2 dev wan0",
        "route add fd02::/64 via fdff:ffff::2 dev wan0",
    ]


def test_links_marked_wan_go_through_the_relay_beside_the_routers() -> None:
    assert [link.name for link in relay_links(PLAN)] == ["wan", "t1-t2"]


def test_a_node_knows_the_interfaces_of_its_links() -> None:
    topology = load_topology("transit")
    assert link_interfaces(topology, "h1") == {"h1-t1": "to-t1"}
    assert link_interfaces(topology, "t1") == {"h1-t1": "to-h1", "h2-t1": "to-h2", "t1-t2": "to-t2"}


def test_every_link_can_be_cut_by_name() -> None:
    names = [link.name for link in links(PLAN)]
    assert {"wan", "t1-t2", "h1-t1", "uplink-h1", "mgmt-t2"} <= set(names)
    assert len(set(names)) == len(names)


def test_a_machine_of_its_own_has_sockets_in_place_of_cables() -> None:
    plan = make_plan("demo", load_topology().with_kernel(["h3"]), Path("/run/lab/demo"))
    h3 = next(node for node in plan.nodes if node.kernel)
    assert h3.name == "h3"
    assert sockets(plan, h3) == (("ovl-demo-site-b", "up-h3"), ("ovl-demo-mgmt", "m-h3"))
    assert not {end for cable in cables(plan) for end in (cable.near, cable.far)} & set(sockets(plan, h3))
    assert node_lines(plan, h3) == ["link set lo up"]
    assert h3.environment == {}
