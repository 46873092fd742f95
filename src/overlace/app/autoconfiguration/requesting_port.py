"""Whose packet a switch has handed over, and how to answer out of the same port."""

from overlace.compiler.pipeline import SOURCE_PORT
from overlace.datapath.actions import Output
from overlace.datapath.fields import Field
from overlace.model.network import Subnet
from overlace.model.port import Binding, Port
from overlace.model.snapshot import Snapshot
from overlace.wire.openflow.messages import PacketIn, PacketOut


def requesting_port(snapshot: Snapshot, host: str, packet: PacketIn) -> Port | None:
    """The port whose key the pipeline put on the packet."""
    key = packet.metadata.get(SOURCE_PORT)
    if key is None:
        return None
    for binding in snapshot.members(Binding, "host", host):
        port = snapshot.get(Port, binding.port_id)
        if port is not None and port.key == key.value:
            return port
    return None


def subnets_of(snapshot: Snapshot, port: Port) -> list[Subnet]:
    """The subnets in which the port has addresses, in the order of these, each once."""
    named = (snapshot.get(Subnet, each) for each in dict.fromkeys(ip.subnet_id for ip in port.fixed_ips))
    return [subnet for subnet in named if subnet is not None]


def back(packet: PacketIn, frame: bytes) -> PacketOut | None:
    """Send a frame out of the OpenFlow port that the packet came in by; None where the switch did not tell."""
    in_port = packet.metadata.get(Field.IN_PORT)
    return None if in_port is None else PacketOut(frame, (Output(in_port.value),))
