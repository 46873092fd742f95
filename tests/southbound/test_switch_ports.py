"""Transit switches tell their ports over OpenFlow, for they have no database."""

from tests.southbound.fake_switch import FakeSwitch
from tests.southbound.harness import controller, eventually

from overlace.southbound.expected import ExpectedSwitch, SwitchKind
from overlace.southbound.switch_ports import SwitchPorts
from overlace.wire.openflow.messages import PortDescription


async def test_a_transit_switch_tells_its_ports_and_what_becomes_of_them() -> None:
    async with controller() as running:
        running.hub.set_expected({"t1": ExpectedSwitch(SwitchKind.TRANSIT, "", 1)})
        told = running.record.ports
        # given a switch with two ports, one of them without a carrier
        switch = FakeSwitch(1)
        switch.set_port(1, "to-h1", carrier=True)
        switch.set_port(2, "to-t2", carrier=False)
        await switch.connect(running.openflow_port)
        await eventually(lambda: told.get("t1") == {"to-h1": 1})
        # when the carrier comes, then the port is told
        switch.set_port(2, "to-t2", carrier=True)
        await eventually(lambda: told["t1"] == {"to-h1": 1, "to-t2": 2})
        # when a port is added and another goes, then that is told too
        switch.set_port(3, "to-t3", carrier=True)
        switch.remove_port(1)
        await eventually(lambda: told["t1"] == {"to-t2": 2, "to-t3": 3})
        # when it was away while a carrier went, then it tells anew
        switch.disconnect()
        await eventually(lambda: ("t1", False) in running.record.connections)
        assert told["t1"] == {"to-t2": 2, "to-t3": 3}
        switch.set_port(2, "to-t2", carrier=False)
        await switch.connect(running.openflow_port)
        await eventually(lambda: told["t1"] == {"to-t3": 3})
        switch.disconnect()


def test_reserved_ports_and_ports_taken_down_do_not_count() -> None:
    local = PortDescription(0xFFFFFFFE, "br-transit", 1, 0, 0)
    taken_down = PortDescription(4, "to-h4", 1, 1, 0)
    assert SwitchPorts([local, taken_down, PortDescription(5, "to-h5", 1, 0, 4)]).with_carrier() == {
        "to-h5": 5
    }
