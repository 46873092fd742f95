"""What every resource has in common."""

import httpx
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from tests.northbound.cloud import Cloud, error
from tests.northbound.conftest import MemoryStore

from overlace.northbound.application import resources


async def test_given_numbers_as_strings_when_created_then_they_are_numbers(cloud: Cloud) -> None:
    network = await cloud.create("network", mtu="1400", admin_state_up="false")
    assert (network["mtu"], network["admin_state_up"]) == (1400, False)


async def test_given_a_bulk_body_when_one_of_it_is_wrong_then_nothing_is_made(
    cloud: Cloud, api: httpx.AsyncClient
) -> None:
    right = await api.post("/v2.0/networks", json={"networks": [{"name": "a"}, {"network": {"name": "b"}}]})
    assert (right.status_code, len(right.json()["networks"])) == (201, 2)
    wrong = await api.post("/v2.0/networks", json={"networks": [{"name": "c"}, {"mtu": 100000}]})
    assert wrong.status_code == 400
    assert sorted(await cloud.names("network")) == ["a", "b"]


async def test_given_wrong_bodies_when_sent_then_each_is_told_why(
    cloud: Cloud, api: httpx.AsyncClient
) -> None:
    answer = await api.post("/v2.0/networks", json={"network": {"nmae": "x"}})
    assert answer.json()["NeutronError"]["message"] == "Unrecognized attribute(s) 'nmae'"
    assert error(await api.post("/v2.0/networks", content=b"{"))[0] == 400
    answer = await api.post("/v2.0/networks", json={"port": {}})
    assert answer.json()["NeutronError"]["message"] == "Unable to find 'network' in request body"
    answer = await api.post("/v2.0/ports", json={"port": {}})
    assert "Required attribute 'network_id' not specified" in answer.json()["NeutronError"]["message"]
    assert await cloud.refused("network", status="ACTIVE") == (400, "HTTPBadRequest")


async def test_given_a_revision_when_it_has_moved_on_then_the_change_is_refused(
    cloud: Cloud, api: httpx.AsyncClient
) -> None:
    network = await cloud.create("network", name="a")
    path, body = f"/v2.0/networks/{network['id']}", {"network": {"name": "b"}}
    first = {"If-Match": f"revision_number={network['revision_number']}"}
    assert (await api.put(path, json=body, headers=first)).status_code == 200
    assert error(await api.put(path, json=body, headers=first)) == (412, "RevisionNumberConstraintFailed")
    assert error(await api.delete(path, headers=first))[0] == 412
    assert error(await api.delete(path, headers={"If-Match": "*"}))[0] == 400


async def test_given_a_change_when_committed_then_actor_request_and_source_are_recorded(
    api: httpx.AsyncClient, store: MemoryStore
) -> None:
    answer = await api.post("/v2.0/networks", json={"network": {}})
    assert store.history == [("admin", answer.headers["x-openstack-request-id"], "api from 127.0.0.1")]


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
UNUSABLE: list[object] = [[], "x", 1 << 70, 4]
ALMOST: list[object] = [
    *(
        "10.9.0.0/24",
        "10.9.0.5/33",
        "::/0",
        "fe80::1",
        "10.9.0.300",
        "fa:16:3e:00:00:01",
        "00:00:00:00:00:00",
    ),
    *([{"subnet_id": 5}], [{"ip_address": "10.9.0.4"}], [{"ip_address": []}], [{"start": 1, "end": None}]),
    *([{"provider:network_type": ["vxlan"]}], [{"opt_name": 1}], [{"provider:network_type": "vxlan"}] * 2),
    *([{"provider:network_type": "vxlan", "provider:segmentation_id": each}] for each in UNUSABLE),
    *([{"opt_name": "a", "opt_value": "b", "ip_version": each}] for each in UNUSABLE),
    *(
        [{"destination": "0.0.0.0/0", "nexthop": {}}],
        [{"address": {}}],
        {"interface_name": 1},
        1 << 70,
        "1e5",
    ),
    *(
        [{"address": "1.1.1.1", "preference": []}],
        [[]],
        [{}],
        [None],
        {},
        "icmp",
        "300",
        65536,
        -1,
        "",
        "\x00",
    ),
    *(None, True, 1.5, "x" * 300, "9" * 5000, [{"ip_address": "10.9.0.4", "mac_address": []}]),
    *([{"ip_address": "10.9.0.4"}, {"ip_address": "10.9.0.4"}], ["8.8.8.8"], ["::1"]),
]
"""Values that are right for some attribute, or nearly so."""
READ_ONLY = ("binding", "move", "procedure")
KINDS = {resource.kind: resource for resource in resources() if resource.kind not in READ_ONLY}


def sound_bodies(network_id: str, group_id: str) -> dict[str, dict[str, object]]:
    """For each kind a body that would be accepted."""
    return {
        "network": {},
        "subnet": {"network_id": network_id, "ip_version": 4, "cidr": "10.9.0.0/24"},
        "port": {"network_id": network_id},
        "security_group": {"name": "g"},
        "security_group_rule": {"security_group_id": group_id, "direction": "ingress", "protocol": "tcp"},
        "site": {"id": "s"},
        "host": {"id": "h", "site_id": "s"},
        "transit_switch": {"id": "t", "site_id": "s", "datapath_id": 5},
        "link": {"a_node": "h", "a_interface": "a", "b_node": "h", "b_interface": "b"},
        "segment": {"network_id": network_id, "network_type": "hop"},
        "machine": {"id": "m", "host_id": "h"},
        "replica": {"id": "m", "host_id": "h"},
    }


async def _post_with(cloud: Cloud, kind: str, body: dict[str, object]) -> None:
    networks = await cloud.all("network", "name=fuzzed")
    network = networks[0] if networks else await cloud.create("network", name="fuzzed")
    group = (await cloud.all("security_group", "name=default"))[0]
    sound = sound_bodies(network["id"], group["id"])[kind]
    content = msgspec.json.encode({kind: {**sound, **body}})
    answer = await cloud.client.post(f"/v2.0/{KINDS[kind].location}", content=content)
    assert answer.status_code < 500, (body, answer.text)
    if answer.status_code == 201:
        key = answer.json()[kind]["id"]
        await cloud.client.delete(f"/v2.0/{KINDS[kind].location}/{key}")


@pytest.mark.parametrize("kind", KINDS)
async def test_given_a_sound_body_when_one_attribute_is_off_then_it_is_the_clients_fault(
    cloud: Cloud, kind: str
) -> None:
    for name in KINDS[kind].schema.attributes:
        for value in ALMOST:
            await _post_with(cloud, kind, {name: value})


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data(), kind=st.sampled_from(sorted(KINDS)))
async def test_given_a_sound_body_when_attributes_are_any_json_then_it_is_the_clients_fault(
    cloud: Cloud, kind: str, data: st.DataObject
) -> None:
    names = st.sampled_from(sorted(KINDS[kind].schema.attributes))
    await _post_with(cloud, kind, data.draw(st.dictionaries(names, JSON, min_size=1, max_size=2)))


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(content=st.binary(max_size=40), method=st.sampled_from(["POST", "PUT"]))
async def test_given_any_bytes_when_sent_then_the_server_stays(
    api: httpx.AsyncClient, content: bytes, method: str
) -> None:
    for path in ("/v2.0/networks", "/v2.0/networks/x/tags", "/v2.0/quotas/p", "/v2.0/overlace/trace"):
        assert (await api.request(method, path, content=content)).status_code < 500
