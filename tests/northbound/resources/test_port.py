"""Ports: addresses, security, place."""

from typing import Any

import pytest
from tests.northbound.cloud import Cloud, error
from tests.northbound.conftest import MemoryStore, StillWorld

from overlace.model.port import Binding, BindingState, Port


def _addresses(port: dict[str, Any]) -> list[str]:
    return [each["ip_address"] for each in port["fixed_ips"]]


async def test_given_a_subnet_when_ports_come_and_go_then_the_lowest_free_address_is_used(
    cloud: Cloud,
) -> None:
    network, _ = await cloud.network()
    ports = [await cloud.create("port", network_id=network) for _ in range(4)]
    assert [_addresses(port) for port in ports] == [["10.0.0.2"], ["10.0.0.3"], ["10.0.0.4"], ["10.0.0.5"]]
    await cloud.delete("port", ports[1]["id"])
    assert _addresses(await cloud.create("port", network_id=network)) == ["10.0.0.3"]
    assert _addresses(await cloud.create("port", network_id=network)) == ["10.0.0.6"]


async def test_given_a_full_subnet_when_a_port_is_made_then_it_is_refused(cloud: Cloud) -> None:
    network, _ = await cloud.network("10.0.0.0/30")
    await cloud.create("port", network_id=network)
    assert await cloud.refused("port", network_id=network) == (409, "IpAddressGenerationFailure")


async def test_given_wishes_when_created_then_subnet_and_address_are_honoured(cloud: Cloud) -> None:
    network, subnet = await cloud.network()
    both = [
        {"subnet_id": subnet, "ip_address": "10.0.0.77"},
        {"ip_address": "10.0.0.78"},
        {"subnet_id": subnet},
    ]
    port = await cloud.create("port", network_id=network, fixed_ips=both)
    assert _addresses(port) == ["10.0.0.77", "10.0.0.78", "10.0.0.2"]
    assert _addresses(await cloud.create("port", network_id=network, fixed_ips=[])) == []


@pytest.mark.parametrize(
    ("fixed_ip", "expected"),
    [
        ({"ip_address": "10.0.0.50"}, (409, "IpAddressAlreadyAllocated")),
        ({"ip_address": "10.1.0.1"}, (400, "InvalidIpForNetwork")),
        ({"ip_address": "10.0.0.255"}, (400, "InvalidIpForSubnet")),
        ({"subnet_id": "11111111-1111-1111-1111-111111111111"}, (404, "SubnetNotFound")),
        ({}, (400, "HTTPBadRequest")),
    ],
)
async def test_given_an_impossible_address_when_asked_for_then_it_is_refused(
    cloud: Cloud, fixed_ip: dict[str, str], expected: tuple[int, str]
) -> None:
    network, _ = await cloud.network()
    await cloud.create("port", network_id=network, fixed_ips=[{"ip_address": "10.0.0.50"}])
    assert await cloud.refused("port", network_id=network, fixed_ips=[fixed_ip]) == expected


async def test_given_a_mac_in_use_when_asked_for_then_only_another_network_grants_it(cloud: Cloud) -> None:
    (first, _), (second, _) = await cloud.network(), await cloud.network()
    await cloud.create("port", network_id=first, mac_address="02-00-00-00-00-01")
    wish = {"mac_address": "02:00:00:00:00:01"}
    assert await cloud.refused("port", network_id=first, **wish) == (409, "MacAddressInUse")
    port = await cloud.create("port", network_id=second, **wish)
    changed = await cloud.update("port", port["id"], mac_address=None)
    assert changed["mac_address"].startswith("fa:16:3e:")


async def test_given_port_security_when_off_then_groups_and_pairs_are_refused(cloud: Cloud) -> None:
    network, _ = await cloud.network(port_security_enabled=False)
    port = await cloud.create("port", network_id=network)
    assert (port["security_groups"], port["port_security_enabled"]) == ([], False)
    pairs = [{"ip_address": "10.0.0.9"}]
    assert (await cloud.refused_update("port", port["id"], allowed_address_pairs=pairs))[0] == 409
    guarded = await cloud.create("port", network_id=network, port_security_enabled=True)
    assert len(guarded["security_groups"]) == 1
    off = {"port_security_enabled": False}
    assert await cloud.refused_update("port", guarded["id"], **off) == (
        409,
        "PortSecurityPortHasSecurityGroup",
    )
    await cloud.update("port", guarded["id"], security_groups=[], **off)


async def test_given_address_pairs_when_shown_then_the_mac_is_filled_in(cloud: Cloud) -> None:
    network, _ = await cloud.network()
    pairs = [{"ip_address": "10.0.0.9"}, {"ip_address": "10.8.0.0/16", "mac_address": "02:00:00:00:00:09"}]
    port = await cloud.create("port", network_id=network, allowed_address_pairs=pairs)
    assert port["allowed_address_pairs"] == [
        {"ip_address": "10.0.0.9", "mac_address": port["mac_address"]},
        {"ip_address": "10.8.0.0/16", "mac_address": "02:00:00:00:00:09"},
    ]


async def test_given_dhcp_options_when_updated_then_null_removes_one(cloud: Cloud) -> None:
    network, _ = await cloud.network()
    options = [{"opt_name": "mtu", "opt_value": "1400"}, {"opt_name": "domain-name", "opt_value": "x"}]
    port = await cloud.create("port", network_id=network, extra_dhcp_opts=options)
    change = [{"opt_name": "mtu", "opt_value": None}, {"opt_name": "domain-name", "opt_value": "y"}]
    port = await cloud.update("port", port["id"], extra_dhcp_opts=change)
    assert port["extra_dhcp_opts"] == [{"opt_name": "domain-name", "opt_value": "y", "ip_version": 4}]


async def test_given_notes_of_a_compute_service_when_kept_in_the_profile_then_they_are_shown_as_given(
    cloud: Cloud,
) -> None:
    network, _ = await cloud.network()
    notes = {"os_vif_delegation": True, "migrating_to": "h2", "card": {"pci": ["0000:01:00.0"]}}
    port = await cloud.create("port", network_id=network, **{"binding:profile": notes})
    assert port["binding:profile"] == notes
    port = await cloud.update("port", port["id"], **{"binding:profile": {"interface_name": "tap1", "a": 1}})
    assert port["binding:profile"] == {"interface_name": "tap1", "a": 1}
    for profile in ({"a": "x" * 4095}, {"interface_name": 7}, {"interface_name": "n" * 16}):
        answer = await cloud.refused("port", network_id=network, **{"binding:profile": profile})
        assert answer == (400, "InvalidInput")
    port = await cloud.update("port", port["id"], **{"binding:profile": None})
    assert port["binding:profile"] == {}


async def test_given_a_host_when_a_port_is_bound_then_it_says_how(cloud: Cloud, world: StillWorld) -> None:
    network, _ = await cloud.network()
    await cloud.create("site", id="a")
    port = await cloud.create("port", network_id=network, **{"binding:host_id": "h1"})
    assert port["binding:vif_type"] == "binding_failed"
    await cloud.create("host", id="h1", site_id="a")
    profile = {"interface_name": "tap1"}
    wish = {"binding:host_id": "h1", "binding:profile": profile}
    port = await cloud.update("port", port["id"], **wish)
    assert (port["binding:vif_type"], port["binding:profile"]) == ("ovs", profile)
    assert await cloud.refused("port", network_id=network, **wish) == (409, "InterfaceInUse")
    assert await cloud.refused_delete("host", "h1") == (409, "HostInUse")
    world.active.add(port["id"])
    assert (await cloud.show("port", port["id"]))["status"] == "ACTIVE"
    port = await cloud.update("port", port["id"], **{"binding:host_id": ""})
    assert port["binding:vif_type"] == "unbound"
    await cloud.delete("host", "h1")


async def test_given_a_bound_port_when_another_host_prepares_and_activates_then_the_old_one_releases(
    cloud: Cloud, store: MemoryStore
) -> None:
    network, _ = await cloud.network()
    await cloud.create("site", id="a")
    for host in ("h1", "h2"):
        await cloud.create("host", id=host, site_id="a")
    port = await cloud.create("port", network_id=network, **{"binding:host_id": "h1"})
    base = f"/v2.0/ports/{port['id']}/bindings"
    prepared = await cloud.client.post(base, json={"binding": {"host": "h2"}})
    assert (prepared.status_code, prepared.json()["binding"]["status"]) == (201, "INACTIVE")
    assert (
        error(await cloud.client.post(base, json={"binding": {"host": "h2"}}))[1]
        == "PortBindingAlreadyExists"
    )
    assert (await cloud.show("port", port["id"]))["binding:host_id"] == "h1"
    assert error(await cloud.client.delete(f"{base}/h1")) == (409, "PortBindingActive")
    activated = await cloud.client.put(f"{base}/h2/activate")
    assert activated.json()["binding"]["status"] == "ACTIVE"
    assert error(await cloud.client.put(f"{base}/h2/activate")) == (409, "PortBindingAlreadyActive")
    states = {b.host_id: (b.state, b.generation) for b in store.snapshot.members(Binding, "port", port["id"])}
    assert states == {"h1": (BindingState.RELEASING, 1), "h2": (BindingState.ACTIVE, 2)}
    assert (await cloud.client.delete(f"{base}/h1")).status_code == 204
    assert [each["host"] for each in (await cloud.client.get(base)).json()["bindings"]] == ["h2"]
    await cloud.delete("port", port["id"])
    assert store.pools["zone:h1"] == store.pools["zone:h2"] == set()


async def test_given_bindings_with_profiles_when_another_is_activated_then_each_keeps_its_own(
    cloud: Cloud,
) -> None:
    network, _ = await cloud.network()
    await cloud.create("site", id="a")
    for host in ("h1", "h2", "h3"):
        await cloud.create("host", id=host, site_id="a")
    wish = {"binding:host_id": "h1", "binding:profile": {"rack": 1}}
    port = await cloud.create("port", network_id=network, **wish)
    base = f"/v2.0/ports/{port['id']}/bindings"

    async def profiles() -> dict[str, Any]:
        found = (await cloud.client.get(base)).json()["bindings"]
        shown = {each["host"]: each["profile"] for each in found}
        return shown | {"port": (await cloud.show("port", port["id"]))["binding:profile"]}

    made = await cloud.client.post(base, json={"binding": {"host": "h2", "profile": {"migrating_to": "h2"}}})
    assert (made.status_code, made.json()["binding"]["profile"]) == (201, {"migrating_to": "h2"})
    assert await profiles() == {"h1": {"rack": 1}, "h2": {"migrating_to": "h2"}, "port": {"rack": 1}}
    changed = await cloud.client.put(f"{base}/h2", json={"binding": {"profile": {"rack": 2}}})
    assert changed.json()["binding"]["profile"] == {"rack": 2}
    await cloud.client.put(f"{base}/h2/activate")
    assert await profiles() == {"h1": {"rack": 1}, "h2": {"rack": 2}, "port": {"rack": 2}}
    await cloud.client.put(f"{base}/h2", json={"binding": {"profile": {"rack": 22}}})
    assert (await profiles())["port"] == {"rack": 22}
    await cloud.client.put(f"{base}/h1/activate")  # back again, as after a migration that failed
    assert await profiles() == {"h1": {"rack": 1}, "h2": {"rack": 22}, "port": {"rack": 1}}
    await cloud.client.post(base, json={"binding": {"host": "h3"}})
    await cloud.client.put(f"{base}/h3/activate")  # nobody said anything of it: the port keeps its own
    assert (await profiles())["port"] == {"rack": 1}


@pytest.mark.parametrize("profile", [7, [], "x", {"interface_name": "tap1"}, {"a": "x" * 4095}])
async def test_given_a_profile_that_is_none_when_a_binding_gets_it_then_it_is_refused(
    cloud: Cloud, profile: object
) -> None:
    network, _ = await cloud.network()
    await cloud.create("site", id="a")
    await cloud.create("host", id="h1", site_id="a")
    port = await cloud.create("port", network_id=network)
    body = {"binding": {"host": "h1", "profile": profile}}
    assert error(await cloud.client.post(f"/v2.0/ports/{port['id']}/bindings", json=body))[0] == 400
    assert (await cloud.client.get(f"/v2.0/ports/{port['id']}/bindings")).json() == {"bindings": []}


async def test_given_a_reserved_host_when_another_project_binds_then_it_is_refused(cloud: Cloud) -> None:
    network, _ = await cloud.network()
    await cloud.create("site", id="a")
    await cloud.create("host", id="h1", site_id="a", projects=["another"])
    assert (await cloud.refused("port", network_id=network, **{"binding:host_id": "h1"}))[0] == 403


async def test_given_a_port_when_made_then_it_holds_a_key_that_returns(
    cloud: Cloud, store: MemoryStore
) -> None:
    network, _ = await cloud.network()
    port = await cloud.create("port", network_id=network, tags=["a"])
    stored = store.snapshot.get(Port, port["id"])
    assert stored is not None
    assert (stored.key in store.pools["port_key"], port["tags"]) == (True, ["a"])
    await cloud.delete("port", port["id"])
    assert stored.key not in store.pools["port_key"]


async def test_an_address_that_late_frames_carry_is_no_port_s(cloud: Cloud) -> None:
    network, _ = await cloud.network()
    assert await cloud.refused("port", network_id=network, mac_address="0a:4f:00:00:00:07") == (
        400,
        "InvalidInput",
    )
