"""Subnets of both versions, and how many addresses are left."""

from tools.openstack_client.command import Chapter, changes, lists, makes, refuses, removes, shows

SUBNETS = Chapter(
    "Subnets",
    [
        makes("network create red"),
        makes(
            "subnet create --network red --subnet-range 10.0.0.0/24 v4",
            cidr="10.0.0.0/24",
            gateway_ip="10.0.0.1",
            enable_dhcp=True,
            ip_version=4,
        ),
        makes(
            "subnet create --network red --ip-version 6 --subnet-range fd00::/64 v6",
            gateway_ip="fd00::1",
            ip_version=6,
        ),
        makes(
            "subnet create --network red --ip-version 6 --ipv6-ra-mode slaac --ipv6-address-mode slaac "
            "--subnet-range fd01::/64 slaac",
            ipv6_address_mode="slaac",
        ),
        makes(
            "subnet create --network red --ip-version 6 --ipv6-ra-mode dhcpv6-stateful --ipv6-address-mode "
            "dhcpv6-stateful --subnet-range fd02::/64 stateful",
            ipv6_ra_mode="dhcpv6-stateful",
        ),
        makes(
            "subnet create --network red --subnet-range 10.1.0.0/24 --no-dhcp --gateway none bare",
            enable_dhcp=False,
            gateway_ip=None,
        ),
        makes(
            "subnet create --network red --subnet-range 10.2.0.0/24 --gateway 10.2.0.254 --allocation-pool "
            "start=10.2.0.10,end=10.2.0.19 --dns-nameserver 192.0.2.53 --host-route "
            "destination=10.9.0.0/16,gateway=10.2.0.9 full",
            allocation_pools=[{"start": "10.2.0.10", "end": "10.2.0.19"}],
            dns_nameservers=["192.0.2.53"],
            host_routes=[{"destination": "10.9.0.0/16", "nexthop": "10.2.0.9"}],
            gateway_ip="10.2.0.254",
        ),
        makes(
            "subnet create --network red --ip-version 6 --subnet-range fd03::/64 --allocation-pool "
            "start=fd03::10,end=fd03::1f --dns-nameserver 2001:db8::53 --host-route "
            "destination=2001:db8:9::/48,gateway=fd03::9 full6",
            dns_nameservers=["2001:db8::53"],
        ),
        lists("subnet list", "bare", "full", "full6", "slaac", "stateful", "v4", "v6"),
        lists("subnet list --long --network red --ip-version 4", "bare", "full", "v4"),
        lists("subnet list --no-dhcp", "bare"),
        lists("subnet list --gateway 10.2.0.254", "full"),
        lists("subnet list --subnet-range fd01::/64", "slaac"),
        lists("subnet list --name v4 --project admin", "v4"),
        shows("subnet show v6", cidr="fd00::/64"),
        changes("subnet set --name four --description first v4", "subnet show four", description="first"),
        changes("subnet set --no-dhcp four", enable_dhcp=False),
        changes("subnet set --dhcp four", enable_dhcp=True),
        refuses(
            "subnet set --gateway 10.0.0.254 four",
            "Gateway ip 10.0.0.254 conflicts with allocation pool 10.0.0.2-10.0.0.254.",
        ),
        changes("subnet set --gateway none four", gateway_ip=None),
        changes("subnet set --gateway 10.0.0.1 four", gateway_ip="10.0.0.1"),
        changes(
            "subnet set --dns-nameserver 192.0.2.1 --dns-nameserver 192.0.2.2 four",
            dns_nameservers=["192.0.2.1", "192.0.2.2"],
        ),
        changes(
            "subnet set --no-dns-nameservers --dns-nameserver 192.0.2.3 four", dns_nameservers=["192.0.2.3"]
        ),
        changes("subnet unset --dns-nameserver 192.0.2.3 four", dns_nameservers=[]),
        changes(
            "subnet set --host-route destination=10.8.0.0/16,gateway=10.0.0.8 four",
            host_routes=[{"destination": "10.8.0.0/16", "nexthop": "10.0.0.8"}],
        ),
        changes("subnet unset --host-route destination=10.8.0.0/16,gateway=10.0.0.8 four", host_routes=[]),
        changes("subnet set --no-host-route full", host_routes=[]),
        changes(
            "subnet set --no-allocation-pool --allocation-pool start=10.0.0.50,end=10.0.0.59 four",
            allocation_pools=[{"start": "10.0.0.50", "end": "10.0.0.59"}],
        ),
        changes(
            "subnet set --allocation-pool start=10.0.0.70,end=10.0.0.79 four",
            allocation_pools=[
                {"start": "10.0.0.70", "end": "10.0.0.79"},
                {"start": "10.0.0.50", "end": "10.0.0.59"},
            ],
        ),
        changes(
            "subnet unset --allocation-pool start=10.0.0.70,end=10.0.0.79 four",
            allocation_pools=[{"start": "10.0.0.50", "end": "10.0.0.59"}],
        ),
        changes("subnet unset --gateway full", gateway_ip=None),
        refuses(
            "subnet create --network red --subnet-range 10.0.0.0/25 again", "overlaps with another subnet"
        ),
        refuses(
            "subnet create --network red --subnet-range 10.7.0.0/33 wide",
            "Invalid input for cidr. Reason: '10.7.0.0/33' is not a valid IP subnet.",
        ),
        refuses(
            "subnet create --network red --ip-version 6 --subnet-range 10.7.0.0/24 mixed",
            "ip_version '6' does not match the version of cidr '10.7.0.0/24'",
        ),
        refuses(
            "subnet create --network red --subnet-range 10.7.0.0/24 --gateway 10.8.0.1 astray",
            "Gateway is not valid on subnet.",
        ),
        refuses(
            "subnet create --network red --subnet-range 10.7.0.0/24 --allocation-pool "
            "start=10.8.0.1,end=10.8.0.9 astray",
            "The allocation pool 10.8.0.1-10.8.0.9 spans beyond the subnet cidr 10.7.0.0/24.",
        ),
        refuses("subnet create --network red --subnet-pool pool pooled", "The resource could not be found."),
        refuses(
            "subnet create --network red --use-default-subnet-pool --ip-version 4 pooled",
            "Subnet pools are not supported.",
        ),
        refuses(
            "subnet create --network red --subnet-range 10.7.0.0/24 --service-type compute:nova typed",
            "Unrecognized attribute(s) 'service_types'",
        ),
        refuses(
            "subnet create --network nothing --subnet-range 10.7.0.0/24 lost", "No Network found for nothing"
        ),
        refuses(
            "subnet set --allocation-pool start=10.0.0.55,end=10.0.0.65 four",
            "Found overlapping allocation pools: 10.0.0.50-10.0.0.59 10.0.0.55-10.0.0.65",
        ),
        refuses(
            "subnet create --network red --subnet-range 10.7.0.0/24 --dns-publish-fixed-ip named",
            "Unrecognized attribute(s) 'dns_publish_fixed_ip'",
        ),
        refuses(
            "subnet create --network red --subnet-range 10.7.0.0/24 --network-segment one placed",
            "No Segment found for one",
        ),
        makes("port create --network red --fixed-ip subnet=four held"),
        refuses("subnet delete four", "One or more ports have an IP allocation from this subnet"),
        removes("port delete held"),
        removes("subnet delete four v6 slaac stateful bare full full6"),
        removes("network delete red"),
    ],
)

AVAILABILITY = Chapter(
    "Addresses in use",
    [
        makes("network create red"),
        makes("subnet create --network red --subnet-range 10.0.0.0/28 v4"),
        makes("port create --network red web"),
        lists("ip availability list", "red", column="Network Name"),
        lists("ip availability list --ip-version 6", column="Network Name"),
        lists("ip availability list --project admin", "red", column="Network Name"),
        shows("ip availability show red", total_ips=13, used_ips=1),
        removes("port delete web"),
        removes("network delete red"),
    ],
)
