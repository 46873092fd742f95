"""Our rule over one switch: to become its master, and what a master says to it first."""

from collections.abc import Callable

from overlace.southbound.openflow_channel import SwitchConnection
from overlace.wire.openflow.messages import FRAGMENTS_NX_MATCH, GetConfigReply, GetConfigRequest, SetConfig

_WHOLE_PACKETS = 0xFFFF
"""Bytes of a packet-in (OFPCML_NO_BUFFER)."""


class Mastership:
    """Held from `take` to `lose`, under the generation of the last `begin`."""

    def __init__(self, generation_id: Callable[[], int]) -> None:
        """`generation_id` tells the epoch of the lease under which this controller writes."""
        self._newest = generation_id
        self._generation_id = -1
        self.held = False

    @property
    def can_be_renewed(self) -> bool:
        """Whether there is a newer lease than that under which the switch was taken, or refused, last."""
        return self._newest() > self._generation_id

    def begin(self) -> None:
        """From now on the newest lease counts."""
        self._generation_id = self._newest()

    async def take(self, connection: SwitchConnection) -> None:
        """Become master, which takes the switch from whoever was. Raises PassiveError when it is newer than we."""
        await connection.become_master(self._generation_id)
        self.held = True
        _set_fragments(connection)

    def lose(self) -> None:
        """The switch is another's, or its connection is a new one."""
        self.held = False

    async def restore_settings(self, connection: SwitchConnection) -> bool:
        """Whether what was said at the start had to be said again.

        How fragments are matched is the bridge's, and anybody may set it (``ovs-ofctl set-frags``). The rest (form and
        size of packet-ins, asynchronous messages) is this connection's own: nobody else can change it, and Open
        vSwitch forgets it only with the connection.
        """
        if not self.held:
            return False
        answers = await connection.request(GetConfigRequest())
        if all(isinstance(each, GetConfigReply) and each.flags == FRAGMENTS_NX_MATCH for each in answers):
            return False
        _set_fragments(connection)
        return True


def _set_fragments(connection: SwitchConnection) -> None:
    """The source guard judges a datagram by its first fragment; without this its ports would read 0."""
    connection.tell(SetConfig(FRAGMENTS_NX_MATCH, _WHOLE_PACKETS))
