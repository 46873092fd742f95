"""Tags and the filters by them."""

import httpx
from tests.northbound.cloud import Cloud, error


async def test_given_a_network_when_tags_change_then_each_way_is_answered(
    cloud: Cloud, api: httpx.AsyncClient
) -> None:
    base = f"/v2.0/networks/{(await cloud.create('network'))['id']}/tags"
    assert (await api.put(base, json={"tags": ["a", "b", "a"]})).json() == {"tags": ["a", "b"]}
    assert (await api.put(f"{base}/c")).status_code == 201
    assert (await api.post(base, json={"tags": ["d", "a"]})).json() == {"tags": ["a", "b", "c", "d"]}
    assert (await api.get(f"{base}/c")).status_code == 204
    assert (await api.delete(f"{base}/c")).status_code == 204
    assert error(await api.get(f"{base}/c")) == (404, "TagNotFound")
    assert error(await api.delete(f"{base}/c")) == (404, "TagNotFound")
    assert (await api.get(base)).json() == {"tags": ["a", "b", "d"]}
    assert (await api.delete(base)).status_code == 204
    assert (await api.get(base)).json() == {"tags": []}


async def test_given_unusable_tags_when_put_then_they_are_refused(
    cloud: Cloud, api: httpx.AsyncClient
) -> None:
    base = f"/v2.0/networks/{(await cloud.create('network'))['id']}/tags"
    for tags in ("x", [1], [""], ["x" * 256], None):
        assert error(await api.put(base, json={"tags": tags}))[0] == 400
    assert error(await api.put("/v2.0/networks/nothing/tags", json={"tags": []}))[0] == 404


async def test_given_tagged_networks_when_filtered_then_all_four_words_work(
    cloud: Cloud, api: httpx.AsyncClient
) -> None:
    for name, tags in (("n", []), ("r", ["red"]), ("rb", ["red", "blue"])):
        network = await cloud.create("network", name=name)
        await api.put(f"/v2.0/networks/{network['id']}/tags", json={"tags": tags})
    expected = {
        "tags=red": ["r", "rb"],
        "tags=red,blue": ["rb"],
        "tags-any=red,blue": ["r", "rb"],
        "not-tags=red,blue": ["n", "r"],
        "not-tags-any=blue": ["n", "r"],
    }
    for query, names in expected.items():
        assert await cloud.names("network", f"{query}&sort_key=name") == names, query
