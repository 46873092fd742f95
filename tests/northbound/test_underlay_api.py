"""The underlay over HTTP, for administrators."""

import httpx
import pytest
from starlette.requests import Request
from tests.northbound.cloud import Cloud
from tests.northbound.conftest import MemoryStore, StillWorld

from overlace.northbound.application import create_application
from overlace.northbound.auth.caller import Caller, Role
from overlace.northbound.views import Views


async def test_each_list_can_be_narrowed_to_one_host(api: httpx.AsyncClient) -> None:
    async def shown(what: str, query: str = "") -> int:
        answer = await api.get(f"/v2.0/overlace/{what}{query}")
        assert answer.status_code == 200
        return len(answer.json()[what])

    assert [await shown(what) for what in ("liveness", "paths", "alarms")] == [2, 1, 1]
    assert [await shown(what, "?host=h1") for what in ("liveness", "paths", "alarms")] == [1, 1, 0]
    assert [await shown(what, "?host=h3") for what in ("liveness", "paths", "alarms")] == [1, 0, 1]


class SomeTenant:
    """Whoever asks is a member of some project."""

    async def authenticate(self, _: Request) -> Caller:
        return Caller("user", "project", Role.MEMBER)


@pytest.mark.parametrize("what", ["liveness", "paths", "alarms"])
async def test_tenants_do_not_see_it(store: MemoryStore, world: StillWorld, what: str) -> None:
    views = Views(world, world, world, world, world, world, world, world, world, world)
    application = create_application(store, views, SomeTenant(), store.clock)
    transport = httpx.ASGITransport(application)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        assert (await client.get(f"/v2.0/overlace/{what}")).status_code == 403


async def test_a_hosts_agent_tells_what_is_wrong_with_it(cloud: Cloud) -> None:
    await cloud.create("site", id="a")
    for name in ("h1", "h2"):
        await cloud.create("host", id=name, site_id="a")
    alarms = {agent["host"]: agent["configurations"]["alarms"] for agent in await cloud.all("agent")}
    assert alarms == {"h1": [], "h2": ["h2 does not hear h3"]}
