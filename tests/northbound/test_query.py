"""Lists: filters, fields, order, pages."""

import httpx
import pytest
from tests.northbound.cloud import Cloud, error


@pytest.fixture
async def three(cloud: Cloud) -> Cloud:
    """Networks c, a, b."""
    for name, up in (("c", True), ("a", False), ("b", "true")):
        await cloud.create("network", name=name, admin_state_up=up)
    return cloud


async def test_given_three_networks_when_filtered_then_repetition_means_or(three: Cloud) -> None:
    assert sorted(await three.names("network", "name=a&name=b")) == ["a", "b"]
    assert await three.names("network", "name=a&admin_state_up=True") == []
    assert await three.names("network", "admin_state_up=0") == ["a"]


async def test_given_an_unknown_filter_when_listed_then_it_is_ignored(three: Cloud) -> None:
    assert len(await three.all("network", "colour=blue")) == 3


async def test_given_fields_when_listed_then_only_these_come(three: Cloud) -> None:
    assert await three.all("network", "name=a&fields=name&fields=tenant_id&fields=nothing") == [
        {"name": "a", "tenant_id": "00000000000000000000000000000001"}
    ]


async def test_given_sort_keys_when_listed_then_the_order_is_theirs(three: Cloud) -> None:
    assert await three.names("network", "sort_key=name&sort_dir=asc") == ["a", "b", "c"]
    assert await three.names("network", "sort_key=name&sort_dir=desc") == ["c", "b", "a"]
    query = "sort_key=admin_state_up&sort_key=name&sort_dir=desc&sort_dir=asc"
    assert await three.names("network", query) == ["b", "c", "a"]


@pytest.mark.parametrize(
    "query", ["sort_key=foo", "sort_key=name&sort_dir=up", "limit=-1", "limit=x", "marker=nothing"]
)
async def test_given_an_unusable_order_or_page_when_listed_then_it_is_refused(
    api: httpx.AsyncClient, query: str
) -> None:
    assert error(await api.get(f"/v2.0/networks?{query}"))[0] == 400


async def test_given_pages_of_one_when_links_are_followed_then_both_ways_meet_everything(
    three: Cloud,
) -> None:
    api = three.client
    url: str | None = "/v2.0/networks?limit=1&sort_key=name&sort_dir=asc"
    forward: list[str] = []
    while url:
        body = (await api.get(url)).json()
        forward += [each["name"] for each in body["networks"]]
        links = {each["rel"]: each["href"] for each in body["networks_links"]}
        url = links.get("next")
    assert forward == ["a", "b", "c"]
    backward: list[str] = []
    url = links["previous"]
    while url:
        body = (await api.get(url)).json()
        backward += [each["name"] for each in body["networks"]]
        url = {each["rel"]: each["href"] for each in body["networks_links"]}.get("previous")
    assert backward == ["c", "b", "a"]


async def test_given_a_name_as_id_when_shown_then_it_is_not_found(
    three: Cloud,
) -> None:
    assert error(await three.client.get("/v2.0/networks/a")) == (404, "NetworkNotFound")


async def test_given_ports_when_filtered_by_address_then_subnet_value_and_part_work(cloud: Cloud) -> None:
    network, subnet = await cloud.network()
    await cloud.create("port", network_id=network, name="p2")
    await cloud.create("port", network_id=network, name="p3")
    assert sorted(await cloud.names("port", f"fixed_ips=subnet_id%3D{subnet}")) == ["p2", "p3"]
    assert await cloud.names("port", "fixed_ips=ip_address%3D10.0.0.3") == ["p3"]
    assert await cloud.names("port", "fixed_ips=ip_address_substr%3D0.0.2") == ["p2"]
    either = "fixed_ips=ip_address%3D10.0.0.2&fixed_ips=ip_address%3D10.0.0.3"
    assert sorted(await cloud.names("port", either)) == ["p2", "p3"]
    both = f"fixed_ips=subnet_id%3D{subnet}&fixed_ips=ip_address%3D10.0.0.3"
    assert await cloud.names("port", both) == ["p3"]
    assert await cloud.names("port", f"fixed_ips=subnet_id%3D{network}&fixed_ips=ip_address%3D10.0.0.3") == []
