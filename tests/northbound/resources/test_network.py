"""Networks and how they are carried."""

from tests.northbound.cloud import Cloud
from tests.northbound.conftest import MemoryStore

from overlace.model.network import Network, Segment


async def test_given_no_wish_when_created_then_it_is_vxlan_with_an_identifier_and_a_key(
    cloud: Cloud, store: MemoryStore
) -> None:
    network = await cloud.create("network")
    assert network["provider:network_type"] == "vxlan"
    assert network["provider:segmentation_id"] > 0
    stored = store.snapshot.get(Network, network["id"])
    assert stored is not None
    assert stored.key > 0


async def test_given_an_identifier_in_use_when_asked_for_then_it_is_refused(cloud: Cloud) -> None:
    wish = {"provider:network_type": "vxlan", "provider:segmentation_id": "777"}
    first = await cloud.create("network", **wish)
    assert first["provider:segmentation_id"] == 777
    assert await cloud.refused("network", **wish) == (409, "TunnelIdInUse")
    await cloud.delete("network", first["id"])
    assert (await cloud.create("network", **wish))["provider:segmentation_id"] == 777


async def test_given_two_technologies_when_created_then_both_are_segments(
    cloud: Cloud, store: MemoryStore
) -> None:
    segments = [{"provider:network_type": "vxlan"}, {"provider:network_type": "hop"}]
    network = await cloud.create("network", segments=segments)
    assert [each["provider:network_type"] for each in network["segments"]] == ["hop", "vxlan"]
    assert network["provider:network_type"] is None
    assert len(list(store.snapshot.members(Segment, "network", network["id"]))) == 2


async def test_given_a_hop_by_hop_network_when_created_then_its_label_is_its_own_and_its_mtu_fits(
    cloud: Cloud,
) -> None:
    hop = {"provider:network_type": "hop"}
    first, second = await cloud.create("network", **hop), await cloud.create("network", **hop)
    labels = {first["provider:segmentation_id"], second["provider:segmentation_id"]}
    assert len(labels) == 2
    assert first["mtu"] == 1500 - 18
    wished = {**hop, "provider:segmentation_id": 777}
    assert (await cloud.create("network", **wished))["provider:segmentation_id"] == 777
    assert await cloud.refused("network", **wished) == (409, "TunnelIdInUse")
    assert (await cloud.refused("network", **hop, **{"provider:segmentation_id": 1 << 20}))[0] == 400
    # the same number is free for the other technology
    other = {"provider:network_type": "vxlan", "provider:segmentation_id": 777}
    assert (await cloud.create("network", **other))["provider:segmentation_id"] == 777


async def test_given_wishes_that_nothing_carries_when_created_then_they_are_refused(cloud: Cloud) -> None:
    assert (await cloud.refused("network", **{"provider:network_type": "gre"}))[0] == 400
    assert (await cloud.refused("network", **{"provider:physical_network": "p"}))[0] == 400
    assert (await cloud.refused("network", **{"provider:segmentation_id": 0xFFFFFF}))[0] == 400
    both = {"segments": [{"provider:network_type": "hop"}], "provider:network_type": "vxlan"}
    assert await cloud.refused("network", **both) == (400, "SegmentsSetInConjunctionWithProviders")


async def test_given_sites_when_created_then_the_mtu_is_the_narrowest_less_the_overhead(cloud: Cloud) -> None:
    assert (await cloud.create("network"))["mtu"] == 1450
    await cloud.create("site", id="a", mtu=9000)
    await cloud.create("site", id="b", mtu=1600)
    assert (await cloud.create("network"))["mtu"] == 1550
    await cloud.create("host", id="h", site_id="a", endpoints=[{"address": "2001:db8::1"}])
    assert (await cloud.create("network"))["mtu"] == 1530
    assert (await cloud.refused("network", mtu=1531))[0] == 400


async def test_given_a_subnet_when_the_mtu_would_be_too_small_for_it_then_it_is_refused(cloud: Cloud) -> None:
    network, _ = await cloud.network()
    assert await cloud.refused_update("network", network, mtu=67) == (409, "NetworkMTUSubnetConflict")


async def test_given_a_network_when_its_carriage_would_change_then_it_is_refused(cloud: Cloud) -> None:
    network = await cloud.create("network")
    same = {"provider:segmentation_id": network["provider:segmentation_id"]}
    await cloud.update("network", network["id"], **same)
    assert (await cloud.refused_update("network", network["id"], **{"provider:segmentation_id": 5}))[0] == 409


async def test_given_a_network_when_deleted_then_subnets_and_segments_go_too(
    cloud: Cloud, store: MemoryStore
) -> None:
    network, subnet = await cloud.network()
    await cloud.delete("network", network)
    assert await cloud.all("subnet", f"id={subnet}") == []
    assert store.snapshot.count(Segment) == 0


async def test_given_a_network_when_a_segment_is_added_then_it_has_two_and_keeps_one(cloud: Cloud) -> None:
    network = await cloud.create("network")
    added = await cloud.create("segment", network_id=network["id"], network_type="hop", name="h")
    assert await cloud.names("segment", f"network_id={network['id']}&network_type=hop") == ["h"]
    assert (await cloud.refused("segment", network_id=network["id"], network_type="hop"))[0] == 400
    await cloud.delete("segment", added["id"])
    (last,) = await cloud.all("segment", f"network_id={network['id']}")
    assert await cloud.refused_delete("segment", last["id"]) == (409, "SegmentInUse")
