"""Subnets: gateway, pools, modes."""

from typing import Any

import pytest
from tests.northbound.cloud import Cloud


@pytest.mark.parametrize(
    ("given", "gateway", "pools"),
    [
        ({}, "10.0.0.1", [("10.0.0.2", "10.0.0.254")]),
        ({"gateway_ip": "10.0.0.254"}, "10.0.0.254", [("10.0.0.1", "10.0.0.253")]),
        ({"gateway_ip": "10.0.0.9"}, "10.0.0.9", [("10.0.0.1", "10.0.0.8"), ("10.0.0.10", "10.0.0.254")]),
        ({"gateway_ip": None}, None, [("10.0.0.1", "10.0.0.254")]),
        ({"cidr": "10.0.0.0/31"}, "10.0.0.0", [("10.0.0.1", "10.0.0.1")]),
        (
            {"cidr": "2001:db8::/64", "ip_version": 6},
            "2001:db8::1",
            [("2001:db8::2", "2001:db8::ffff:ffff:ffff:ffff")],
        ),
    ],
)
async def test_given_a_gateway_when_created_then_the_pools_are_the_rest(
    cloud: Cloud, given: dict[str, Any], gateway: str | None, pools: list[tuple[str, str]]
) -> None:
    network = await cloud.create("network")
    body = {"network_id": network["id"], "ip_version": 4, "cidr": "10.0.0.0/24", **given}
    subnet = await cloud.create("subnet", **body)
    assert subnet["gateway_ip"] == gateway
    assert [(each["start"], each["end"]) for each in subnet["allocation_pools"]] == pools


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"cidr": "10.0.0.5/24"}, "HTTPBadRequest"),
        ({"cidr": "2001:db8::/64"}, "InvalidInput"),
        ({"gateway_ip": "10.0.0.255"}, "InvalidInput"),
        ({"gateway_ip": "10.0.1.1"}, "InvalidInput"),
        ({"allocation_pools": [{"start": "10.0.0.9", "end": "10.0.0.2"}]}, "InvalidAllocationPool"),
        ({"allocation_pools": [{"start": "10.0.0.9", "end": "10.0.1.2"}]}, "OutOfBoundsAllocationPool"),
        (
            {"allocation_pools": [{"start": "10.0.0.1", "end": "10.0.0.2"}]},
            "GatewayConflictWithAllocationPools",
        ),
        ({"allocation_pools": [{"start": "10.0.0.4", "end": "10.0.0.6"}] * 2}, "OverlappingAllocationPools"),
        ({"ipv6_ra_mode": "slaac"}, "InvalidInput"),
        ({"cidr": "2001:db8::/80", "ip_version": 6, "ipv6_address_mode": "slaac"}, "InvalidInput"),
        ({"dns_nameservers": ["2001:db8::1"]}, "InvalidInput"),
        ({"subnetpool_id": "x"}, "InvalidInput"),
    ],
)
async def test_given_a_contradiction_when_created_then_it_is_refused(
    cloud: Cloud, given: dict[str, Any], error: str
) -> None:
    network = await cloud.create("network")
    body = {"network_id": network["id"], "ip_version": 4, "cidr": "10.0.0.0/24", **given}
    assert (await cloud.refused("subnet", **body))[1] == error


async def test_given_a_subnet_when_another_overlaps_then_only_in_the_same_network_is_it_refused(
    cloud: Cloud,
) -> None:
    network, _ = await cloud.network()
    body = {"ip_version": 4, "cidr": "10.0.0.128/25"}
    assert await cloud.refused("subnet", network_id=network, **body) == (400, "InvalidInput")
    await cloud.network()


async def test_given_a_subnet_with_a_port_when_deleted_then_it_is_refused(cloud: Cloud) -> None:
    network, subnet = await cloud.network()
    port = await cloud.create("port", network_id=network)
    assert await cloud.refused_delete("subnet", subnet) == (409, "SubnetInUse")
    assert await cloud.refused_update("subnet", subnet, gateway_ip="10.0.0.2") == (
        409,
        "GatewayConflictWithAllocationPools",
    )
    await cloud.delete("port", port["id"])
    await cloud.delete("subnet", subnet)


async def test_given_ports_when_a_slaac_subnet_comes_and_goes_then_so_do_their_addresses(
    cloud: Cloud,
) -> None:
    network, _ = await cloud.network()
    port = await cloud.create("port", network_id=network, mac_address="fa:16:3e:00:00:01")
    modes = {"ipv6_ra_mode": "slaac", "ipv6_address_mode": "slaac"}
    subnet = await cloud.create("subnet", network_id=network, ip_version=6, cidr="2001:db8::/64", **modes)
    addresses = [each["ip_address"] for each in (await cloud.show("port", port["id"]))["fixed_ips"]]
    assert addresses == ["10.0.0.2", "2001:db8::f816:3eff:fe00:1"]
    await cloud.delete("subnet", subnet["id"])
    assert len((await cloud.show("port", port["id"]))["fixed_ips"]) == 1


async def test_given_a_network_when_a_subnet_comes_then_its_revision_rises(cloud: Cloud) -> None:
    network = await cloud.create("network")
    await cloud.create("subnet", network_id=network["id"], ip_version=4, cidr="10.0.0.0/24")
    assert (await cloud.show("network", network["id"]))["revision_number"] > network["revision_number"]
