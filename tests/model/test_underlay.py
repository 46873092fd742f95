"""What the underlay leaves for networks."""

from ipaddress import ip_address

import pytest

from overlace.model.carriage import HOP_BY_HOP, VXLAN
from overlace.model.site import Host, Site, TunnelEndpoint
from overlace.model.underlay import Room, room


def host(*addresses: str) -> Host:
    return Host(id="h", site_id="a", endpoints=tuple(TunnelEndpoint(ip_address(each)) for each in addresses))


@pytest.mark.parametrize(
    ("addresses", "mtu"),
    [(["192.0.2.1"], 1450), (["2001:db8::1"], 1430), (["192.0.2.1", "2001:db8::1"], 1430), ([], 1450)],
    ids=["ipv4", "ipv6", "dual", "unknown"],
)
def test_the_header_of_the_underlays_family_counts(addresses: list[str], mtu: int) -> None:
    assert room([Site(id="a", mtu=1500)], [host(*addresses)], [VXLAN], 9000).mtu == mtu


def test_the_narrowest_site_counts_and_is_named() -> None:
    sites = [Site(id="a", mtu=9000), Site(id="b", mtu=1550), Site(id="c", mtu=1600)]
    because = "site b carries packets of 1550 bytes, of which vxlan over IPv4 takes 50"
    assert room(sites, [host("192.0.2.1")], [VXLAN], 9000) == Room(1500, because)


def test_the_dearest_technology_counts() -> None:
    assert room([], [], [HOP_BY_HOP, VXLAN], 1500) == room([], [], [VXLAN], 1500)


def test_without_sites_and_technologies_the_default_counts() -> None:
    assert room([], [], [], 1500) == Room(1500, "the underlay carries packets of 1500 bytes")
