"""The announcement of a moved workload: one RARP frame from its MAC address, as QEMU sends it.

RFC 903 request reverse (operation 3) with the workload as source and target and no protocol addresses;
switches learn the place from the source MAC.
"""

import socket

from overlace.lab.namespace import entered

ETHERTYPE_RARP = 0x8035
BROADCAST = b"\xff" * 6
SHORTEST_FRAME = 60


def rarp_frame(mac: str) -> bytes:
    """The frame, padded to the shortest Ethernet frame without check sequence."""
    address = bytes.fromhex(mac.replace(":", ""))
    header = BROADCAST + address + ETHERTYPE_RARP.to_bytes(2, "big")
    hardware_and_protocol = bytes.fromhex("000108000604") + (3).to_bytes(2, "big")
    body = hardware_and_protocol + address + bytes(4) + address + bytes(4)
    return (header + body).ljust(SHORTEST_FRAME, b"\0")


def announcer(netns: str, interface: str) -> socket.socket:
    """A socket that sends frames at an interface of a namespace; opened beforehand, it sends without
    delay."""
    with entered(netns):
        sender = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        try:
            sender.bind((interface, 0))
        except OSError:
            sender.close()
            raise
    return sender
