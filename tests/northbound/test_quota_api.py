"""Limits of projects."""

import httpx
from tests.northbound.cloud import Cloud, error

OWN = "00000000000000000000000000000001"


async def test_given_a_limit_when_reached_then_one_more_is_refused(
    cloud: Cloud, api: httpx.AsyncClient
) -> None:
    await cloud.create("network")
    answer = await api.put(f"/v2.0/quotas/{OWN}", json={"quota": {"network": "2"}})
    assert answer.json()["quota"]["network"] == 2
    await cloud.create("network")
    assert await cloud.refused("network") == (409, "OverQuota")
    details = (await api.get(f"/v2.0/quotas/{OWN}/details.json")).json()["quota"]
    assert details["network"] == {"limit": 2, "used": 2, "reserved": 0}
    assert [each["project_id"] for each in (await api.get("/v2.0/quotas")).json()["quotas"]] == [OWN]
    assert (await api.delete(f"/v2.0/quotas/{OWN}")).status_code == 204
    await cloud.create("network")


async def test_given_a_bulk_beyond_the_limit_when_sent_then_nothing_of_it_is_made(
    cloud: Cloud, api: httpx.AsyncClient
) -> None:
    await api.put(f"/v2.0/quotas/{OWN}", json={"quota": {"network": 1}})
    assert error(await api.post("/v2.0/networks", json={"networks": [{}, {}]})) == (409, "OverQuota")
    assert await cloud.all("network") == []


async def test_given_use_when_a_checked_limit_is_below_it_then_it_is_refused(
    cloud: Cloud, api: httpx.AsyncClient
) -> None:
    await cloud.create("network")
    body = {"quota": {"network": 0, "check_limit": True}}
    assert error(await api.put(f"/v2.0/quotas/{OWN}", json=body)) == (400, "QuotaLimitTooLow")


async def test_given_the_defaults_when_asked_then_they_and_the_project_are_told(
    api: httpx.AsyncClient,
) -> None:
    default = (await api.get(f"/v2.0/quotas/{OWN}/default")).json()["quota"]
    assert (await api.get(f"/v2.0/quotas/{OWN}")).json()["quota"] == default
    assert (await api.get("/v2.0/quotas/tenant")).json()["tenant"]["tenant_id"] == OWN
    assert error(await api.put(f"/v2.0/quotas/{OWN}", json={"quota": {"router": 1}}))[0] == 400
    assert error(await api.put(f"/v2.0/quotas/{OWN}", json={"quota": {"port": -2}}))[0] == 400
