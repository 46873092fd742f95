"""Masks of megaflows, as Open vSwitch prints them."""

from bench.switch_process import masks

NARROW = "recirc_id(0),in_port(1),eth(src=02:00:00:00:00:01/ff:ff:ff:ff:ff:ff),ipv4(src=10.1.0.1/128.0.0.0,proto=17)"
ANOTHER = "recirc_id(0),in_port(1),eth(src=02:00:00:00:00:09/ff:ff:ff:ff:ff:ff),ipv4(src=10.2.0.9/128.0.0.0,proto=6)"
WIDER = (
    "recirc_id(0),in_port(1),eth(src=02:00:00:00:00:01/ff:ff:ff:ff:ff:ff),ipv4(src=10.1.0.1/0.0.0.0,proto=17)"
)


def test_flows_that_differ_only_in_values_share_a_mask() -> None:
    assert masks([NARROW, ANOTHER]) == 1


def test_other_bits_make_another_mask() -> None:
    assert masks([NARROW, WIDER]) == 2
