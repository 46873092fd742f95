"""Logging in, and who may do what."""

from base64 import b64encode
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from tests.northbound.cloud import Cloud, error
from tests.northbound.conftest import MemoryStore, StillWorld

from overlace.northbound.application import create_application
from overlace.northbound.auth.bootstrap import bootstrap
from overlace.northbound.auth.identity import IdentityAuthentication
from overlace.northbound.auth.none import DEFAULT_PROJECT, NoAuthentication
from overlace.northbound.auth.tokens import LIFETIME
from overlace.northbound.views import Views

TOKENS = "/identity/v3/auth/tokens"


def login(user: str, password: str, project: str | None = None) -> dict[str, Any]:
    """The body of a login."""
    domain = {"id": "default"}
    who = {"name": user, "password": password, "domain": domain}
    auth: dict[str, Any] = {"identity": {"methods": ["password"], "password": {"user": who}}}
    if project is not None:
        auth["scope"] = {"project": {"name": project, "domain": domain}}
    return {"auth": auth}


class Cluster:
    """An API with users; clients of it by name."""

    def __init__(self, store: MemoryStore, world: StillWorld) -> None:
        authentication = IdentityAuthentication(store, store.clock)
        views = Views(world, world, world, world, world, world, world, world, world, world)
        self.transport = httpx.ASGITransport(create_application(store, views, authentication, store.clock))
        self.clients: list[httpx.AsyncClient] = []

    def anonymous(self) -> httpx.AsyncClient:
        """Without credentials."""
        client = httpx.AsyncClient(transport=self.transport, base_url="http://api")
        self.clients.append(client)
        return client

    async def logged_in(self, user: str, project: str) -> httpx.AsyncClient:
        """With a token."""
        client = self.anonymous()
        answer = await client.post(TOKENS, json=login(user, f"{user}-password", project))
        assert answer.status_code == 201, answer.text
        client.headers["X-Auth-Token"] = answer.headers["X-Subject-Token"]
        return client


@pytest.fixture
async def cluster(store: MemoryStore, world: StillWorld) -> AsyncIterator[Cluster]:
    """Users admin, alice (member of blue), bob (member of red) and eve (reader of blue)."""
    await bootstrap(store, "admin-password")
    cluster = Cluster(store, world)
    admin = await cluster.logged_in("admin", "admin")
    projects = {}
    for name in ("blue", "red"):
        answer = await admin.post("/identity/v3/projects", json={"project": {"name": name}})
        projects[name] = answer.json()["project"]["id"]
    for name, project, role in (
        ("alice", "blue", "member"),
        ("bob", "red", "member"),
        ("eve", "blue", "reader"),
    ):
        user = {"name": name, "password": f"{name}-password"}
        key = (await admin.post("/identity/v3/users", json={"user": user})).json()["user"]["id"]
        path = f"/identity/v3/projects/{projects[project]}/users/{key}/roles/{role}"
        assert (await admin.put(path)).status_code == 204
    yield cluster
    for client in cluster.clients:
        await client.aclose()


async def test_given_no_credentials_when_asked_then_only_versions_answer(cluster: Cluster) -> None:
    client = cluster.anonymous()
    answer = await client.get("/v2.0/networks")
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == 401
    assert "Keystone" in answer.headers["WWW-Authenticate"]
    for path in ("/", "/v2.0", "/identity", "/identity/v3"):
        assert (await client.get(path)).status_code == 200


@pytest.mark.parametrize(
    ("user", "password", "project"),
    [("alice", "wrong", "blue"), ("nobody", "x", "blue"), ("alice", "alice-password", "red")],
)
async def test_given_wrong_credentials_when_logging_in_then_all_failures_look_alike(
    cluster: Cluster, user: str, password: str, project: str
) -> None:
    answer = await cluster.anonymous().post(TOKENS, json=login(user, password, project))
    assert answer.status_code == 401
    assert answer.json()["error"]["message"] == "The request you have made requires authentication."


async def test_given_a_login_when_the_token_is_read_then_it_names_user_project_roles_and_services(
    cluster: Cluster,
) -> None:
    answer = await cluster.anonymous().post(TOKENS, json=login("alice", "alice-password", "blue"))
    token = answer.json()["token"]
    assert (token["user"]["name"], token["project"]["name"]) == ("alice", "blue")
    assert [role["name"] for role in token["roles"]] == ["member"]
    assert [service["type"] for service in token["catalog"]] == ["identity", "network"]
    assert token["expires_at"].endswith(".000000Z")


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ("services", ["keystone", "neutron"]),
        ("services?type=network", ["neutron"]),
        ("services?name=network", []),
        ("endpoints?service_id=neutron&interface=public", ["neutron-public"]),
        ("regions", ["RegionOne"]),
    ],
)
async def test_given_the_catalogue_when_asked_for_a_part_then_no_other_is_shown(
    cluster: Cluster, question: str, found: list[str]
) -> None:
    word = question.partition("?")[0]
    client = cluster.anonymous()
    shown = (await client.get(f"/identity/v3/{question}")).json()[word]
    assert [each["id"] for each in shown] == found
    for each in shown:
        assert (await client.get(f"/identity/v3/{word}/{each['id']}")).json()[word[:-1]] == each
    assert (await client.get(f"/identity/v3/{word}/other")).status_code == 404


async def test_given_role_assignments_when_names_are_asked_for_then_they_come_with_their_domains(
    cluster: Cluster,
) -> None:
    admin = await cluster.logged_in("admin", "admin")
    path = "/identity/v3/role_assignments?role.id=member&include_names=True"
    assignments = (await admin.get(path)).json()["role_assignments"]
    (found,) = (each for each in assignments if each["user"]["name"] == "alice")
    assert found["role"]["name"] == "member"
    assert found["scope"]["project"]["name"] == "blue"
    assert found["user"]["domain"]["name"] == found["scope"]["project"]["domain"]["name"] == "Default"


async def test_given_an_unscoped_login_when_rescoped_then_the_project_opens(cluster: Cluster) -> None:
    client = cluster.anonymous()
    answer = await client.post(TOKENS, json=login("alice", "alice-password"))
    client.headers["X-Auth-Token"] = text = answer.headers["X-Subject-Token"]
    assert (await client.get("/v2.0/networks")).status_code == 401
    found = (await client.get("/identity/v3/auth/projects")).json()["projects"]
    scope = {"project": {"id": found[0]["id"]}}
    identity = {"methods": ["token"], "token": {"id": text}}
    answer = await client.post(TOKENS, json={"auth": {"identity": identity, "scope": scope}})
    client.headers["X-Auth-Token"] = answer.headers["X-Subject-Token"]
    assert (await client.get("/v2.0/networks")).status_code == 200


async def test_given_a_default_project_when_a_login_names_none_then_it_leads_there(cluster: Cluster) -> None:
    admin = await cluster.logged_in("admin", "admin")
    blue, red = [
        (await admin.get(f"/identity/v3/projects?name={name}")).json()["projects"][0]["id"]
        for name in ("blue", "red")
    ]
    (alice,) = (await admin.get("/identity/v3/users?name=alice")).json()["users"]

    async def led_to(project: str | None, **scope: Any) -> str | None:
        body = {"user": {"default_project_id": project}}
        assert (await admin.patch(f"/identity/v3/users/{alice['id']}", json=body)).status_code == 200
        document = login("alice", "alice-password")
        document["auth"] |= scope
        token = (await cluster.anonymous().post(TOKENS, json=document)).json()["token"]
        return token["project"]["id"] if "project" in token else None

    assert await led_to(blue) == blue
    assert await led_to(red) is None  # where alice has no role
    assert await led_to(blue, scope={"unscoped": {}}) is None
    assert await led_to(None) is None


@pytest.mark.parametrize(
    ("collection", "kind", "wish", "status"),
    [
        ("users", "user", {"email": "c@example.org", "description": "new", "domain_id": "default"}, 201),
        ("users", "user", {"default_project_id": None, "options": {}}, 201),
        ("users", "user", {"domain_id": "other"}, 400),
        ("users", "user", {"shoe_size": 44}, 400),
        ("users", "user", {"email": 7}, 400),
        ("users", "user", {"enabled": "maybe"}, 400),
        ("projects", "project", {"description": "new", "tags": [], "is_domain": False}, 201),
        ("projects", "project", {"parent_id": "default", "domain_id": "default"}, 201),
        ("projects", "project", {"tags": ["a"]}, 400),
        ("projects", "project", {"is_domain": True}, 400),
        ("projects", "project", {"description": []}, 400),
    ],
)
async def test_given_attributes_when_something_is_made_then_they_are_kept_or_refused(
    cluster: Cluster, collection: str, kind: str, wish: dict[str, Any], status: int
) -> None:
    admin = await cluster.logged_in("admin", "admin")
    needed = {"user": {"name": "carl", "password": "x"}, "project": {"name": "p"}}[kind]
    answer = await admin.post(f"/identity/v3/{collection}", json={kind: needed | wish})
    assert answer.status_code == status, answer.text
    if status == 201:
        key = answer.json()[kind]["id"]
        shown = (await admin.get(f"/identity/v3/{collection}/{key}")).json()[kind]
        assert {name: shown[name] for name in wish} == wish


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ("users?enabled=true", ["admin", "alice", "bob", "eve"]),
        ("users?enabled=0", []),
        ("projects?tags=a", []),
        ("projects?domain_id=default", ["admin", "blue", "red"]),
        ("projects?parent_id=x", []),
        ("projects?is_domain", []),
    ],
)
async def test_given_a_filter_when_users_or_projects_are_listed_then_it_counts(
    cluster: Cluster, question: str, found: list[str]
) -> None:
    admin = await cluster.logged_in("admin", "admin")
    listed = (await admin.get(f"/identity/v3/{question}")).json()[question.partition("?")[0]]
    assert sorted(each["name"] for each in listed) == found


@pytest.mark.parametrize("elsewhere", ["scope.system=all", "scope.domain.id=default", "group.id=g"])
async def test_given_roles_in_projects_when_those_elsewhere_are_asked_for_then_there_are_none(
    cluster: Cluster, elsewhere: str
) -> None:
    admin = await cluster.logged_in("admin", "admin")
    answer = await admin.get(f"/identity/v3/role_assignments?{elsewhere}")
    assert answer.json()["role_assignments"] == []


async def test_given_a_token_when_revoked_or_expired_then_it_is_worthless(
    cluster: Cluster, store: MemoryStore
) -> None:
    alice = await cluster.logged_in("alice", "blue")
    subject = {"X-Subject-Token": alice.headers["X-Auth-Token"]}
    assert (await alice.get(TOKENS, headers=subject)).json()["token"]["user"]["name"] == "alice"
    assert (await alice.delete(TOKENS, headers=subject)).status_code == 204
    assert (await alice.get("/v2.0/networks")).status_code == 401
    again = await cluster.logged_in("alice", "blue")
    store.clock.advance((LIFETIME + timedelta(seconds=1)).total_seconds())
    assert (await again.get("/v2.0/networks")).status_code == 401


async def test_given_a_role_when_taken_away_then_the_running_token_loses_it(cluster: Cluster) -> None:
    admin, alice = await cluster.logged_in("admin", "admin"), await cluster.logged_in("alice", "blue")
    assigned = (await admin.get("/identity/v3/role_assignments?role.id=member")).json()["role_assignments"]
    for each in assigned:
        path = (
            f"/identity/v3/projects/{each['scope']['project']['id']}/users/{each['user']['id']}/roles/member"
        )
        assert (await admin.delete(path)).status_code == 204
    assert (await alice.get("/v2.0/networks")).status_code == 401


async def test_given_http_basic_when_right_then_it_opens_the_users_project(cluster: Cluster) -> None:
    client = cluster.anonymous()
    client.headers["Authorization"] = "Basic " + b64encode(b"alice:alice-password").decode()
    assert (await client.post("/v2.0/networks", json={"network": {}})).status_code == 201
    client.headers["Authorization"] = "Basic " + b64encode(b"alice:wrong").decode()
    assert (await client.get("/v2.0/networks")).status_code == 401
    client.headers["Authorization"] = "Basic ???"
    assert (await client.get("/v2.0/networks")).status_code == 401


async def test_given_two_projects_when_one_has_a_network_then_the_other_never_hears_of_it(
    cluster: Cluster,
) -> None:
    alice = Cloud(await cluster.logged_in("alice", "blue"))
    bob = Cloud(await cluster.logged_in("bob", "red"))
    network, subnet = await alice.network()
    port = await alice.create("port", network_id=network)
    for kind, key in (("network", network), ("subnet", subnet), ("port", port["id"])):
        assert await bob.all(kind) == []
        assert error(await bob.client.get(f"/v2.0/{kind}s/{key}"))[0] == 404
        assert (await bob.refused_update(kind, key, name="x"))[0] == 404
        assert (await bob.refused_delete(kind, key))[0] == 404
    assert (await bob.refused("port", network_id=network))[0] == 404
    (group,) = await alice.all("security_group")
    assert (await bob.refused("security_group_rule", security_group_id=group["id"], direction="ingress"))[
        0
    ] == 404


async def test_given_a_reader_when_writing_then_it_is_refused(cluster: Cluster) -> None:
    alice = Cloud(await cluster.logged_in("alice", "blue"))
    eve = Cloud(await cluster.logged_in("eve", "blue"))
    network, _ = await alice.network()
    assert [each["id"] for each in await eve.all("network")] == [network]
    assert await eve.refused("network") == (403, "PolicyNotAuthorized")
    assert await eve.refused_update("network", network, name="x") == (403, "PolicyNotAuthorized")
    assert await eve.refused_delete("network", network) == (403, "PolicyNotAuthorized")
    assert error(await eve.client.put(f"/v2.0/networks/{network}/tags/x"))[0] == 403


async def test_given_a_member_when_using_the_administrators_attributes_then_it_is_refused(
    cluster: Cluster,
) -> None:
    alice = Cloud(await cluster.logged_in("alice", "blue"))
    for wish in ({"shared": True}, {"provider:segmentation_id": 5}, {"router:external": True}):
        assert await alice.refused("network", **wish) == (403, "PolicyNotAuthorized")
    network, _ = await alice.network(shared=False)
    assert (await alice.refused("port", network_id=network, **{"binding:host_id": "h"}))[0] == 403
    assert (await alice.refused("network", project_id="another"))[0] == 400
    assert (await alice.refused("site", id="a"))[0] == 403
    shown = await alice.show("network", network)
    assert not [name for name in shown if name.startswith("provider:")]
    assert error(await alice.client.put("/v2.0/quotas/x", json={"quota": {"port": 1}}))[0] == 403
    assert (await alice.client.get("/v2.0/agents")).json() == {"agents": []}
    assert await alice.all("host") == []
    assert error(await alice.client.get("/v2.0/overlace/status"))[0] == 403


async def test_given_a_shared_network_when_another_project_uses_it_then_only_plain_ports_are_allowed(
    cluster: Cluster,
) -> None:
    admin = Cloud(await cluster.logged_in("admin", "admin"))
    bob = Cloud(await cluster.logged_in("bob", "red"))
    network, subnet = await admin.network(shared=True)
    assert [each["id"] for each in await bob.all("subnet")] == [subnet]
    port = await bob.create("port", network_id=network)
    assert (await bob.refused("port", network_id=network, mac_address="02:00:00:00:00:01"))[0] == 403
    pairs = [{"ip_address": "10.0.0.1"}]
    assert (await bob.refused_update("port", port["id"], allowed_address_pairs=pairs))[0] == 403
    assert (await bob.refused_update("network", network, name="x"))[0] == 403
    assert await admin.refused_update("network", network, shared=False) == (409, "InvalidSharedSetting")


async def test_given_a_password_when_changed_then_only_the_new_one_opens(cluster: Cluster) -> None:
    alice = await cluster.logged_in("alice", "blue")
    token = (await alice.get(TOKENS, headers={"X-Subject-Token": alice.headers["X-Auth-Token"]})).json()[
        "token"
    ]
    path = f"/identity/v3/users/{token['user']['id']}/password"
    body = {"user": {"original_password": "wrong", "password": "new"}}
    assert (await alice.post(path, json=body)).status_code == 400
    body["user"]["original_password"] = "alice-password"
    assert (await alice.post(path, json=body)).status_code == 204
    client = cluster.anonymous()
    assert (await client.post(TOKENS, json=login("alice", "alice-password", "blue"))).status_code == 401
    assert (await client.post(TOKENS, json=login("alice", "new", "blue"))).status_code == 201


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"auth": 1},
        {"auth": {"identity": {"methods": ["magic"]}}},
        {"auth": {"identity": {"methods": {}}}},
    ],
)
async def test_given_a_senseless_login_when_sent_then_it_is_refused_politely(
    cluster: Cluster, body: dict[str, Any]
) -> None:
    assert (await cluster.anonymous().post(TOKENS, json=body)).status_code == 400


def test_given_a_public_address_when_without_authentication_then_the_server_refuses() -> None:
    NoAuthentication("::1")
    with pytest.raises(ValueError, match="loopback"):
        NoAuthentication("192.0.2.1")


async def test_given_no_login_when_projects_are_asked_for_then_there_is_one_and_bootstrap_goes_on_with_it(
    store: MemoryStore, world: StillWorld
) -> None:
    views = Views(world, world, world, world, world, world, world, world, world, world)
    everyone = NoAuthentication("127.0.0.1")
    transport = httpx.ASGITransport(create_application(store, views, everyone, store.clock))
    async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
        network = (await client.post("/v2.0/networks", json={"network": {}})).json()["network"]
        (home,) = (await client.get("/identity/v3/projects")).json()["projects"]
        assert (home["name"], home["id"]) == ("admin", network["project_id"])
        assert (await client.get(f"/identity/v3/projects/{home['id']}")).json()["project"] == home
        assert (await client.post(TOKENS, json=login("admin", "x"))).status_code == 404
    assert await bootstrap(store, "admin-password") == home["id"]


async def test_given_a_bootstrapped_store_when_nobody_logs_in_then_the_project_has_its_id_for_a_name(
    store: MemoryStore, world: StillWorld
) -> None:
    await bootstrap(store, "admin-password")
    views = Views(world, world, world, world, world, world, world, world, world, world)
    everyone = NoAuthentication("127.0.0.1")
    transport = httpx.ASGITransport(create_application(store, views, everyone, store.clock))
    async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
        found = (await client.get("/identity/v3/projects")).json()["projects"]
    assert sorted(each["name"] for each in found) == [DEFAULT_PROJECT, "admin"]


async def test_given_users_who_are_no_administrators_when_they_ask_for_switches_then_they_are_refused(
    cluster: Cluster,
) -> None:
    alice = await cluster.logged_in("alice", "blue")
    for answer in (
        await alice.get("/v2.0/overlace/switches"),
        await alice.post("/v2.0/overlace/switches/h1/adopt"),
    ):
        assert error(answer) == (403, "PolicyNotAuthorized")


async def test_given_basic_authentication_when_used_then_nobody_logs_in_but_passwords_count(
    store: MemoryStore, world: StillWorld
) -> None:
    await bootstrap(store, "admin-password")
    authentication = IdentityAuthentication(store, store.clock, issues_tokens=False)
    views = Views(world, world, world, world, world, world, world, world, world, world)
    transport = httpx.ASGITransport(create_application(store, views, authentication, store.clock))
    async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
        answer = await client.get("/v2.0/networks", auth=("admin", "admin-password"))
        assert answer.status_code == 200
        refused = await client.get("/v2.0/networks", headers={"X-Auth-Token": "x"})
        assert refused.status_code == 401
        assert refused.headers["WWW-Authenticate"] == 'Basic realm="Overlace"'
        assert (await client.post(TOKENS, json=login("admin", "admin-password"))).status_code == 404
        users = await client.get("/identity/v3/users", auth=("admin", "admin-password"))
        assert [each["name"] for each in users.json()["users"]] == ["admin"]


async def test_given_a_project_when_it_asks_why_then_it_hears_of_its_own_and_of_no_hosts(
    cluster: Cluster,
) -> None:
    alice, bob = await cluster.logged_in("alice", "blue"), await cluster.logged_in("bob", "red")
    network = (await alice.post("/v2.0/networks", json={"network": {}})).json()["network"]["id"]
    port = (await alice.post("/v2.0/ports", json={"port": {"network_id": network}})).json()["port"]
    for path in (f"ports/{port['id']}", f"networks/{network}"):
        assert (await alice.get(f"/v2.0/overlace/{path}/realisation")).status_code == 200
        assert (await bob.get(f"/v2.0/overlace/{path}/realisation")).status_code == 404
    shown = (await alice.get(f"/v2.0/overlace/ports/{port['id']}/realisation")).json()["realisation"]
    assert "pending" not in shown
    trace = {"trace": {"source": port["id"]}}
    answer = (await alice.post("/v2.0/overlace/trace", json=trace)).json()["trace"]
    assert answer["asked_by"] == port["project_id"]
    for path in ("flows?of=x", "hosts/h1/realisation", "status"):
        assert (await alice.get(f"/v2.0/overlace/{path}")).status_code == 403
    admin = await cluster.logged_in("admin", "admin")
    assert (await admin.post("/v2.0/overlace/trace", json=trace)).json()["trace"]["asked_by"] is None
