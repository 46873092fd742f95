"""What comes and goes leaves nothing behind: not in what is kept of units, nor of flows, switches or ports."""

from bench.memory_parts import Switches, Walk
from tests.compiler.worlds import WorldBuilder

from overlace.compiler.plan import PlanChange
from overlace.engine.engine import Engine
from overlace.kit.revision import Revision
from overlace.model.network import Network, Segment, Subnet
from overlace.model.policy import Direction, SecurityGroup, SecurityGroupRule
from overlace.model.port import Binding, Port
from overlace.model.snapshot import Change, Snapshot

HOSTS = ("h1", "h2", "h3")
LIMIT = 3500
"""Bytes a port: 3,040 were counted, and 4,600 before units and fragments had one name and read unnoted."""


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
    # when many more do (each is sixteen changes of objects)
    for _ in range(640):
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


class Away:
    """Switches that have not connected."""

    def publish(self, change: PlanChange, _: Revision) -> None:
        """Nothing is sent."""

    def durable(self, revision: Revision) -> None:
        """Nothing waits for it."""


def bytes_of(ports: int) -> int:
    """What an engine keeps with so many, fifty to a network and host, before any interface is plugged."""
    world = WorldBuilder()
    world.hosts(*(f"host{number}" for number in range(10)))
    for number in range(ports):
        network, group, host = (f"{kind}{number // 50}" for kind in ("network", "group", "host"))
        if number % 50 == 0:
            world.network(network, 1 + number // 50)
            world.group(group, 1 + number // 50)
        key = 1000 + number
        world.bind(world.port(f"{number:036}", key, network, number % 50, group, mac=key), host, None)
    return Walk().size([Engine(world.snapshot, Away(), lambda _: None)])[0]


def test_a_port_takes_a_few_kilobytes() -> None:
    assert (bytes_of(300) - bytes_of(100)) / 200 < LIMIT
