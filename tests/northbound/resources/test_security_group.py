"""Security groups and their rules."""

from typing import Any

import pytest
from tests.northbound.cloud import Cloud

ANOTHER = "11111111-1111-1111-1111-111111111111"


async def test_given_a_project_when_groups_are_listed_then_the_default_one_is_there_once(
    cloud: Cloud,
) -> None:
    await cloud.all("security_group")
    (group,) = await cloud.all("security_group")
    described = sorted(
        (rule["direction"], rule["ethertype"], rule["remote_group_id"] == group["id"])
        for rule in group["security_group_rules"]
    )
    assert described == [
        ("egress", "IPv4", False),
        ("egress", "IPv6", False),
        ("ingress", "IPv4", True),
        ("ingress", "IPv6", True),
    ]
    assert all(rule["belongs_to_default_sg"] for rule in group["security_group_rules"])


async def test_given_the_default_group_when_imitated_or_renamed_then_it_is_refused(cloud: Cloud) -> None:
    (group,) = await cloud.all("security_group")
    assert await cloud.refused("security_group", name="Default") == (409, "SecurityGroupDefaultAlreadyExists")
    assert (await cloud.refused_update("security_group", group["id"], name="x"))[0] == 409
    other = await cloud.create("security_group", name="x")
    assert (await cloud.refused_update("security_group", other["id"], name="default"))[0] == 409


async def test_given_a_new_group_when_shown_then_it_lets_everything_out(cloud: Cloud) -> None:
    group = await cloud.create("security_group", name="g")
    assert [rule["direction"] for rule in group["security_group_rules"]] == ["egress", "egress"]


async def test_given_a_group_in_use_when_deleted_then_it_is_refused(cloud: Cloud) -> None:
    network, _ = await cloud.network()
    group = await cloud.create("security_group", name="g")
    port = await cloud.create("port", network_id=network, security_groups=[group["id"]])
    assert await cloud.refused_delete("security_group", group["id"]) == (409, "SecurityGroupInUse")
    assert (await cloud.refused_update("security_group", group["id"], stateful=False))[0] == 409
    await cloud.delete("port", port["id"])
    await cloud.delete("security_group", group["id"])


async def test_given_stateful_and_stateless_groups_when_on_one_port_then_it_is_refused(cloud: Cloud) -> None:
    network, _ = await cloud.network()
    groups = [(await cloud.create("security_group", name="g", stateful=each))["id"] for each in (True, False)]
    assert await cloud.refused("port", network_id=network, security_groups=groups) == (
        409,
        "SecurityGroupConflict",
    )


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"protocol": "tcp", "port_range_min": 5, "port_range_max": 4}, "SecurityGroupInvalidPortRange"),
        ({"protocol": "tcp", "port_range_min": 5}, "SecurityGroupInvalidPortRange"),
        ({"protocol": "tcp", "port_range_min": 1, "port_range_max": 70000}, "SecurityGroupInvalidPortValue"),
        ({"port_range_min": 1, "port_range_max": 2}, "SecurityGroupProtocolRequiredWithPorts"),
        ({"protocol": "ah", "port_range_min": 1, "port_range_max": 2}, "SecurityGroupInvalidProtocolForPort"),
        ({"protocol": "icmp", "port_range_max": 2}, "SecurityGroupMissingIcmpType"),
        ({"protocol": "icmp", "port_range_min": 256}, "SecurityGroupInvalidIcmpValue"),
        ({"protocol": "ipv6-icmp"}, "SecurityGroupEthertypeConflictWithProtocol"),
        ({"protocol": "58"}, "SecurityGroupEthertypeConflictWithProtocol"),
        ({"protocol": "bad"}, "HTTPBadRequest"),
        ({"protocol": 256}, "HTTPBadRequest"),
        ({"remote_ip_prefix": "2001:db8::/64"}, "SecurityGroupRuleParameterConflict"),
        ({"remote_group_id": ANOTHER}, "SecurityGroupNotFound"),
        ({"direction": "sideways"}, "HTTPBadRequest"),
        ({"ethertype": "ARP"}, "HTTPBadRequest"),
    ],
)
async def test_given_a_senseless_rule_when_created_then_it_is_refused(
    cloud: Cloud, given: dict[str, Any], error: str
) -> None:
    group = await cloud.create("security_group", name="g")
    body = {"security_group_id": group["id"], "direction": "ingress", **given}
    assert (await cloud.refused("security_group_rule", **body))[1] == error


async def test_given_both_remotes_when_created_then_it_is_refused(cloud: Cloud) -> None:
    group = (await cloud.create("security_group", name="g"))["id"]
    body = {"direction": "ingress", "remote_group_id": group, "remote_ip_prefix": "10.0.0.0/8"}
    refused = await cloud.refused("security_group_rule", security_group_id=group, **body)
    assert refused == (400, "SecurityGroupRemoteGroupAndRemoteIpPrefix")


async def test_given_a_rule_when_its_twin_comes_in_other_words_then_it_is_refused(cloud: Cloud) -> None:
    group = (await cloud.create("security_group", name="g"))["id"]
    body = {"security_group_id": group, "direction": "ingress", "port_range_min": "80", "port_range_max": 80}
    rule = await cloud.create("security_group_rule", protocol="TCP", **body)
    assert (rule["protocol"], rule["port_range_min"]) == ("tcp", 80)
    twin = {**body, "protocol": 6, "remote_ip_prefix": "0.0.0.0/0"}
    assert await cloud.refused("security_group_rule", **twin) == (409, "SecurityGroupRuleExists")
    assert await cloud.refused_update("security_group_rule", rule["id"], protocol="udp") == (
        400,
        "HTTPBadRequest",
    )


async def test_given_a_group_when_its_rules_change_then_its_revision_rises(cloud: Cloud) -> None:
    group = await cloud.create("security_group", name="g")
    rule = await cloud.create("security_group_rule", security_group_id=group["id"], direction="ingress")
    between = (await cloud.show("security_group", group["id"]))["revision_number"]
    await cloud.delete("security_group_rule", rule["id"])
    after = (await cloud.show("security_group", group["id"]))["revision_number"]
    assert group["revision_number"] < between < after
