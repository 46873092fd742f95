"""The comparison of datapaths on real switches, small: that it measures what it says."""

import os

import pytest
from bench.datapath import COMPARED, measure
from bench.pipelines import OVERLACE, OVERLACE_OPEN, OVN_STATEFUL, PIPELINES, PLAIN, PLAIN_AGAIN


@pytest.mark.lab
def test_each_way_carries_its_stream_and_shows_its_shape() -> None:
    # when every way has had one turn
    figures = measure(samples=1, rounds=1, seconds=0.1, rate=10_000, name=f"t{os.getpid()}dp")

    # then the packets of each have arrived, and cost something
    for pipeline in PIPELINES:
        assert figures[pipeline.name]["arrived"] > 0.5
        assert figures[pipeline.name]["tcp_mbits"]["p50"] > 0
    # and the datagrams of a burst were met together, by either switch
    assert all(figures[each.name]["packets_a_waking"]["p50"] > 16 for each in PIPELINES)
    # and an established packet is looked up less often than in OVN, and tracked once in each switch
    shape = {each.name: figures[each.name]["lookups_established"] for each in PIPELINES}
    assert shape[PLAIN.name] < shape[OVERLACE_OPEN.name] < shape[OVERLACE.name] < shape[OVN_STATEFUL.name]
    assert figures[OVERLACE_OPEN.name]["recirculations_established"] == 0
    assert figures[OVERLACE.name]["recirculations_established"] == 1
    # and without tracking there are no more megaflows than on a plain bridge
    assert figures[OVERLACE_OPEN.name]["megaflows"] == figures[PLAIN.name]["megaflows"]
    assert figures[PLAIN_AGAIN.name]["megaflows"] == figures[PLAIN.name]["megaflows"]
    # and each two are compared, in bursts, one by one, and unordered
    for ratios in ("cpu_ratios", "cpu_ratios_alone", "cpu_ratios_unordered"):
        assert len(figures[ratios]) == len(COMPARED)
