"""Given a store with a past, when an administrator asks for its log, then it is told without secrets."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.northbound.cloud import Cloud, error
from tests.northbound.conftest import MemoryStore, StillWorld

from overlace.kit.clock import ManualClock
from overlace.northbound.application import create_application
from overlace.northbound.auth.bootstrap import bootstrap
from overlace.northbound.auth.identity import IdentityAuthentication
from overlace.northbound.auth.none import NoAuthentication
from overlace.northbound.views import Views
from overlace.store.store import Store

LOG = "/v2.0/overlace/log"


@pytest.fixture
async def api(tmp_path: Path, world: StillWorld) -> AsyncIterator[httpx.AsyncClient]:
    """Over a real store, as the administrator at 192.0.2.9."""
    clock = ManualClock()
    store = await Store.open(tmp_path / "overlace.db", clock)
    await bootstrap(store, "correct horse")
    views = Views(world, world, world, world, world, world, store, world, world, world)
    application = create_application(store, views, IdentityAuthentication(store, clock), clock)
    transport = httpx.ASGITransport(application, client=("192.0.2.9", 4711))
    auth = httpx.BasicAuth("admin", "correct horse")
    async with httpx.AsyncClient(transport=transport, base_url="http://api", auth=auth) as client:
        yield client
    await store.close()


async def log(api: httpx.AsyncClient, **parameters: str) -> list[dict[str, Any]]:
    answer = await api.get(LOG, params=parameters)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["log"]
    return found


async def test_given_an_api_call_when_logged_then_user_request_and_address_are_named(
    api: httpx.AsyncClient,
) -> None:
    made = await api.post("/v2.0/networks", json={"network": {"name": "front"}})
    [entry] = await log(api, object="front", kind="network")
    assert entry["actor_name"] == "admin"
    assert entry["source"] == "api from 192.0.2.9"
    assert entry["request_id"] == made.headers["x-openstack-request-id"]
    [change] = entry["changes"]
    assert (change["id"], change["before"]) == (made.json()["network"]["id"], None)
    assert change["after"]["name"] == "front"
    assert [each["revision"] for each in await log(api, actor="admin", kind="network")] == [entry["revision"]]


async def test_given_a_password_when_changed_then_that_is_logged_and_no_hash(api: httpx.AsyncClient) -> None:
    user = (await api.post("/identity/v3/users", json={"user": {"name": "eve", "password": "1"}})).json()[
        "user"
    ]
    path = f"/identity/v3/users/{user['id']}"
    await api.patch(path, json={"user": {"password": "another"}})
    await api.patch(path, json={"user": {"enabled": False}})
    await api.delete(path)
    found = await log(api, object="eve", kind="user")
    hashes = [
        tuple(each and each["password_hash"] for each in (change["before"], change["after"]))
        for entry in found
        for change in entry["changes"]
    ]
    assert hashes == [
        ("(hidden)", None),
        ("(hidden)", "(hidden)"),
        ("(hidden)", "(hidden, another)"),
        (None, "(hidden)"),
    ]
    assert {entry["source"] for entry in found} == {"identity from 192.0.2.9"}
    assert "scrypt" not in (await api.get(LOG)).text


async def test_given_more_than_a_page_when_the_links_are_followed_then_all_comes_once(
    api: httpx.AsyncClient,
) -> None:
    cloud = Cloud(api)
    made = [(await cloud.create("network", name=f"n{number}"))["id"] for number in range(5)]
    url, seen = f"{LOG}?kind=network&limit=2", []
    while url:
        page = (await api.get(url)).json()
        seen += [change["id"] for entry in page["log"] for change in entry["changes"]]
        url = page["log_links"][0]["href"] if "log_links" in page else ""
    assert seen == made[::-1]
    start = (await log(api, kind="network"))[-1]["revision"]
    onward = await log(api, kind="network", after=start)
    assert [each["changes"][0]["id"] for each in onward] == made[1:]
    said = (await api.get(LOG)).json()["revision"]
    assert await log(api, after=said) == [], "what a page says is its end has nothing behind it"


async def test_given_a_project_when_asked_by_its_name_then_what_it_owns_is_told(
    api: httpx.AsyncClient,
) -> None:
    project = (await api.post("/identity/v3/projects", json={"project": {"name": "blue"}})).json()["project"]
    await Cloud(api).create("network", name="blues", project_id=project["id"])
    await Cloud(api).create("network", name="others")
    kinds = [change["kind"] for entry in await log(api, project="blue") for change in entry["changes"]]
    assert kinds[0] == "network" and "project" in kinds
    assert await log(api, project="blue") == await log(api, project=project["id"])


@pytest.mark.parametrize(
    ("parameters", "word"),
    [
        ({"limit": "0"}, "from 1 to 1000"),
        ({"limit": "1001"}, "from 1 to 1000"),
        ({"limit": "x"}, "number"),
        ({"since": "yesterday"}, "since"),
        ({"until": "2026-11-26T10:00:00"}, "with its zone"),
        ({"before": "5"}, "site/1/42"),
        ({"after": "site/one/2"}, "site/1/42"),
        ({"colour": "red"}, "colour"),
    ],
)
async def test_given_a_question_that_is_none_when_asked_then_the_refusal_says_what_to_give(
    api: httpx.AsyncClient, parameters: dict[str, str], word: str
) -> None:
    answer = await api.get(LOG, params=parameters)
    assert error(answer)[0] == 400
    assert word in answer.text


async def test_given_a_member_when_it_asks_then_it_is_refused(api: httpx.AsyncClient) -> None:
    project = (await api.post("/identity/v3/projects", json={"project": {"name": "blue"}})).json()["project"]
    user = (await api.post("/identity/v3/users", json={"user": {"name": "eve", "password": "1"}})).json()[
        "user"
    ]
    roles = (await api.get("/identity/v3/roles")).json()["roles"]
    member = next(each["id"] for each in roles if each["name"] == "member")
    await api.put(f"/identity/v3/projects/{project['id']}/users/{user['id']}/roles/{member}")
    answer = await api.get(LOG, auth=httpx.BasicAuth("eve", "1"), headers={"X-Project-Id": project["id"]})
    assert error(answer) == (403, "PolicyNotAuthorized")


async def test_given_a_store_that_cannot_be_read_when_asked_then_the_service_is_unavailable(
    store: MemoryStore, world: StillWorld
) -> None:
    views = Views(world, world, world, world, world, world, world, world, world, world)
    application = create_application(store, views, NoAuthentication("127.0.0.1"), store.clock)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(application), base_url="http://api") as client:
        assert error(await client.get(LOG))[0] == 503
