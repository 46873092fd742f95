"""A raw socket on one interface that gives back frames as they were on the wire, VLAN tag included.

The kernel takes the outermost VLAN tag out of a frame before a packet socket sees it and tells it in
auxiliary data (packet(7), PACKET_AUXDATA); it is put back here, else a relayed trunk would lose its tags.
"""

import socket
import struct

ETH_P_ALL = 0x0003
SOL_PACKET = 263
PACKET_AUXDATA = 8
PACKET_IGNORE_OUTGOING = 23
SO_SNDBUFFORCE = 32
SO_RCVBUFFORCE = 33
TP_STATUS_VLAN_VALID = 1 << 4
TP_STATUS_VLAN_TPID_VALID = 1 << 6
# struct tpacket_auxdata: status, length, captured length, MAC and network offset, VLAN TCI and TPID.
AUXDATA = struct.Struct("IIIHHHH")
SPACE = socket.CMSG_SPACE(AUXDATA.size)
BUFFER = 32 << 20


class FrameSocket:
    """Reads and writes whole Ethernet frames.

    `tagged` asks for the (slower) reading that keeps VLAN tags.
    """

    __slots__ = ("_size", "_socket", "recv", "send")

    def __init__(self, interface: str, mtu: int, tagged: bool) -> None:
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self._socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, BUFFER)
        self._socket.setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, BUFFER)
        self._socket.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
        if tagged:
            self._socket.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        # Binding with a protocol only now keeps frames of other interfaces out of the queue.
        self._socket.bind((interface, ETH_P_ALL))
        self._socket.setblocking(False)
        # Ethernet header, and two VLAN tags or a stack of MPLS labels.
        self._size = mtu + 14 + 64
        self.send = self._socket.send
        self.recv = self._recv_tagged if tagged else self._recv_plain

    def fileno(self) -> int:
        return self._socket.fileno()

    def close(self) -> None:
        self._socket.close()

    def _recv_plain(self) -> bytes:
        return self._socket.recv(self._size)

    def _recv_tagged(self) -> bytes:
        frame, ancillary, _, _ = self._socket.recvmsg(self._size, SPACE)
        for level, kind, data in ancillary:
            if level == SOL_PACKET and kind == PACKET_AUXDATA:
                status, _, _, _, _, tci, tpid = AUXDATA.unpack_from(data)
                if status & TP_STATUS_VLAN_VALID:
                    if not status & TP_STATUS_VLAN_TPID_VALID:
                        tpid = 0x8100
                    return frame[:12] + struct.pack("!HH", tpid, tci) + frame[12:]
        return frame
