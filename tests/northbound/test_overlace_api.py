"""Overlace's own resources, agents and answers."""

import httpx
from tests.northbound.cloud import Cloud, error
from tests.northbound.conftest import StillWorld


async def test_given_sites_hosts_and_links_when_made_then_what_is_in_use_stays(cloud: Cloud) -> None:
    assert (await cloud.refused("host", id="h1", site_id="a"))[0] == 404
    await cloud.create("site", id="a")
    assert await cloud.refused("site", id="a") == (409, "SiteExists")
    for name in ("h1", "h2"):
        await cloud.create("host", id=name, site_id="a", endpoints=[{"address": f"192.0.2.{name[1:]}"}])
    ends = {"a_node": "h1", "a_interface": "f", "b_node": "h2", "b_interface": "f"}
    link = await cloud.create("link", **ends)
    assert link["cost"] == 1
    assert (await cloud.refused("link", **{**ends, "b_node": "h3"}))[0] == 404
    assert await cloud.refused_delete("site", "a") == (409, "SiteInUse")
    assert await cloud.refused_delete("host", "h1") == (409, "HostInUse")
    await cloud.delete("link", link["id"])
    for name in ("h1", "h2"):
        await cloud.delete("host", name)
    await cloud.delete("site", "a")


async def test_given_a_fabric_when_something_in_it_contradicts_then_it_is_refused(cloud: Cloud) -> None:
    await cloud.create("site", id="a")
    await cloud.create("host", id="h1", site_id="a", fabric_interface="eth1")
    await cloud.create("transit_switch", id="t1", site_id="a", datapath_id=1)
    await cloud.create("transit_switch", id="t2", site_id="a", datapath_id="2")
    # names and datapath ids are one switch's
    assert await cloud.refused("transit_switch", id="h1", site_id="a", datapath_id=3) == (409, "NodeExists")
    assert await cloud.refused("host", id="t1", site_id="a") == (409, "NodeExists")
    assert await cloud.refused("transit_switch", id="t3", site_id="a", datapath_id=2) == (
        409,
        "DatapathIdInUse",
    )
    assert (await cloud.refused("transit_switch", id="t3", site_id="a", datapath_id=0))[0] == 400
    assert (await cloud.refused("transit_switch", id="t3", site_id="a", datapath_id=1 << 64))[0] == 400
    # an interface has one cable, and a cable two ends and a positive cost
    await cloud.create("link", a_node="h1", a_interface="eth1", b_node="t1", b_interface="1")
    again = {"a_node": "t2", "a_interface": "1", "b_node": "h1", "b_interface": "eth1"}
    assert await cloud.refused("link", **again) == (409, "LinkExists")
    loop = {"a_node": "t1", "a_interface": "8", "b_node": "t1", "b_interface": "9"}
    assert (await cloud.refused("link", **loop))[0] == 400
    between = {"a_node": "t1", "a_interface": "2", "b_node": "t2", "b_interface": "2"}
    assert (await cloud.refused("link", **between, cost=0))[0] == 400
    link = await cloud.create("link", **between, cost=5)
    assert (await cloud.update("link", link["id"], cost=7))["cost"] == 7
    assert (await cloud.refused_update("link", link["id"], cost=-1))[0] == 400
    # and a switch stays while cables lead to it
    assert await cloud.refused_delete("transit_switch", "t1") == (409, "TransitSwitchInUse")


async def test_given_hosts_when_agents_are_listed_then_they_are_the_hosts(
    cloud: Cloud, api: httpx.AsyncClient, world: StillWorld
) -> None:
    await cloud.create("site", id="a")
    await cloud.create("host", id="h1", site_id="a")
    await cloud.create("host", id="h2", site_id="a")
    world.alive.add("h1")
    agents = (await api.get("/v2.0/agents")).json()["agents"]
    assert [(each["host"], each["alive"]) for each in agents] == [("h1", True), ("h2", False)]
    (agent,) = (await api.get("/v2.0/agents?alive=True")).json()["agents"]
    body = {"agent": {"description": "rack 4", "admin_state_up": False}}
    changed = (await api.put(f"/v2.0/agents/{agent['id']}", json=body)).json()["agent"]
    assert (changed["description"], changed["admin_state_up"]) == ("rack 4", False)
    assert (await cloud.show("host", "h1"))["observe_only"] is True
    assert error(await api.delete(f"/v2.0/agents/{agent['id']}"))[0] == 409


async def test_given_the_process_when_asked_then_status_realisation_and_trace_answer(
    cloud: Cloud, api: httpx.AsyncClient
) -> None:
    network, _ = await cloud.network()
    port = await cloud.create("port", network_id=network)
    assert (await api.get("/v2.0/overlace/status")).json()["status"]["revision"]
    answer = await api.get(f"/v2.0/overlace/ports/{port['id']}/realisation")
    assert answer.json()["realisation"]["port_id"] == port["id"]
    assert error(await api.get("/v2.0/overlace/ports/x/realisation"))[0] == 404
    assert error(await api.get("/v2.0/overlace/networks/x/realisation"))[0] == 404
    assert (await api.get(f"/v2.0/overlace/networks/{network}/realisation")).status_code == 200
    assert error(await api.get("/v2.0/overlace/hosts/x/realisation"))[0] == 404
    trace = {"trace": {"source": port["id"]}}
    assert (await api.post("/v2.0/overlace/trace", json=trace)).json()["trace"]["verdict"] == "delivered"
    assert error(await api.post("/v2.0/overlace/trace", json={"trace": {}}))[0] == 400
    assert error(await api.post("/v2.0/overlace/trace", json={"trace": {"source": "nobody"}}))[0] == 404
    assert (await api.get("/v2.0/overlace/flows?of=red")).json()["flows"]["object"] == {"name": "red"}
    assert error(await api.get("/v2.0/overlace/flows"))[0] == 400
