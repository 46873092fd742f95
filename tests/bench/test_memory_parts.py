"""What comes and goes leaves nothing behind: not in what is kept of units, nor of flows, switches or ports."""

from bench.memory_parts import Switches, Walk
from tests.compiler.worlds import WorldBuilder

from overlace.engine.engine import Engine
from overlace.model.network import Network, Segment, Subnet
from overlace.model.policy import Direction, SecurityGroup, SecurityGroupRule
from overlace.model.port import Binding, Port
from overlace.model.snapshot import Change, Snapshot

HOSTS = ("h1", "h2", "h3")


class Cloud:
    """An engine over a world in which ports come and go; switches hold and acknowledge everything at once."""

    def __init__(self) -> None:
        world = WorldBuilder()
        world.hosts(*HOSTS)
        self.snapshot = world.snapshot
        self.switches = Switches()
        self.engine = Engine(self.snapshot, self.switches, lambda _: None)
        self._keys = 0

    def port_comes_and_goes(self) -> None:
        """With a network, a group whose members it admits, and an interface, all of its own; and each of these steps
        is seen by the switches."""
        self._keys += 1
        number = self._keys
        network, group, port = f"n{number}", f"g{number}", f"p{number}"
        world = WorldBuilder(self.snapshot)
        world.network(network, number)
        world.group(group, number)
        world.permit(group, 1, Direction.INGRESS, remote_group_id=group)
        made = world.port(port, number, network, 7, group)
        host = HOSTS[number % len(HOSTS)]
        world.bind(made, host, None)
        self._commit(world.snapshot)
        self.engine.observed_ofport((host, port), number % 50)
        self._turn()
        self.engine.observed_ofport((host, port), None)
        for cls, key in (
            (Binding, f"{port}@{host}"),
            (Port, port),
            (SecurityGroupRule, f"{group}-rule-1"),
            (SecurityGroup, group),
            (Subnet, f"subnet-{network}"),
            (Segment, f"segment-{network}"),
            (Network, network),
        ):
            world.delete(cls, key)
        self._commit(world.snapshot)

    def _commit(self, after: Snapshot) -> None:
        before, self.snapshot = self.snapshot, after
        changes = [
            Change(cls, key, then, now)
            for cls in {*before.tables, *after.tables}
            for key in {*before.tables.get(cls, ()), *after.tables.get(cls, ())}
            if (then := before.get(cls, key)) is not (now := after.get(cls, key))
        ]
        self.engine.accepted(after, changes)
        self._turn()
        self.engine.committed(after, changes)
        self._turn()

    def _turn(self) -> None:
        self.engine.turn()
        for name in HOSTS:
            self.engine.acknowledged(name, self.engine.realisation.switches[name].published)

    def objects(self) -> dict[str, int]:
        """How many there are of each kind in all that is kept; of integers, larger ones are objects of their own."""
        _, kinds = Walk().size([self.engine, self.switches])
        return {kind: count for kind, (count, _) in kinds.items() if kind != "int"}


def test_ten_thousand_changes_leave_no_object_behind() -> None:
    # given a cloud that has seen some ports come and go
    cloud = Cloud()
    for _ in range(100):
        cloud.port_comes_and_goes()
    before = cloud.objects()
    # when ten times as many do (each is sixteen changes of objects)
    for _ in range(1000):
        cloud.port_comes_and_goes()
    # then there are as many objects of every kind as before
    assert cloud.objects() == before


def test_a_port_that_stays_is_seen() -> None:
    # given the count of a cloud
    cloud = Cloud()
    cloud.port_comes_and_goes()
    before = cloud.objects()
    # when a port comes and stays
    world = WorldBuilder(cloud.snapshot)
    world.network("n", 1)
    world.bind(world.port("p", 1, "n", 7), "h1", None)
    cloud._commit(world.snapshot)
    # then the count tells
    assert cloud.objects()["Port"] == before.get("Port", 0) + 1
    assert cloud.objects()["_Memo"] > before["_Memo"]
