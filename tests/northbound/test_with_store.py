"""The API on the real store: what was answered is still there after the store is opened again."""

from pathlib import Path
from typing import Any

import httpx
from tests.northbound.cloud import Cloud
from tests.northbound.conftest import StillWorld

from overlace.kit.clock import ManualClock
from overlace.northbound.application import create_application
from overlace.northbound.auth.bootstrap import bootstrap
from overlace.northbound.auth.none import NoAuthentication
from overlace.northbound.intents import Store as Intents
from overlace.northbound.views import Views
from overlace.store.store import Store


def cloud_over(store: Intents, world: StillWorld) -> Cloud:
    """An API over a store."""
    views = Views(world, world, world, world, world, world, world, world, world, world)
    application = create_application(store, views, NoAuthentication("127.0.0.1"), ManualClock())
    return Cloud(httpx.AsyncClient(transport=httpx.ASGITransport(application), base_url="http://api"))


async def test_given_the_real_store_when_reopened_then_everything_answers_as_before(
    tmp_path: Path, world: StillWorld
) -> None:
    store = await Store.open(tmp_path / "overlace.db", ManualClock())
    cloud = cloud_over(store, world)
    await bootstrap(store, "password")
    wish: dict[str, Any] = {"provider:segmentation_id": 7}
    await cloud.create("site", id="a")
    await cloud.create("host", id="h1", site_id="a", endpoints=[{"address": "192.0.2.1"}])
    network, subnet = await cloud.network("10.0.0.0/24", **wish)
    port = await cloud.create("port", network_id=network, allowed_address_pairs=[{"ip_address": "10.0.0.9"}])
    port = await cloud.update("port", port["id"], **{"binding:host_id": "h1"})
    assert await cloud.refused("network", **wish) == (409, "TunnelIdInUse")
    (group,) = await cloud.all("security_group")
    rule = await cloud.create("security_group_rule", security_group_id=group["id"], direction="ingress")
    await cloud.delete("security_group_rule", rule["id"])
    await cloud.client.put(f"/v2.0/networks/{network}/tags/blue")
    before = [await cloud.all(kind) for kind in ("network", "subnet", "port", "security_group", "host")]
    await store.close()

    store = await Store.open(tmp_path / "overlace.db", ManualClock())
    cloud = cloud_over(store, world)
    assert [
        await cloud.all(kind) for kind in ("network", "subnet", "port", "security_group", "host")
    ] == before
    assert (await cloud.show("port", port["id"]))["binding:vif_type"] == "ovs"
    await cloud.delete("port", port["id"])
    await cloud.delete("subnet", subnet)
    await cloud.delete("network", network)
    await store.close()


async def test_given_the_real_store_when_a_subnet_comes_then_the_networks_revision_rises(
    tmp_path: Path, world: StillWorld
) -> None:
    store = await Store.open(tmp_path / "overlace.db", ManualClock())
    cloud = cloud_over(store, world)
    network, _ = await cloud.network()
    assert (await cloud.show("network", network))["revision_number"] == 2
    assert (await cloud.update("network", network, name=""))["revision_number"] == 2
    await store.close()
