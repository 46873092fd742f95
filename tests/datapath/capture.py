"""Real frames through a private switch: put them into a port, read what leaves the others.

The daemon handles one command per turn of its main loop, and packets between; so once a second command is
answered, the packets that came before it have been processed.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.datapath.private_switch import PrivateSwitch

from overlace.datapath.interpreter.decode import from_frame
from overlace.datapath.interpreter.encode import to_frame
from overlace.datapath.interpreter.packet import Packet

_FILE_HEADER = 24
_RECORD_HEADER = 16


@dataclass
class Taps:
    """The capture files of a switch's dummy ports, read forward."""

    switch: PrivateSwitch
    ports: dict[int, str]
    """Names by OpenFlow port."""
    _read: dict[int, int] = field(default_factory=dict)

    def exchange(
        self, port: int, packet: Packet | bytes, sequence: tuple[int, int] = (0, 0)
    ) -> list[tuple[int, Packet]]:
        """Send a frame into a port and return what came out where."""
        frame = packet if isinstance(packet, bytes) else to_frame(packet, sequence)
        return self.sent(lambda: self._put(port, frame))

    def sent(self, action: Callable[[], object]) -> list[tuple[int, Packet]]:
        """What comes out of the ports while an action is under way."""
        for other in self.ports:
            self._read[other] = self._file(other).stat().st_size
        action()
        return [(other, from_frame(data)) for other in self.ports for data in self._new_frames(other)]

    def _put(self, port: int, frame: bytes) -> None:
        self.switch.appctl("revalidator/purge")  # else flows of an earlier table could still be cached
        self.switch.receive(self.ports[port], frame)
        for _ in range(3):
            self.switch.appctl("version")

    def _file(self, port: int) -> Path:
        return self.switch.directory / f"{self.ports[port]}.pcap"

    def _new_frames(self, port: int) -> list[bytes]:
        data = self._file(port).read_bytes()
        frames = []
        at = max(self._read[port], _FILE_HEADER)
        while at < len(data):
            (size,) = struct.unpack_from("<I", data, at + 8)
            frames.append(data[at + _RECORD_HEADER : at + _RECORD_HEADER + size])
            at += _RECORD_HEADER + size
        return frames
