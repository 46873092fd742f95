"""What switches are told of a revision waits here until that is durable.

A change is worked out for the switches while the disk still syncs it. Only the bytes have to wait, and whatever
is to be sent after them, to whichever switch: so order is kept.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from overlace.kit.revision import Revision

Send = Callable[[bytes], None]


@dataclass(slots=True)
class Outbox:
    """One for all connections."""

    _durable: Revision | None = None
    _newest: Revision | None = None
    _waiting: deque[tuple[Revision, Send, bytes]] = field(default_factory=deque)

    def expect(self, revision: Revision) -> None:
        """What is sent from now on may say what is in this revision. Revisions do not go back."""
        if self._durable is None or self._durable < revision:
            self._newest = revision

    def release(self, revision: Revision) -> None:
        """All up to this revision is durable: send what waited for that."""
        self._durable = revision
        while self._waiting and not revision < self._waiting[0][0]:
            _, send, data = self._waiting.popleft()
            send(data)
        if self._newest is not None and not revision < self._newest:
            self._newest = None

    def send(self, send: Send, data: bytes) -> None:
        """Send it now, or when its turn comes."""
        if self._newest is None:
            send(data)
        else:
            self._waiting.append((self._newest, send, data))
