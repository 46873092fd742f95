"""Answers that the switch gives itself: ARP (RFC 826) and neighbour advertisements (RFC 4861 7.2.4)."""

from ipaddress import IPv4Address

from overlace.compiler.pipeline import NETWORK, Table
from overlace.compiler.rule import ARP, neighbour, rule, visit
from overlace.datapath.actions import IN_PORT, Output as Send, move, set_field
from overlace.datapath.fields import Field
from overlace.datapath.flow import Flow
from overlace.kit.addresses import IPAddress

_SOLICITED_OVERRIDE = 0x60000000
_OVERRIDE = 0x20000000


def answer(network_key: int, address: IPAddress, mac: int, mark: int) -> list[Flow]:
    """The flows that answer for one address of a network."""
    if isinstance(address, IPv4Address):
        return [_arp_reply(network_key, address, mac, mark)]
    return _neighbour_advertisement(network_key, address, mac, mark)


def _arp_reply(network_key: int, address: IPv4Address, mac: int, mark: int) -> Flow:
    asked = {NETWORK: network_key, **ARP, Field.ARP_OP: 1, Field.ARP_TPA: address}
    return rule(
        Table.RESPOND,
        100,
        asked,
        mark,
        move(Field.ETH_SRC, Field.ETH_DST),
        set_field(Field.ETH_SRC, mac),
        set_field(Field.ARP_OP, 2),
        move(Field.ARP_SHA, Field.ARP_THA),
        set_field(Field.ARP_SHA, mac),
        move(Field.ARP_SPA, Field.ARP_TPA),
        set_field(Field.ARP_SPA, int(address)),
        Send(IN_PORT),
    )


def _neighbour_advertisement(network_key: int, address: IPAddress, mac: int, mark: int) -> list[Flow]:
    """A node that checks for a duplicate asks from ``::``; it is answered at all-nodes, unsolicited."""
    asked = {NETWORK: network_key, **neighbour(135), Field.ND_TARGET: address}
    common = (
        move(Field.ETH_SRC, Field.ETH_DST),
        set_field(Field.ETH_SRC, mac),
        set_field(Field.IPV6_SRC, int(address)),
    )
    all_nodes = 0xFF02 << 112 | 1
    return [
        rule(
            Table.RESPOND,
            100,
            asked,
            mark,
            move(Field.IPV6_SRC, Field.IPV6_DST),
            *common,
            set_field(Field.ICMPV6_TYPE, 136),
            set_field(Field.ND_RESERVED, _SOLICITED_OVERRIDE),
            visit(Table.RESPOND_ND),
        ),
        rule(
            Table.RESPOND,
            110,
            {**asked, Field.IPV6_SRC: 0},
            mark,
            set_field(Field.IPV6_DST, all_nodes),
            *common,
            set_field(Field.ICMPV6_TYPE, 136),
            set_field(Field.ND_RESERVED, _OVERRIDE),
            visit(Table.RESPOND_ND),
        ),
    ]
