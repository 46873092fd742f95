"""One private Open vSwitch for all tests of the package: starting it takes most of a second."""

from collections.abc import Iterator

import pytest
from tests.datapath.capture import Taps
from tests.datapath.private_switch import PrivateSwitch, private_switch


@pytest.fixture(scope="session")
def started_switch() -> Iterator[PrivateSwitch]:
    """The switch with dummy ports 1 to 6 and the flow-based VXLAN port 100."""
    with private_switch() as switch:
        for number in range(1, 7):
            switch.add_port(f"p{number}", number)
        switch.add_tunnel_port()
        for host in range(2, 6):
            switch.tunnel_neighbour(f"10.1.0.{host}")
        yield switch


@pytest.fixture
def switch(started_switch: PrivateSwitch) -> PrivateSwitch:
    """The same switch, emptied of flows, groups and meters."""
    started_switch.ofctl("del-flows", "br-int")
    started_switch.ofctl("del-groups", "br-int")
    started_switch.ofctl("del-meters", "br-int")
    started_switch.appctl("dpctl/flush-conntrack")
    return started_switch


@pytest.fixture
def taps(switch: PrivateSwitch) -> Taps:
    """Real frames in and out of the switch's ports 1 to 6."""
    return Taps(switch, {number: f"p{number}" for number in range(1, 7)})
