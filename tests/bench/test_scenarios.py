"""Every scenario that needs simulated hosts only, small: what it finds where no time is measured, and its tables."""

from bench.scenarios import SCENARIOS

from bench import boot_storm, flat_cost, memory, port_ready, report, restart


def test_a_port_reaches_just_the_hosts_of_its_network() -> None:
    found = port_ready.run(hosts=20, per_host=2, samples=2, fan_outs=[2, 20])

    # then so many hosts have acknowledged (it would have ended otherwise), without a refusal, as did the floor's
    assert found["switches"]["errors"] == 0
    assert [each["from_call_ms"]["n"] for each in found["fan_out"].values()] == [2, 2]
    # and the hosts that do not have the port itself are told the same few bytes
    assert found["fan_out"]["2"]["bytes_to_each"] == found["fan_out"]["20"]["bytes_to_each"]


def test_one_change_is_the_same_work_in_a_larger_system_and_after_churn() -> None:
    found = flat_cost.run(10, sizes=[500, 1500], changes=100, samples=4, networks=[20, 60], groups=[10, 30])

    assert found["ports"]["1500"]["work_equal"]
    assert found["ports"]["after churn"]["work_equal"]
    for curve in ("one_network", "one_group"):
        least, most = (each["work"] for each in found[curve].values())
        assert least == most


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
