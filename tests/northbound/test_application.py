"""What a client meets first: versions, extensions, errors, and one network with a port."""

import httpx
import pytest

from overlace.northbound.request_identity import route_of
from overlace.northbound.schema.claims import claimed


async def test_given_no_credentials_when_versions_are_read_then_both_documents_are_there(
    api: httpx.AsyncClient,
) -> None:
    root = (await api.get("/")).json()
    version = (await api.get("/v2.0")).json()
    assert root["versions"][0]["id"] == "v2.0"
    assert version["version"]["status"] == "CURRENT"
    assert {each["name"] for each in version["resources"]} >= {"network", "subnet", "port"}
    assert (await api.get("/v2.0/")).json() == version


async def test_given_the_claims_when_extensions_are_listed_then_each_is_there_once(
    api: httpx.AsyncClient,
) -> None:
    listed = (await api.get("/v2.0/extensions")).json()["extensions"]
    assert [each["alias"] for each in listed] == list(claimed())
    assert (await api.get("/v2.0/extensions/provider")).json()["extension"]["name"] == "Provider Network"
    assert (await api.get("/v2.0/extensions/router")).status_code == 404


async def test_given_an_unknown_path_when_asked_then_the_error_has_the_api_form(
    api: httpx.AsyncClient,
) -> None:
    answer = await api.get("/v2.0/unheard-of")
    assert answer.status_code == 404
    assert answer.json()["NeutronError"]["type"] == "HTTPNotFound"
    assert answer.headers["x-openstack-request-id"].startswith("req-")


@pytest.mark.parametrize(
    "path",
    ["routers", "floatingips", "subnetpools", "address-scopes", "qos/policies", "trunks", "rbac-policies"],
)
async def test_given_what_is_not_served_when_used_then_it_is_not_found_by_any_method(
    api: httpx.AsyncClient, path: str
) -> None:
    for method in ("GET", "POST"):
        answer = await api.request(method, f"/v2.0/{path}", json={})
        assert (answer.status_code, answer.json()["NeutronError"]["type"]) == (404, "HTTPNotFound")
    assert (await api.delete(f"/v2.0/{path}/some-id")).status_code == 404


async def test_given_an_empty_cloud_when_a_port_is_made_then_all_it_needs_is_chosen(
    api: httpx.AsyncClient,
) -> None:
    network = (await api.post("/v2.0/networks", json={"network": {"name": "n"}})).json()["network"]
    body = {"network_id": network["id"], "ip_version": 4, "cidr": "10.0.0.0/24"}
    subnet = (await api.post("/v2.0/subnets", json={"subnet": body})).json()["subnet"]
    answer = await api.post("/v2.0/ports", json={"port": {"network_id": network["id"]}})
    port = answer.json()["port"]
    assert answer.status_code == 201
    assert port["fixed_ips"] == [{"subnet_id": subnet["id"], "ip_address": "10.0.0.2"}]
    assert port["mac_address"].startswith("fa:16:3e:")
    assert port["status"] == "DOWN"
    groups = (await api.get("/v2.0/security-groups")).json()["security_groups"]
    assert [group["id"] for group in groups] == port["security_groups"]
    assert len(groups[0]["security_group_rules"]) == 4


async def test_given_a_network_with_a_port_when_it_is_deleted_then_it_is_refused(
    api: httpx.AsyncClient,
) -> None:
    network = (await api.post("/v2.0/networks", json={"network": {}})).json()["network"]
    port = (await api.post("/v2.0/ports", json={"port": {"network_id": network["id"]}})).json()["port"]
    refused = await api.delete(f"/v2.0/networks/{network['id']}")
    assert (refused.status_code, refused.json()["NeutronError"]["type"]) == (409, "NetworkInUse")
    assert (await api.delete(f"/v2.0/ports/{port['id']}")).status_code == 204
    assert (await api.delete(f"/v2.0/networks/{network['id']}")).status_code == 204


@pytest.mark.parametrize(
    ("path", "parameters", "route"),
    [
        ("/v2.0/ports/17", {"id": "17"}, "/v2.0/ports/{id}"),
        ("/v2.0/ports/ports", {"id": "ports"}, "/v2.0/ports/{id}"),
        ("/v2.0/networks/a/tags/b", {"id": "a", "tag": "b"}, "/v2.0/networks/{id}/tags/{tag}"),
        ("/v2.0/overlace/links/h1:a/b-s1:p", {"id": "h1:a/b-s1:p"}, "/v2.0/overlace/links/{id}"),
    ],
)
def test_given_a_request_when_counted_then_its_route_names_what_differs(
    path: str, parameters: dict[str, str], route: str
) -> None:
    assert route_of({"path": path, "path_params": parameters, "endpoint": object()}) == route


def test_given_a_path_that_nothing_serves_when_counted_then_it_is_unknown() -> None:
    assert route_of({"path": "/etc/passwd"}) == "unknown"
