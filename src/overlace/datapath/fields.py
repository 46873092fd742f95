"""Match fields and registers of Open vSwitch, by their ovs-fields(7) names.

Only names and widths live here: what the fields mean on the wire belongs to `wire.openflow`, what they
mean for a packet to `datapath.interpreter`. Values are unsigned integers of `bits` bits in network order:
a MAC address is 48 bits, an IPv6 address 128.
"""

from enum import Enum


class Field(Enum):
    """One match field: ``(ovs-fields name, width in bits)``."""

    # metadata of the packet
    IN_PORT = ("in_port", 32)
    PACKET_TYPE = ("packet_type", 32)
    TUN_ID = ("tun_id", 64)
    TUN_SRC = ("tun_src", 32)
    TUN_DST = ("tun_dst", 32)
    TUN_IPV6_SRC = ("tun_ipv6_src", 128)
    TUN_IPV6_DST = ("tun_ipv6_dst", 128)
    METADATA = ("metadata", 64)
    REG0 = ("reg0", 32)
    REG1 = ("reg1", 32)
    REG2 = ("reg2", 32)
    REG3 = ("reg3", 32)
    REG4 = ("reg4", 32)
    REG5 = ("reg5", 32)
    REG6 = ("reg6", 32)
    REG7 = ("reg7", 32)
    REG8 = ("reg8", 32)
    REG9 = ("reg9", 32)
    REG10 = ("reg10", 32)
    REG11 = ("reg11", 32)
    REG12 = ("reg12", 32)
    REG13 = ("reg13", 32)
    REG14 = ("reg14", 32)
    REG15 = ("reg15", 32)
    # connection tracking
    CT_STATE = ("ct_state", 32)
    CT_ZONE = ("ct_zone", 16)
    CT_MARK = ("ct_mark", 32)
    CT_LABEL = ("ct_label", 128)
    # Ethernet
    ETH_SRC = ("eth_src", 48)
    ETH_DST = ("eth_dst", 48)
    ETH_TYPE = ("eth_type", 16)
    VLAN_TCI = ("vlan_tci", 16)
    # MPLS
    MPLS_LABEL = ("mpls_label", 20)
    MPLS_TC = ("mpls_tc", 3)
    MPLS_BOS = ("mpls_bos", 1)
    MPLS_TTL = ("mpls_ttl", 8)
    # IP
    IPV4_SRC = ("nw_src", 32)
    IPV4_DST = ("nw_dst", 32)
    IPV6_SRC = ("ipv6_src", 128)
    IPV6_DST = ("ipv6_dst", 128)
    IP_PROTO = ("nw_proto", 8)
    IP_DSCP = ("ip_dscp", 6)
    IP_ECN = ("nw_ecn", 2)
    IP_TTL = ("nw_ttl", 8)
    IP_FRAG = ("ip_frag", 8)
    # transport
    TCP_SRC = ("tcp_src", 16)
    TCP_DST = ("tcp_dst", 16)
    TCP_FLAGS = ("tcp_flags", 12)
    UDP_SRC = ("udp_src", 16)
    UDP_DST = ("udp_dst", 16)
    SCTP_SRC = ("sctp_src", 16)
    SCTP_DST = ("sctp_dst", 16)
    ICMPV4_TYPE = ("icmp_type", 8)
    ICMPV4_CODE = ("icmp_code", 8)
    ICMPV6_TYPE = ("icmpv6_type", 8)
    ICMPV6_CODE = ("icmpv6_code", 8)
    # ARP and neighbour discovery
    ARP_OP = ("arp_op", 16)
    ARP_SPA = ("arp_spa", 32)
    ARP_TPA = ("arp_tpa", 32)
    ARP_SHA = ("arp_sha", 48)
    ARP_THA = ("arp_tha", 48)
    ND_TARGET = ("nd_target", 128)
    ND_SLL = ("nd_sll", 48)
    ND_TLL = ("nd_tll", 48)
    ND_RESERVED = ("nd_reserved", 32)
    ND_OPTIONS_TYPE = ("nd_options_type", 8)

    def __init__(self, ovs_name: str, bits: int) -> None:
        self.ovs_name = ovs_name
        self.bits = bits
        self.full_mask = (1 << bits) - 1
        self.order = len(type(self).__members__)

    __hash__ = object.__hash__  # Enum's own hashes the name in Python; fields are keys of hot dictionaries

    def __repr__(self) -> str:
        return self.ovs_name


FIELD_BY_NAME: dict[str, Field] = {field.ovs_name: field for field in Field}


class CtState:
    """Bits of `Field.CT_STATE` (ovs-fields(7), "Connection Tracking Fields")."""

    NEW = 0x01
    EST = 0x02
    REL = 0x04
    RPL = 0x08
    INV = 0x10
    TRK = 0x20
    SNAT = 0x40
    DNAT = 0x80


class IpFrag:
    """Values of `Field.IP_FRAG`: ANY set for each fragment, LATER for all but the first."""

    ANY = 0x1
    LATER = 0x2


class EthType:
    """EtherTypes the pipeline names (IEEE 802 registry)."""

    IPV4 = 0x0800
    ARP = 0x0806
    RARP = 0x8035
    VLAN = 0x8100
    QINQ = 0x88A8
    IPV6 = 0x86DD
    MPLS = 0x8847
    LLDP = 0x88CC


class IpProto:
    """IP protocol numbers the pipeline names (IANA registry)."""

    ICMP = 1
    TCP = 6
    UDP = 17
    IPV6_FRAGMENT = 44
    ICMPV6 = 58
    SCTP = 132


VLAN_PRESENT = 0x1000
"""Bit of `Field.VLAN_TCI` set when the frame carries an 802.1Q tag (ovs-fields(7), vlan_tci)."""
