"""The checks find what is wrong: each is shown a cloud with one fault."""

from dataclasses import replace
from random import Random

import pytest
from tests.compiler.proof.checks import frames_fare_as_meant, held_is_planned, warm_is_cold
from tests.compiler.proof.choice import RandomChoice
from tests.compiler.proof.cloud import HOSTS, Cloud

from overlace.compiler.pipeline import Table
from overlace.datapath.actions import set_field
from overlace.datapath.fields import Field
from overlace.datapath.flow import Flow
from overlace.model.policy import Direction, EtherType, SecurityGroup


@pytest.fixture
def cloud() -> Cloud:
    """Two tenants, each with an open port on two hosts."""
    built = Cloud()
    for key, host in enumerate(HOSTS[:2], start=1):
        built.join(host, key)
    for key in (1, 2):
        built.world.network(f"n{key}", key)
        built.world.group(f"g{key}", key)
        for number, (direction, family) in enumerate((d, f) for d in Direction for f in EtherType):
            built.world.permit(f"g{key}", number, direction, ethertype=family)
        for number, host in enumerate(HOSTS[:2]):
            port = built.world.port(f"p{key}{number}", 10 * key + number, f"n{key}", 11 + number, f"g{key}")
            built.world.bind(port, host, built.plug(port, host))
    built.compile()
    return built


def try_many(cloud: Cloud) -> None:
    choice = RandomChoice(Random(1))
    for _ in range(200):
        frames_fare_as_meant(cloud, choice)


def flows_of(cloud: Cloud, table: Table) -> list[Flow]:
    return cloud.switches.by_name["h1"].switch.tables.flows(table)


def test_nothing_is_found_where_nothing_is_wrong(cloud: Cloud) -> None:
    warm_is_cold(cloud)
    held_is_planned(cloud)
    try_many(cloud)


def test_a_flow_that_is_missing_is_found(cloud: Cloud) -> None:
    cloud.switches.by_name["h1"].switch.tables.remove(flows_of(cloud, Table.DELIVER)[0].key)
    with pytest.raises(AssertionError):
        held_is_planned(cloud)
    with pytest.raises(AssertionError, match="is to be"):
        try_many(cloud)


def test_a_key_that_was_not_made_dirty_is_found(cloud: Cloud) -> None:
    group = cloud.world.snapshot.get(SecurityGroup, "g1")
    assert group is not None
    cloud.world.put(replace(group, key=9))
    cloud.world.take_dirty()
    cloud.compile()
    with pytest.raises(AssertionError):
        warm_is_cold(cloud)


def test_a_wire_identifier_of_another_tenant_is_found(cloud: Cloud) -> None:
    tables = cloud.switches.by_name["h1"].switch.tables
    for flow in flows_of(cloud, Table.WIRE_IN):
        if any(condition.value == 5001 for condition in flow.match):
            wrong = set_field(Field.METADATA, 2)
            tables.add(replace_actions(flow, (wrong, *flow.actions[1:])))
    with pytest.raises(AssertionError, match="another tenant's"):
        try_many(cloud)


def replace_actions(flow: Flow, actions: tuple[object, ...]) -> Flow:
    return Flow(flow.table, flow.priority, flow.match, actions, flow.cookie)  # type: ignore[arg-type]
