"""Every declared resource survives its row."""

import json
from dataclasses import fields, replace
from datetime import UTC, datetime
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any, get_type_hints

import pytest
from hypothesis import given, settings, strategies as st

from overlace.kit.addresses import Mac
from overlace.model.declaration import RESOURCES
from overlace.model.network import AllocationPool, HostRoute, Network, Subnet
from overlace.model.port import AddressPair, DhcpOption, FixedIp, Port
from overlace.model.site import Host, Link, TransitSwitch, TunnelEndpoint
from overlace.store.codec import decode_row, encode_row, encode_value
from overlace.store.errors import InvalidValue
from overlace.store.tables import VALUES

TEXT = st.text(st.characters(codec="utf-8"), max_size=8)
ADDRESS = st.ip_addresses()
PREFIX: st.SearchStrategy[IPv4Network | IPv6Network] = ADDRESS.map(ip_network)
MAC = st.integers(0, (1 << 48) - 1).map(Mac)
PARTS: dict[type, st.SearchStrategy[Any]] = {
    AllocationPool: st.builds(AllocationPool, ADDRESS, ADDRESS),
    HostRoute: st.builds(HostRoute, PREFIX, ADDRESS),
    FixedIp: st.builds(FixedIp, TEXT, ADDRESS),
    AddressPair: st.builds(AddressPair, PREFIX, st.none() | MAC),
    DhcpOption: st.builds(DhcpOption, TEXT, TEXT, st.sampled_from([4, 6])),
    TunnelEndpoint: st.builds(TunnelEndpoint, ADDRESS, st.integers(0, 9)),
    str: TEXT,
    int: st.integers(-(1 << 63), (1 << 63) - 1),
    datetime: st.datetimes(timezones=st.just(UTC)).map(lambda at: at.replace(microsecond=0)),
}
for _part, _strategy in PARTS.items():
    st.register_type_strategy(_part, _strategy)


def values_of(cls: type) -> st.SearchStrategy[Any]:
    """Any value of a resource."""
    chosen: dict[str, st.SearchStrategy[Any]] = {"datapath_id": st.integers(0, (1 << 64) - 1)}
    names = {each.name for each in fields(cls)}
    by_name = {name: strategy for name, strategy in chosen.items() if name in names}
    by_type = {name: st.from_type(kind) for name, kind in get_type_hints(cls).items() if name in names}
    return st.builds(cls, **by_type | by_name)


@pytest.mark.parametrize("cls", list(RESOURCES), ids=lambda cls: cls.__name__)
@given(data=st.data())
@settings(max_examples=30, deadline=None)
def test_a_value_survives_its_row(cls: type, data: st.DataObject) -> None:
    value = data.draw(values_of(cls))
    row = encode_row(value)
    assert set(row) == {column.name for column in VALUES[cls].columns}
    assert row["id"] == value.id
    assert decode_row(cls, row) == value
    assert json.loads(encode_value(value)).keys() == {each.name for each in fields(cls)}


def test_scalars_have_columns_and_tuples_are_json() -> None:
    subnet = Subnet(
        id="s",
        project_id="red",
        network_id="n",
        name="front",
        cidr=ip_network("10.0.0.0/24"),
        allocation_pools=(AllocationPool(ip_address("10.0.0.2"), ip_address("10.0.0.9")),),
    )
    row = encode_row(subnet)
    assert (row["cidr"], row["gateway_ip"], row["enable_dhcp"]) == ("10.0.0.0/24", None, True)
    assert row["allocation_pools"] == '[{"start":"10.0.0.2","end":"10.0.0.9"}]'


def test_a_datapath_id_may_use_all_64_bits() -> None:
    assert encode_row(Host(id="h", site_id="a", datapath_id=(1 << 64) - 1))["datapath_id"] == "f" * 16


@pytest.mark.parametrize(
    "value",
    [
        Link(a_node="a", a_interface="1", b_node="b", b_interface="1", cost=1 << 63),
        TransitSwitch(id="t", site_id="a", datapath_id=1 << 64),
        replace(Network(id="n", project_id="p", name=""), description="\ud800"),
        replace(Network(id="n", project_id="p", name=""), tags=("\ud800",)),
    ],
    ids=["integer", "datapath", "text", "tag"],
)
def test_what_no_column_can_hold_is_refused(value: Any) -> None:
    with pytest.raises(InvalidValue):
        encode_row(value)


def test_what_many_values_name_is_one_object() -> None:
    # given two ports of one network, as two rows that share nothing
    ports = [
        Port(
            id=str(number),
            project_id="p1",
            network_id="net-1",
            name="",
            mac_address=Mac(number),
            fixed_ips=(FixedIp("subnet-1", ip_address(f"10.0.0.{number}")),),
            security_groups=("group-1",),
        )
        for number in (1, 2)
    ]
    rows = [
        {
            name: "".join(list(cell)) if isinstance(cell, str) else cell
            for name, cell in encode_row(port).items()
        }
        for port in ports
    ]
    # when they are read
    one, two = (decode_row(Port, row) for row in rows)
    # then they share what they name
    assert one.network_id is two.network_id
    assert one.project_id is two.project_id
    assert one.security_groups[0] is two.security_groups[0]
    assert one.fixed_ips[0].subnet_id is two.fixed_ips[0].subnet_id
