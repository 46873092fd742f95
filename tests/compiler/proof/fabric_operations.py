"""What becomes of a fabric of transit switches: they come and go, are cabled, and their ports lose the carrier."""

from dataclasses import replace

from immutables import Map
from tests.compiler.proof.choice import Choice
from tests.compiler.proof.cloud import HOSTS, Cloud
from tests.compiler.proof.operations import Operation

from overlace.compiler.reader import fabric_ports_key
from overlace.model.site import Host, Link, TransitSwitch

_SWITCHES = ("t1", "t2", "t3")
_UPLINK = "fab"


def transit_switch_comes(cloud: Cloud, choice: Choice) -> None:
    name = choice.one_of(_SWITCHES)
    if cloud.world.snapshot.get(TransitSwitch, name) is None:
        number = 100 + _SWITCHES.index(name)
        cloud.world.put(TransitSwitch(id=name, site_id="site-a", datapath_id=number))


def transit_switch_goes(cloud: Cloud, choice: Choice) -> None:
    """Its cables stay where they are: they lead to nobody."""
    name = choice.one_of(_SWITCHES)
    if cloud.world.snapshot.get(TransitSwitch, name) is not None:
        cloud.world.delete(TransitSwitch, name)


def cable_is_laid(cloud: Cloud, choice: Choice) -> None:
    """A new one, or one that costs otherwise now."""
    one, other = choice.one_of((*_SWITCHES, *HOSTS)), choice.one_of(_SWITCHES)
    if one != other:
        cloud.world.put(
            Link(
                a_node=one,
                a_interface=_towards(one, other),
                b_node=other,
                b_interface=_towards(other, one),
                cost=choice.one_of((1, 1, 2, 5)),
            )
        )


def cable_is_taken_away(cloud: Cloud, choice: Choice) -> None:
    links = sorted(each.id for each in cloud.world.snapshot.all(Link))
    if links:
        cloud.world.delete(Link, choice.one_of(links))


def node_tells_its_ports(cloud: Cloud, choice: Choice) -> None:
    """Some have a carrier, the others have lost it."""
    node = choice.one_of((*_SWITCHES, *HOSTS))
    others = [other for other in (*_SWITCHES, *HOSTS) if other != node]
    names = [_towards(node, other) for other in choice.some_of(others, 6)]
    ports = Map({name: 1000 + number for number, name in enumerate(sorted(names))})
    cloud.world.observations = cloud.world.observations.with_fabric_ports(node, ports)
    cloud.world.dirty.add(fabric_ports_key(node))


def host_is_given_an_uplink(cloud: Cloud, choice: Choice) -> None:
    host = cloud.world.snapshot.get(Host, choice.one_of(HOSTS))
    if host is not None:
        cloud.world.put(replace(host, fabric_interface=choice.one_of((_UPLINK, _UPLINK, ""))))


def _towards(node: str, other: str) -> str:
    """A host has one interface into the fabric, a transit switch one for each node."""
    return _UPLINK if node in HOSTS else f"to-{other}"


FABRIC_OPERATIONS: tuple[Operation, ...] = (
    transit_switch_comes,
    transit_switch_goes,
    cable_is_laid,
    cable_is_taken_away,
    node_tells_its_ports,
    host_is_given_an_uplink,
)
