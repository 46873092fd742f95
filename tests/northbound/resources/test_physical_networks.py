"""Networks on physical networks: what may be asked for, in Neutron's words, and what is shown."""

from typing import Any

import httpx
import pytest
from tests.northbound.cloud import Cloud, error


@pytest.fixture
async def hosts(cloud: Cloud) -> Cloud:
    """h1 bridges rack, h2 rack and lab; h3 nothing."""
    await cloud.create("site", id="a")
    for name, physical in (("h1", ["rack"]), ("h2", ["rack", "lab"]), ("h3", [])):
        bridges = [{"physical_network": each, "bridge": f"br-{each}"} for each in physical]
        await cloud.create("host", id=name, site_id="a", physical_networks=bridges)
    return cloud


def provider(kind: str, physical: str | None = None, number: int | None = None) -> dict[str, Any]:
    given = {"network_type": kind, "physical_network": physical, "segmentation_id": number}
    return {f"provider:{word}": value for word, value in given.items() if value is not None}


async def refused(cloud: Cloud, **attributes: Any) -> tuple[int, str, str]:
    answer: httpx.Response = await cloud.client.post("/v2.0/networks", json={"network": attributes})
    return (*error(answer), answer.json()["NeutronError"]["message"])


async def test_given_a_vlan_when_asked_for_then_it_is_shown_as_asked_and_what_carries_it_is_not(
    hosts: Cloud,
) -> None:
    made = await hosts.create("network", **provider("vlan", "rack", 100))
    assert {name: made[name] for name in provider("vlan", "rack", 100)} == provider("vlan", "rack", 100)
    assert not made.get("segments")
    same = await hosts.update("network", made["id"], **provider("vlan", "rack", 100))
    assert same["id"] == made["id"]
    assert (await hosts.refused_update("network", made["id"], **provider("vlan", "rack", 101)))[0] == 409
    flat = await hosts.create("network", **provider("flat", "lab"))
    assert (flat["provider:network_type"], flat["provider:segmentation_id"]) == ("flat", None)


@pytest.mark.parametrize(("asked", "message"), [
    (provider("vlan"), "physical_network required for VLAN provider network"),
    (provider("flat"), "physical_network required for flat provider network"),
    (provider("vlan", "moon", 7), "physical_network 'moon' unknown for VLAN provider network"),
    (provider("flat", "moon"), "physical_network 'moon' unknown for flat provider network"),
    (provider("vlan", "rack"), "segmentation_id required for VLAN provider network"),
    (provider("vlan", "rack", 4095), "segmentation_id out of range (1 through 4094)"),
    (provider("vlan", "rack", 0), "segmentation_id out of range (1 through 4094)"),
    (provider("flat", "rack", 7), "segmentation_id prohibited for flat provider network"),
    (provider("vxlan", "rack"), "provider:physical_network specified for vxlan network"),
    ({"segments": [provider("vlan", "rack", 7), provider("flat", "lab")]}, "at most one physical network"),
])  # fmt: skip
async def test_given_what_cannot_be_when_asked_for_then_it_is_the_clients_fault(
    hosts: Cloud, asked: dict[str, Any], message: str
) -> None:
    status, kind, text = await refused(hosts, **asked)
    assert (status, kind) == (400, "InvalidInput")
    assert message in text


async def test_given_what_another_network_has_when_asked_for_then_it_is_in_use(hosts: Cloud) -> None:
    await hosts.create("network", **provider("vlan", "rack", 100))
    await hosts.create("network", **provider("flat", "rack"))
    await hosts.create("network", **provider("vlan", "lab", 100))
    assert (await refused(hosts, **provider("vlan", "rack", 100)))[:2] == (409, "VlanIdInUse")
    assert (await refused(hosts, **provider("flat", "rack")))[:2] == (409, "FlatNetworkInUse")


async def test_given_a_network_when_a_segment_is_added_and_removed_then_it_is_bridged_and_no_more(
    hosts: Cloud,
) -> None:
    made = await hosts.create("network")
    vlan = {"network_type": "vlan", "physical_network": "rack", "segmentation_id": 7}
    segment = await hosts.create("segment", network_id=made["id"], **vlan)
    assert len((await hosts.show("network", made["id"]))["segments"]) == 2
    flat = {"network_type": "flat", "physical_network": "lab"}
    assert (await hosts.refused("segment", network_id=made["id"], **flat))[0] == 400
    (overlay,) = [each for each in await hosts.all("segment") if each["id"] != segment["id"]]
    assert await hosts.refused_delete("segment", overlay["id"]) == (409, "SegmentInUse")
    await hosts.delete("segment", segment["id"])
    assert (await hosts.show("network", made["id"]))["provider:network_type"] == "vxlan"

    # a network that was asked for on a VLAN becomes one of the overlay when it is taken off
    bridged = await hosts.create("network", **provider("vlan", "rack", 7))
    (segment,) = [each for each in await hosts.all("segment") if each["network_type"] == "vlan"]
    await hosts.delete("segment", segment["id"])
    assert (await hosts.show("network", bridged["id"]))["provider:network_type"] == "vxlan"


async def test_given_hosts_when_their_bridges_change_then_names_are_checked_and_needed_ones_stay(
    hosts: Cloud,
) -> None:
    await hosts.create("network", **provider("flat", "lab"))
    assert await hosts.refused_update("host", "h2", physical_networks=[]) == (409, "PhysicalNetworkInUse")
    assert await hosts.refused_delete("host", "h2") == (409, "PhysicalNetworkInUse")
    lab = {"physical_network": "lab", "bridge": "br-lab"}
    changed = await hosts.update("host", "h3", physical_networks=[lab])
    assert changed["physical_networks"] == [lab]
    await hosts.update("host", "h2", physical_networks=[])
    for bad in (
        [{"physical_network": "lab", "bridge": "br-overlace"}],
        [lab, {"physical_network": "lab", "bridge": "br-other"}],
        [{"physical_network": "", "bridge": "br-lab"}],
        [{"physical_network": "lab", "bridge": "a name that is too long"}],
        [{"physical_network": "lab"}],
        ["lab=br-lab"],
    ):
        assert (await hosts.refused_update("host", "h3", physical_networks=bad))[0] == 400, bad
