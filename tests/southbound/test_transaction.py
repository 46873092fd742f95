"""What the answers to a batch mean, read message by message or known by their bytes."""

import pytest
from tests.southbound.flow_samples import flow, meter

from overlace.southbound.encoding import USUAL_ANSWERS, Encoder
from overlace.southbound.order import Batch
from overlace.southbound.transaction import Refusal, Transaction
from overlace.wire.openflow.codec import Decoder, encode
from overlace.wire.openflow.messages import Error, Hello
from overlace.wire.openflow.session import Session

BUNDLE = Encoder().batch(Batch(flows_put=(flow(1),)))
METER_ALONE = Encoder().batch(Batch(meters_added=(meter(1),)))


class Told:
    """How a transaction ended, once it has."""

    def __init__(self) -> None:
        self.ends: list[list[Refusal]] = []


@pytest.mark.parametrize("answer", sorted(USUAL_ANSWERS))
def test_the_usual_answer_known_by_its_bytes_says_what_reading_it_says(answer: bytes) -> None:
    known, read = Told(), Told()
    assert Transaction(BUNDLE, known.ends.append).take_usual_answer()
    transaction = Transaction(BUNDLE, read.ends.append)
    for xid, message in Decoder().feed(answer):
        transaction.answer(xid, message)
    assert known.ends == read.ends == [[]]


def test_it_is_not_the_answer_to_what_was_sent_carefully_or_without_a_bundle_or_after_an_error() -> None:
    told = Told()
    assert not Transaction(BUNDLE, told.ends.append, careful=True).take_usual_answer()
    assert not Transaction(METER_ALONE, told.ends.append).take_usual_answer()
    refused = Transaction(BUNDLE, told.ends.append)
    refused.answer(0xFFFF0003, Error(5, 1))
    assert not refused.take_usual_answer()
    assert told.ends == []


def test_bytes_are_passed_over_only_between_messages_of_a_session_that_stands() -> None:
    session = Session(0.0)
    assert not session.pass_over(1.0)  # the peer has not said hello
    session.receive(encode(Hello((6,)), 1), 1.0)
    assert session.pass_over(100.0)
    before = session.next_deadline()
    assert before is not None and before > 100.0  # it counts as heard
    session.receive(encode(Hello((6,)), 1)[:5], 101.0)
    assert not session.pass_over(102.0)
