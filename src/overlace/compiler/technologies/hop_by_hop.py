"""Hop by hop: frames cross OpenFlow switches on routes that the controller designs, under one label a host.

A frame travels in an Ethernet pseudowire (RFC 4448, without control word): behind an outer Ethernet header whose
destination and source are the labels of the two hosts, and one MPLS label, the network. Transit switches look
at the destination alone. See docs/adr/0005-hop-by-hop-labels.md.
"""

from collections.abc import Mapping

from overlace.compiler.pipeline import (
    DESTINATION_HOST,
    LABEL,
    NETWORK,
    SOURCE_HOST,
    UPLINK_GROUP,
    Flag,
    Table,
)
from overlace.compiler.reader import Reader
from overlace.compiler.rule import Conditions, flagged, goto, raise_flag, rule, visit
from overlace.compiler.technologies.fabric import attachment, next_hops
from overlace.compiler.technologies.label import host_label
from overlace.compiler.technologies.technology import NOTHING_NEEDED, HostView, Part
from overlace.compiler.technologies.transit import TRANSIT
from overlace.compiler.unit import UnitKind
from overlace.datapath.actions import (
    PACKET_TYPE_ETHERNET,
    PACKET_TYPE_MPLS,
    Action,
    Clone,
    Decap,
    Encap,
    Move,
    Output as Send,
    SendToGroup,
    Subfield,
    set_field,
)
from overlace.datapath.fields import EthType, Field
from overlace.datapath.flow import Bucket, Group, GroupType
from overlace.model import carriage
from overlace.model.site import Host

_MPLS: Conditions = {Field.ETH_TYPE: EthType.MPLS}


class HopByHop:
    """See `technologies.technology.Technology`."""

    carriage = carriage.HOP_BY_HOP
    transit: tuple[UnitKind, ...] = (TRANSIT,)

    def everywhere(self, mark: int, tunnel_port: int) -> Part:  # noqa: ARG002
        """Nothing: a host without an interface into the fabric has no use for it."""
        return NOTHING_NEEDED

    def network(self, network_key: int, segmentation_id: int, mark: int) -> Part:
        """Label to network key on the way in, and back on the way out."""
        unwrap = (set_field(NETWORK, network_key), Decap(), Decap(PACKET_TYPE_ETHERNET))
        flows = (
            rule(Table.LABEL_IN, 100, _labelled(segmentation_id), mark, *unwrap, goto(Table.ARMED)),
            rule(
                Table.ENCAPSULATE,
                100,
                {NETWORK: network_key},
                mark,
                set_field(LABEL, segmentation_id),
                goto(Table.FABRIC),
            ),
        )
        return Part(flows)

    def outside(self, network_key: int, segmentation_id: int, mark: int) -> Part:
        """The label with its top bit."""
        label = segmentation_id | self.carriage.outside
        into = (set_field(NETWORK, network_key), raise_flag(Flag.OUTSIDE))
        unwrap = (*into, Decap(), Decap(PACKET_TYPE_ETHERNET))
        come_in = {NETWORK: network_key, **flagged(Flag.OUTSIDE)}
        flows = (
            rule(Table.LABEL_IN, 100, _labelled(label), mark, *unwrap, goto(Table.ARMED)),
            rule(Table.ENCAPSULATE, 110, come_in, mark, set_field(LABEL, label), goto(Table.FABRIC)),
        )
        return Part(flows)

    def host(self, host: HostView, mark: int) -> Part:
        """Its label is that of a known sender, and it may be sent to."""
        from_it = {**_MPLS, Field.ETH_SRC: host_label(host.key)}
        flows = (
            rule(
                Table.FABRIC_ADMIT,
                100,
                from_it,
                mark,
                set_field(SOURCE_HOST, host.key),
                goto(Table.LABEL_IN),
            ),
            rule(Table.FABRIC, 100, {DESTINATION_HOST: host.key}, mark, goto(Table.UPLINK)),
        )
        return Part(flows)

    def own(self, host: HostView, mark: int) -> Part:
        """The one interface into the fabric: only wrapped frames leave by it, and of what it brings only those
        under this host's own label are taken.

        The group sends nothing while the interface is missing or has no carrier. Were a frame wrapped all the same,
        then Open vSwitch (3.1) would carry the wrapping that it did not output over to the next copy, and abort.
        """
        if host.fabric_ofport is None:
            return NOTHING_NEEDED
        label = host_label(host.key)
        for_us = {Field.IN_PORT: host.fabric_ofport, **_MPLS, Field.ETH_DST: label}
        flows = (
            rule(Table.CLASSIFY, 100, for_us, mark, raise_flag(Flag.FROM_TUNNEL), goto(Table.FABRIC_ADMIT)),
            rule(Table.UPLINK, 100, {}, mark, SendToGroup(UPLINK_GROUP)),
            rule(Table.WRAP, 100, {}, mark, Clone((*_wrap(label), Send(host.fabric_ofport)))),
        )
        bucket = Bucket(0, (visit(Table.WRAP),), watch_port=host.fabric_ofport)
        return Part(flows, groups=(Group(UPLINK_GROUP, GroupType.FAST_FAILOVER, (bucket,)),))

    def obstacles(self, reader: Reader, host: Host, others: Mapping[str, Host]) -> list[str]:
        """Hosts that have no way into the fabric, and hosts that no route leads to."""
        found = []
        for each in (host, *others.values()):
            reason = _detached(reader, each)
            if reason:
                found.append(reason)
        here = attachment(reader, host)
        if here is None or _detached(reader, host):
            return found
        for other in others.values():
            there = attachment(reader, other)
            if there is None or _detached(reader, other):
                continue
            if here.switch not in next_hops(reader, there.switch):
                found.append(f"no path through the fabric from host {host.id} to host {other.id}")
        return found


def _labelled(label: int) -> Conditions:
    return {**_MPLS, Field.MPLS_LABEL: label, Field.MPLS_BOS: 1}


def _wrap(own_label: int) -> tuple[Action, ...]:
    """Put a copy, so that the next host of a broadcast gets the frame as it was, behind label and outer header."""
    network, destination = Subfield(LABEL, 0, 20), Subfield(DESTINATION_HOST, 0, 32)
    return (
        Encap(PACKET_TYPE_MPLS),
        Move(network, Subfield(Field.MPLS_LABEL, 0, 20)),
        Encap(PACKET_TYPE_ETHERNET),
        set_field(Field.ETH_SRC, own_label),
        set_field(Field.ETH_DST, host_label(0)),
        Move(destination, Subfield(Field.ETH_DST, 0, 32)),
    )


def _detached(reader: Reader, host: Host) -> str:
    """Why a host is not in the fabric; empty when it is."""
    if not host.fabric_interface:
        return f"host {host.id} has no fabric_interface"
    ports = reader.fabric_ports(host.id)
    if ports is not None and host.fabric_interface not in ports:
        return f"interface {host.fabric_interface} of host {host.id} is not in its bridge, or has no carrier"
    found = attachment(reader, host)
    if found is None:
        return f"no link in service joins interface {host.fabric_interface} of host {host.id} to a transit switch"
    return ""
