"""Bytes leave when what they say is durable, in the order in which they were given."""

from overlace.kit.revision import Revision
from overlace.southbound.outbox import Outbox


class Wires:
    """Two connections."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, bytes]] = []

    def first(self, data: bytes) -> None:
        self.sent.append(("first", data))

    def second(self, data: bytes) -> None:
        self.sent.append(("second", data))


def revision(number: int) -> Revision:
    return Revision("site", 1, number)


def test_given_nothing_that_waits_bytes_leave_at_once() -> None:
    outbox, wires = Outbox(), Wires()
    outbox.release(revision(3))
    outbox.expect(revision(3))
    outbox.send(wires.first, b"a")
    assert wires.sent == [("first", b"a")]


def test_given_a_revision_that_is_not_durable_bytes_wait_and_so_do_those_behind_them() -> None:
    outbox, wires = Outbox(), Wires()
    outbox.release(revision(3))
    # given bytes of two revisions to two switches
    outbox.expect(revision(4))
    outbox.send(wires.first, b"4")
    outbox.expect(revision(5))
    outbox.send(wires.second, b"5")
    outbox.send(wires.first, b"echo")
    assert wires.sent == []
    # when the first is durable, then what says it leaves, and no more
    outbox.release(revision(4))
    assert wires.sent == [("first", b"4")]
    outbox.release(revision(5))
    assert wires.sent == [("first", b"4"), ("second", b"5"), ("first", b"echo")]
    # and what comes then is not held up
    outbox.send(wires.second, b"x")
    assert wires.sent[-1] == ("second", b"x")


def test_given_word_of_several_at_once_all_of_it_leaves() -> None:
    outbox, wires = Outbox(), Wires()
    for number in (1, 2, 3):
        outbox.expect(revision(number))
        outbox.send(wires.first, b"%d" % number)
    outbox.release(revision(9))
    assert [data for _, data in wires.sent] == [b"1", b"2", b"3"]


def test_given_what_is_sent_when_bytes_are_let_go_it_comes_behind_them() -> None:
    outbox, wires = Outbox(), Wires()

    def answers(data: bytes) -> None:
        wires.first(data)
        outbox.send(wires.first, b"again")

    outbox.expect(revision(1))
    outbox.send(answers, b"once")
    outbox.send(wires.second, b"other")
    outbox.release(revision(1))
    assert wires.sent == [("first", b"once"), ("second", b"other"), ("first", b"again")]
