"""One batch on its way into a switch: what to send, and what the answers mean.

The quick way sends everything at once (meters, the bundle, its commit, a barrier) and waits for the barrier's
reply. Any error in between is a failure, also when the commit was answered with success: Open vSwitch leaves
a message that it could not accept out of the bundle and commits the rest. How much was applied is then unknown.

The careful way gives each message an id of its own and commits only after a barrier has shown that all were
accepted; so nothing is applied in part, and an error names the message that caused it. It is the way to go
after the quick one has failed.
"""

from collections.abc import Callable
from dataclasses import dataclass

from overlace.southbound.encoding import (
    BARRIER,
    BARRIER_XID,
    COMMIT,
    COMMIT_XID,
    DISCARD,
    FIRST_CAREFUL_XID,
    OPEN,
    EncodedBatch,
    Subject,
    with_xid,
)
from overlace.wire.openflow.messages import BarrierReply, BundleControl, Error, Message


@dataclass(frozen=True, slots=True)
class Refusal:
    """One error of the switch; `subject` is known in the careful way only."""

    reason: str
    subject: Subject | None


class Transaction:
    """The state of one batch under way. `done` gets the refusals; none means that all of it is in the tables."""

    def __init__(
        self, batch: EncodedBatch, done: Callable[[list[Refusal]], None], *, careful: bool = False
    ) -> None:
        self._batch = batch
        self._done = done
        self._careful = careful
        self._committing = not careful
        self._committed = not batch.bundle
        self._refusals: list[Refusal] = []

    def first_bytes(self) -> bytes:
        """What to send to begin."""
        batch = self._batch
        if not self._careful:
            return batch.at_once
        before = self._numbered(batch.before, 0, bundled=False)
        if not batch.bundle:
            return b"".join([*before, BARRIER])
        bundle = self._numbered(batch.bundle, len(batch.before), bundled=True)
        return b"".join([*before, OPEN, *bundle, BARRIER])

    def take_usual_answer(self) -> bool:
        """The switch has said what it says to a bundle without errors. False when that is not what is awaited."""
        if self._careful or not self._batch.bundle or self._committed or self._refusals:
            return False
        self._done([])
        return True

    def answer(self, xid: int, message: Message) -> bytes:
        """Take a message whose id is ours; return what to send next, if anything."""
        match message:
            case Error():
                self._refusals.append(Refusal(str(message), self._subject(xid)))
            case BundleControl() if xid == COMMIT_XID:
                self._committed = True
            case BarrierReply() if xid == BARRIER_XID:
                return self._fence()
        return b""

    def _fence(self) -> bytes:
        """All messages up to here were processed: go on to the commit, or finish."""
        if self._committing or not self._batch.bundle:
            if not self._committed and not self._refusals:
                self._refusals.append(Refusal("the switch did not answer the commit", None))
            self._done(self._refusals)
            return b""
        self._committing = True
        if self._refusals:
            self._committed = True
            return DISCARD + BARRIER
        return COMMIT + BARRIER

    def _subject(self, xid: int) -> Subject | None:
        index = xid - FIRST_CAREFUL_XID
        return self._batch.subjects[index] if 0 <= index < len(self._batch.subjects) else None

    def _numbered(self, messages: list[bytes], first: int, *, bundled: bool) -> list[bytes]:
        start = FIRST_CAREFUL_XID + first
        return [with_xid(message, start + i, bundled=bundled) for i, message in enumerate(messages)]
