"""Addresses given back rest until every host has heard of it: nobody is taken for their last holder."""

from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from tests.northbound.cloud import Cloud
from tests.northbound.conftest import MemoryStore

from overlace.model.port import RestingAddress


@dataclass
class Network:
    """A shared network of few addresses, of which the first is the gateway's."""

    id: str
    cloud: Cloud
    store: MemoryStore

    async def port(self, project: str, address: str | None = None) -> dict[str, Any]:
        fixed = {} if address is None else {"fixed_ips": [{"ip_address": address}]}
        return await self.cloud.create("port", network_id=self.id, project_id=project, **fixed)

    async def refused(self, project: str, address: str | None = None) -> httpx.Response:
        fixed = {} if address is None else {"fixed_ips": [{"ip_address": address}]}
        body = {"port": {"network_id": self.id, "project_id": project, **fixed}}
        answer = await self.cloud.client.post("/v2.0/ports", json=body)
        assert answer.status_code == 409, answer.text
        return answer

    def resting(self) -> set[str]:
        return {str(each.ip_address) for each in self.store.snapshot.all(RestingAddress)}


async def network(cloud: Cloud, store: MemoryStore, cidr: str) -> Network:
    await cloud.create("site", id="a")
    await cloud.create("host", id="h1", site_id="a")
    made = await cloud.create("network", shared=True, project_id="red")
    version = 6 if ":" in cidr else 4
    await cloud.create("subnet", network_id=made["id"], ip_version=version, cidr=cidr, project_id="red")
    return Network(made["id"], cloud, store)


def only(port: dict[str, Any]) -> str:
    (fixed,) = port["fixed_ips"]
    return str(fixed["ip_address"])


@pytest.mark.parametrize(("cidr", "free"), [("10.0.0.0/29", 5), ("fd00::/125", 6)])
async def test_given_a_port_that_is_gone_then_its_address_goes_to_nobody_unasked_while_another_is_free(
    cloud: Cloud, store: MemoryStore, cidr: str, free: int
) -> None:
    net = await network(cloud, store, cidr)
    first = await net.port("red")
    await cloud.delete("port", first["id"])
    assert net.resting() == {only(first)}
    others = [only(await net.port("blue")) for _ in range(free - 1)]
    assert only(first) not in others

    # all else is taken: another project is refused, the one that had it has it again, and it rests no more
    assert "No more IP addresses" in (await net.refused("blue")).text
    assert only(await net.port("red")) == only(first)
    assert net.resting() == set()


async def test_given_an_address_that_rests_then_another_project_does_not_get_it_by_name(
    cloud: Cloud, store: MemoryStore
) -> None:
    net = await network(cloud, store, "10.0.0.0/29")
    first = await net.port("red", "10.0.0.5")
    await cloud.delete("port", first["id"])
    answer = (await net.refused("blue", "10.0.0.5")).json()["NeutronError"]
    assert answer["type"] == "IpAddressAlreadyAllocated"
    assert "was another project's until now" in answer["message"]
    assert "those that are away were removed" in answer["message"]
    again = await net.port("red", "10.0.0.5")
    assert net.resting() == set()

    # the same for one that a port gives back and goes on without
    await cloud.update("port", again["id"], fixed_ips=[{"ip_address": "10.0.0.6"}])
    assert net.resting() == {"10.0.0.5"}
    await net.refused("blue", "10.0.0.5")
    await cloud.update("port", again["id"], fixed_ips=[{"ip_address": "10.0.0.5"}])
    assert net.resting() == {"10.0.0.6"}


async def test_given_nobody_who_could_hold_it_then_nothing_rests(cloud: Cloud, store: MemoryStore) -> None:
    net = await network(cloud, store, "10.0.0.0/29")
    await net.port("red", "10.0.0.5")
    (port,) = await cloud.all("port")
    await cloud.delete("port", port["id"])
    assert net.resting() == {"10.0.0.5"}
    await cloud.delete("network", net.id)  # whose key rests instead
    assert net.resting() == set()

    await cloud.delete("host", "h1")
    made, _ = await cloud.network()
    port = await cloud.create("port", network_id=made)
    await cloud.delete("port", port["id"])
    assert net.resting() == set()
