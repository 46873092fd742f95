"""Answers that the switch gives itself: ARP (RFC 826) and neighbour advertisements (RFC 4861 7.2.4)."""

from ipaddress import IPv4Address

from overlace.compiler.pipeline import NETWORK, Table
from overlace.compiler.plan import FragmentId
from overlace.compiler.rule import ARP, goto, neighbour, rule, visit
from overlace.datapath.actions import IN_PORT, Output as Send, move, set_field
from overlace.datapath.fields import Field
from overlace.datapath.flow import Flow
from overlace.kit.addresses import IPAddress

NEIGHBOUR_ANSWERS: FragmentId = ("neighbour-answers",)
_SOLICITED_OVERRIDE = 0x60000000
_OVERRIDE = 0x20000000
_ALL_NODES = 0xFF02 << 112 | 1


def answer(network_key: int, address: IPAddress, mac: int, mark: int) -> Flow:
    """The flow that answers for one address of a network."""
    if isinstance(address, IPv4Address):
        return _arp_reply(network_key, address, mac, mark)
    return _solicited(network_key, address, mac, mark)


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


def _solicited(network_key: int, address: IPAddress, mac: int, mark: int) -> Flow:
    """From here on the solicitation is for the one who has the address, whoever answers it (`neighbour_answers`)."""
    asked = {NETWORK: network_key, **neighbour(135), Field.ND_TARGET: address}
    return rule(Table.RESPOND, 100, asked, mark, set_field(Field.ETH_DST, mac), goto(Table.RESPOND_ND))


def neighbour_answers(mark: int) -> tuple[Flow, ...]:
    """What makes a solicitation into the advertisement that its destination would send, and sends it back.

    A node that checks for a duplicate asks from ``::``; it is answered at all-nodes, unsolicited. The datapath of the
    kernel cannot write flags and options of neighbour discovery: a host that has it goes without these flows, and the
    destination is asked itself.
    """
    advertise = (
        move(Field.ND_TARGET, Field.IPV6_SRC),
        set_field(Field.ICMPV6_TYPE, 136),
        visit(Table.RESPOND_ND),
    )
    return (
        rule(
            Table.RESPOND_ND,
            100,
            neighbour(135),
            mark,
            set_field(Field.ND_RESERVED, _SOLICITED_OVERRIDE),
            move(Field.IPV6_SRC, Field.IPV6_DST),
            *advertise,
        ),
        rule(
            Table.RESPOND_ND,
            110,
            {**neighbour(135), Field.IPV6_SRC: 0},
            mark,
            set_field(Field.ND_RESERVED, _OVERRIDE),
            set_field(Field.IPV6_DST, _ALL_NODES),
            *advertise,
        ),
        # The option can be named only where the type is 136. It holds the answerer's address while that and the
        # asker's change places.
        rule(
            Table.RESPOND_ND,
            100,
            neighbour(136),
            mark,
            set_field(Field.ND_OPTIONS_TYPE, 2),
            move(Field.ETH_DST, Field.ND_TLL),
            move(Field.ETH_SRC, Field.ETH_DST),
            move(Field.ND_TLL, Field.ETH_SRC),
            Send(IN_PORT),
        ),
    )
