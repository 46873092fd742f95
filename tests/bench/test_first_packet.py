"""The first packet beside OVN, small: ports of other tenants are there, and each new port is reached."""

import os

import pytest
from bench.first_packet import run


@pytest.mark.lab
def test_every_new_port_is_reached_among_the_ports_of_a_tenant() -> None:
    results = run([0, 500], samples=2, name=f"t{os.getpid()}fp", routers=True)

    assert list(results) == [0, 500]
    for taken in results.values():
        assert {name: len(samples) for name, samples in taken.items()} == {"overlace": 2, "ovn": 2}
        assert min(min(samples) for samples in taken.values()) > 0
