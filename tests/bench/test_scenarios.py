"""Every scenario that needs simulated hosts only, small: what it finds where no time is measured, and its tables."""

from bench.scenarios import SCENARIOS
from bench.simulated_cloud import simulated_cloud

from bench import boot_storm, flat_cost, memory, port_ready, report, restart


def test_a_port_reaches_just_the_hosts_of_its_network() -> None:
    found = port_ready.run(hosts=20, per_host=2, samples=2, fan_outs=[2, 20])

    # then so many hosts have acknowledged (it would have ended otherwise), without a refusal, as did the floor's
    assert found["switches"]["errors"] == 0
    assert [each["from_call_ms"]["n"] for each in found["fan_out"].values()] == [2, 2]
    # and the hosts that do not have the port itself are told the same few bytes
    assert found["fan_out"]["2"]["bytes_to_each"] == found["fan_out"]["20"]["bytes_to_each"]


def test_one_change_is_the_same_work_in_a_larger_system_and_after_churn() -> None:
    found = flat_cost.run(10, sizes=[500, 1000], changes=100, samples=3, networks=[20, 60], groups=[10, 30])

    assert found["ports"]["1000"]["work_equal"]
    assert found["ports"]["after churn"]["work_equal"]
    for curve in ("one_network", "one_group"):
        least, most = (each["work"] for each in found[curve].values())
        # the list of a network's ports on one host is one flow, and is sent anew
        assert {**least, "bytes_bundled": 0, "bytes_sent": 0} == {**most, "bytes_bundled": 0, "bytes_sent": 0}
        grown = most["bytes_sent"] - least["bytes_sent"]
        assert grown == most["bytes_bundled"] - least["bytes_bundled"] <= 40 * 6


def test_one_change_is_the_same_work_among_ten_hosts_and_a_hundred() -> None:
    # given a network on ten hosts, among a hundred ports of ten hosts, and a thousand of a hundred
    def work(hosts: int) -> flat_cost.Work:
        with simulated_cloud(hosts, "--audit-interval", "3600") as cloud:
            cloud.fill_tenants(0, hosts // 10, per_host=10)
            place = flat_cost.Place(cloud, *port_ready.spread(cloud, 10, "measured"))
            return flat_cost.cost(place, samples=3).work

    few, many = work(10), work(100)
    # then a port more is the same rows, units, fragments, switches, flows, bytes and bundles
    assert few == many
    assert (few.switches_changed, few.bundles) == (10, 10)


def test_a_controller_that_returns_repairs_what_was_tampered_with_and_no_more() -> None:
    found = restart.run(ports=500, hosts=10, refills=1)

    assert found["restart"]["repaired"] == 3
    assert found["restart"]["flow_mods_written"] == 6  # each of the three switches gets its marker anew
    assert found["refill"]["bundles"]["p50"] == 1


def test_a_storm_ends_with_every_port_in_the_switches() -> None:
    found = boot_storm.run(ports=40, clients=4, hosts=10, rounds=1)

    assert found["request_ms"]["n"] == 40


def test_a_slope_is_that_of_the_line_through_all_sizes() -> None:
    assert memory.slope({10: 1_000, 20: 2_000, 30: 3_000}) == 100


def test_each_scenario_has_a_table() -> None:
    assert report.SECTIONS.keys() == SCENARIOS.keys()
