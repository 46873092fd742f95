"""A port with stateless groups only has each packet judged by its own rules, whatever others have tracked."""

from ipaddress import ip_address

import pytest
from tests.compiler.proof.cloud import Cloud

from overlace.datapath.interpreter import build, deliver
from overlace.model.policy import Direction, EtherType, SecurityGroup

PREFIXES = {EtherType.IPV4: "192.168.0.", EtherType.IPV6: "fd00::"}


@pytest.fixture
def cloud() -> Cloud:
    """On one host: p11, whose group is stateful and permits everything, and p12, whose stateless group lets it send."""
    built = Cloud()
    built.join("h1", 1)
    built.world.network("n", 1)
    built.world.group("stateful", 1)
    built.world.permit_everything("stateful")
    stateless = SecurityGroup(id="stateless", project_id="project", name="stateless", key=2, stateful=False)
    built.world.put(stateless)
    for number, family in enumerate(EtherType):
        built.world.permit("stateless", number, Direction.EGRESS, ethertype=family)
    for octet, group in ((11, "stateful"), (12, "stateless")):
        port = built.world.port(f"p{octet}", octet, "n", octet, group)
        built.world.bind(port, "h1", built.plug(port, "h1"))
    built.compile()
    return built


def hears(cloud: Cloud, family: EtherType, sender: int, receiver: int) -> bool:
    """What is sent between the same two UDP ports, in whichever direction."""
    place = next(place for place, each in cloud.plugged.items() if each.port_id == f"p{sender}")
    mac = 0x020000000000
    addresses = [
        ip_address(f"{PREFIXES[family]}{f'{n:x}' if family is EtherType.IPV6 else n}")
        for n in (sender, receiver)
    ]
    packet = build.udp(
        (mac | sender, mac | receiver), (addresses[0], addresses[1]), (1000 + sender, 1000 + receiver)
    )
    reached = deliver(cloud.switches.network, *place, packet)
    return [cloud.plugged[each.switch, each.port].port_id for each in reached] == [f"p{receiver}"]


@pytest.mark.parametrize("family", EtherType)
def test_given_it_has_asked_when_a_tracked_port_replies_then_nothing_comes(
    cloud: Cloud, family: EtherType
) -> None:
    assert hears(cloud, family, 12, 11)
    assert not hears(cloud, family, 11, 12)


@pytest.mark.parametrize("family", EtherType)
def test_given_a_rule_of_its_own_when_a_tracked_port_replies_then_it_hears(
    cloud: Cloud, family: EtherType
) -> None:
    cloud.world.permit("stateless", 9, Direction.INGRESS, ethertype=family)
    cloud.compile()
    assert hears(cloud, family, 12, 11)
    assert hears(cloud, family, 11, 12)
