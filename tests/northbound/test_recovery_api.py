"""Ports that only a host knows are taken into the store."""

import httpx
from tests.northbound.cloud import Cloud, error
from tests.northbound.conftest import MemoryStore, StillWorld

from overlace.model.port import Port

PATH = "/v2.0/overlace/switches/h1/recovered-ports"
ID = "1d0ad52b-18b2-4b92-b827-bcbf212c37ef"


def served(**more: object) -> dict[str, object]:
    """A port as the difference of a switch shows it."""
    port = {"id": ID, "interface": "tap1", "served": True, "key": 77, "mac_address": "02:00:00:00:00:0b"}
    return {**port, "fixed_ips": ["10.0.0.9"], "segmentation_id": 4711, "network_id": None, **more}


async def test_given_a_port_that_the_host_serves_when_recovered_then_it_has_its_id_key_and_addresses(
    api: httpx.AsyncClient, cloud: Cloud, world: StillWorld, store: MemoryStore
) -> None:
    network, _ = await cloud.network()
    world.alive.add("h1")
    world.unknown_ports["h1"] = [served(network_id=network)]
    made = (await api.post(PATH, json={"port": {"id": ID, "name": "web"}})).json()["port"]
    assert (made["id"], made["name"], made["mac_address"]) == (ID, "web", "02:00:00:00:00:0b")
    assert [each["ip_address"] for each in made["fixed_ips"]] == ["10.0.0.9"]
    kept = store.snapshot.get(Port, ID)
    assert kept is not None
    assert kept.key == 77
    assert error(await api.post(PATH, json={"port": {"id": ID}})) == (409, "PortInUse")


async def test_given_a_network_that_is_not_known_when_recovered_then_it_has_to_be_named(
    api: httpx.AsyncClient, cloud: Cloud, world: StillWorld
) -> None:
    network, _ = await cloud.network()
    world.alive.add("h1")
    world.unknown_ports["h1"] = [served()]
    assert error(await api.post(PATH, json={"port": {"id": ID}})) == (409, "NetworkNotKnown")
    answer = await api.post(PATH, json={"port": {"id": ID, "network_id": network}})
    assert answer.json()["port"]["network_id"] == network


async def test_given_what_cannot_be_recovered_when_asked_for_then_the_answer_says_why(
    api: httpx.AsyncClient, world: StillWorld
) -> None:
    assert error(await api.post(PATH, json={"port": {"id": ID}})) == (404, "SwitchNotFound")
    world.alive.add("h1")
    assert error(await api.post(PATH, json={"port": {"id": ID}})) == (404, "UnknownPortNotFound")
    world.unknown_ports["h1"] = [served(mac_address=None, served=False)]
    assert error(await api.post(PATH, json={"port": {"id": ID}})) == (409, "PortNotRecoverable")
    assert error(await api.post(PATH, json={"port": {"id": ID, "mac_address": "x"}}))[0] == 400
    world.busy.add("h1")
    assert error(await api.post(PATH, json={"port": {"id": ID}})) == (409, "SwitchNotReady")


async def test_given_a_key_that_another_port_has_by_now_when_recovered_then_a_new_one_is_given(
    api: httpx.AsyncClient, cloud: Cloud, world: StillWorld, store: MemoryStore
) -> None:
    network, _ = await cloud.network()
    other = await cloud.create("port", network_id=network)
    taken = store.snapshot.get(Port, other["id"])
    assert taken is not None
    world.alive.add("h1")
    world.unknown_ports["h1"] = [served(network_id=network, key=taken.key)]
    await api.post(PATH, json={"port": {"id": ID}})
    kept = store.snapshot.get(Port, ID)
    assert kept is not None
    assert kept.key != taken.key
