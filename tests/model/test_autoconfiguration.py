"""The modes of an IPv6 subnet, and who tells hosts what in each."""

from ipaddress import ip_network

import pytest

from overlace.model.autoconfiguration import (
    advertises,
    has_other_configuration,
    is_autonomous,
    is_managed,
    leases_ipv6,
    serves_dhcpv4,
    serves_dhcpv6,
)
from overlace.model.network import Subnet

STATEFUL, STATELESS, SLAAC = "dhcpv6-stateful", "dhcpv6-stateless", "slaac"


def subnet(
    ra_mode: str | None = None, address_mode: str | None = None, *, version: int = 6, dhcp: bool = True
) -> Subnet:
    return Subnet(
        id="s",
        project_id="p",
        network_id="n",
        name="",
        ip_version=version,
        cidr=ip_network("fd00::/64" if version == 6 else "10.0.0.0/24"),
        enable_dhcp=dhcp,
        ipv6_ra_mode=ra_mode,
        ipv6_address_mode=address_mode,
    )


@pytest.mark.parametrize(
    ("ra_mode", "address_mode", "advertised", "leased", "served"),
    [
        (None, None, "", True, True),
        (None, STATEFUL, "", True, True),
        (None, STATELESS, "", False, True),
        (None, SLAAC, "", False, False),
        (STATEFUL, None, "MO", False, False),
        (STATELESS, None, "AO", False, False),
        (SLAAC, None, "A", False, False),
        (STATEFUL, STATEFUL, "MO", True, True),
        (STATELESS, STATELESS, "AO", False, True),
        (SLAAC, SLAAC, "A", False, False),
    ],
)
def test_each_mode_says_who_tells_hosts_what(
    ra_mode: str | None, address_mode: str | None, advertised: str, leased: bool, served: bool
) -> None:
    given = subnet(ra_mode, address_mode)
    assert advertises(given) is (advertised != "")
    assert is_autonomous(given) is ("A" in advertised)
    assert is_managed(given) is ("M" in advertised)
    assert has_other_configuration(given) is ("O" in advertised)
    assert (leases_ipv6(given), serves_dhcpv6(given), serves_dhcpv4(given)) == (leased, served, False)


def test_without_dhcp_nobody_tells_anything() -> None:
    for version in (4, 6):
        off = subnet(version=version, dhcp=False)
        assert not any(ask(off) for ask in (advertises, leases_ipv6, serves_dhcpv6, serves_dhcpv4))


def test_a_subnet_of_ipv4_has_dhcp_of_ipv4_alone() -> None:
    of_ipv4 = subnet(version=4)
    assert (serves_dhcpv4(of_ipv4), serves_dhcpv6(of_ipv4), advertises(of_ipv4)) == (True, False, False)
