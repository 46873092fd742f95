"""Forms of option values."""

from ipaddress import IPv4Address, IPv4Network

import pytest
from hypothesis import given, strategies as st

from overlace.wire.dhcpv4 import options
from overlace.wire.dhcpv4.options import Route
from overlace.wire.errors import MalformedError

networks = st.builds(
    lambda address, length: IPv4Network((address, length), strict=False),
    st.ip_addresses(v=4),
    st.integers(0, 32),
)
routes = st.lists(st.tuples(networks, st.ip_addresses(v=4)), max_size=6).map(tuple)


@given(routes)
def test_classless_routes_round_trip(value: tuple[Route, ...]) -> None:
    assert options.decode_classless_routes(options.encode_classless_routes(value)) == value


@pytest.mark.parametrize(
    ("network", "destination"),
    [  # the table of RFC 3442
        ("0.0.0.0/0", "00"),
        ("10.0.0.0/8", "080a"),
        ("10.0.0.0/24", "180a0000"),
        ("10.17.0.0/16", "100a11"),
        ("10.27.129.0/24", "180a1b81"),
        ("10.229.0.128/25", "190ae50080"),
        ("10.198.122.47/32", "200ac67a2f"),
    ],
)
def test_destination_descriptors(network: str, destination: str) -> None:
    route = (IPv4Network(network), IPv4Address("192.0.2.1"))
    assert options.encode_classless_routes([route]).hex() == destination + "c0000201"


@given(st.binary(max_size=40))
def test_arbitrary_values_raise_nothing_but_the_typed_error(data: bytes) -> None:
    for decode in (
        options.decode_classless_routes,
        options.decode_addresses,
        options.decode_address,
        options.decode_architectures,
    ):
        try:
            decode(data)
        except MalformedError:
            pass


@given(st.lists(st.ip_addresses(v=4), min_size=1).map(tuple))
def test_addresses_round_trip(addresses: tuple[IPv4Address, ...]) -> None:
    assert options.decode_addresses(options.encode_addresses(addresses)) == addresses


def test_integers() -> None:
    assert options.decode_integer(options.encode_integer(1450, 2), 2) == 1450
    with pytest.raises(ValueError, match="does not fit"):
        options.encode_integer(65_536, 2)
    with pytest.raises(MalformedError):
        options.decode_integer(b"\0", 2)


def test_architectures() -> None:
    assert options.decode_architectures(b"\0\7\0\11") == (7, 9)
