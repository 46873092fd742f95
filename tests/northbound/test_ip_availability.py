"""Addresses counted: of pools, taken by ports, by version, and however many IPv6 has."""

from typing import Any

from tests.northbound.auth.test_identity import Cluster, cluster  # noqa: F401 - a fixture
from tests.northbound.cloud import Cloud

PATH = "/v2.0/network-ip-availabilities"


async def availabilities(cloud: Cloud, query: str = "") -> list[dict[str, Any]]:
    """The list."""
    answer = await cloud.client.get(f"{PATH}?{query}")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["network_ip_availabilities"]
    return found


async def test_given_a_port_when_counted_then_its_address_is_taken(cloud: Cloud) -> None:
    network, subnet = await cloud.network("10.0.0.0/28", name="red", project_id="p1")
    await cloud.create("port", network_id=network)
    answer = await cloud.client.get(f"{PATH}/{network}")
    shown = answer.json()["network_ip_availability"]
    assert (shown["network_name"], shown["project_id"], shown["tenant_id"]) == ("red", "p1", "p1")
    assert (shown["total_ips"], shown["used_ips"]) == (13, 1)  # 16 less network, broadcast and gateway
    (one,) = shown["subnet_ip_availability"]
    assert one == {
        "subnet_id": subnet,
        "subnet_name": "",
        "cidr": "10.0.0.0/28",
        "ip_version": 4,
        "total_ips": 13,
        "used_ips": 1,
    }


async def test_given_a_network_without_subnets_when_counted_then_it_has_no_addresses(cloud: Cloud) -> None:
    await cloud.create("network", name="bare")
    (shown,) = await availabilities(cloud)
    assert (shown["total_ips"], shown["used_ips"], shown["subnet_ip_availability"]) == (0, 0, [])


async def test_given_a_wide_ipv6_subnet_when_counted_then_the_number_is_whole(cloud: Cloud) -> None:
    network, _ = await cloud.network()
    await cloud.create("subnet", network_id=network, ip_version=6, cidr="fd00::/48")
    (six,) = await availabilities(cloud, "ip_version=6")
    assert six["total_ips"] == 2**80 - 2
    (four,) = await availabilities(cloud, "ip_version=4")
    assert four["total_ips"] == 253


async def test_given_filters_when_listed_then_any_of_the_values_may_match(cloud: Cloud) -> None:
    for name in ("red", "blue", "green"):
        await cloud.create("network", name=name, project_id=f"p-{name}")
    found = await availabilities(cloud, "network_name=red&network_name=blue")
    assert {each["network_name"] for each in found} == {"red", "blue"}
    assert [each["network_name"] for each in await availabilities(cloud, "project_id=p-green")] == ["green"]


async def test_given_no_such_network_when_shown_then_not_found(cloud: Cloud) -> None:
    answer = await cloud.client.get(f"{PATH}/none")
    assert (answer.status_code, answer.json()["NeutronError"]["type"]) == (404, "NetworkNotFound")


async def test_given_no_administrator_when_listed_then_nothing_is_told(cluster: Cluster) -> None:  # noqa: F811
    alice = await cluster.logged_in("alice", "blue")
    network = (await alice.post("/v2.0/networks", json={"network": {}})).json()["network"]
    assert (await alice.get(PATH)).json() == {"network_ip_availabilities": []}
    assert (await alice.get(f"{PATH}/{network['id']}")).status_code == 404
