"""Who tells hosts their configuration in a subnet, by its modes (networking API v2.0, "IPv6 address modes").

    ipv6_ra_mode   ipv6_address_mode   the network advertises   addresses come by   parameters come by
    ------------   -----------------   ----------------------   -----------------   ------------------
    none           none                nothing                  DHCPv6              DHCPv6
    none           any                 nothing                  as below            as below
    stateful       none or stateful    M, O                     DHCPv6              DHCPv6
    stateless      none or stateless   O, autonomous            the host itself     DHCPv6
    slaac          none or slaac       autonomous               the host itself     the advertisement

Where only the advertisement's mode is given, addresses are somebody else's business, and DHCPv6 is silent.
"""

from overlace.model.network import Subnet

_STATEFUL, _STATELESS, _SLAAC = "dhcpv6-stateful", "dhcpv6-stateless", "slaac"


def serves_dhcpv4(subnet: Subnet) -> bool:
    """Whether DHCP for IPv4 is answered."""
    return subnet.ip_version == 4 and subnet.enable_dhcp


def leases_ipv6(subnet: Subnet) -> bool:
    """Whether DHCPv6 gives addresses."""
    modes = (subnet.ipv6_ra_mode, subnet.ipv6_address_mode)
    return (
        subnet.ip_version == 6
        and subnet.enable_dhcp
        and (subnet.ipv6_address_mode == _STATEFUL or modes == (None, None))
    )


def serves_dhcpv6(subnet: Subnet) -> bool:
    """Whether DHCPv6 is answered: with addresses and parameters, or with parameters only."""
    return leases_ipv6(subnet) or (subnet.enable_dhcp and subnet.ipv6_address_mode == _STATELESS)


def advertises(subnet: Subnet) -> bool:
    """Whether hosts that solicit a router are told about the subnet."""
    return subnet.enable_dhcp and subnet.ipv6_ra_mode is not None


def is_autonomous(subnet: Subnet) -> bool:
    """Whether hosts are told to make their addresses themselves."""
    return subnet.ipv6_ra_mode in (_SLAAC, _STATELESS)


def is_managed(subnet: Subnet) -> bool:
    """Whether hosts are told to get their addresses by DHCPv6."""
    return subnet.ipv6_ra_mode == _STATEFUL


def has_other_configuration(subnet: Subnet) -> bool:
    """Whether hosts are told to ask DHCPv6 for all that is not an address."""
    return subnet.ipv6_ra_mode in (_STATEFUL, _STATELESS)
