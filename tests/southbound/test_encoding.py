"""Messages: encoded once, shared, and numbered where it matters."""

import pytest
from tests.southbound.flow_samples import flow, group, meter

from overlace.datapath.actions import Goto, Output
from overlace.datapath.flow import Flow
from overlace.datapath.match import match
from overlace.southbound.encoding import BUNDLE_XID, Encoder, EncodingError, with_xid
from overlace.southbound.order import Batch
from overlace.wire.openflow.codec import Decoder
from overlace.wire.openflow.messages import BundleAdd, FlowMod, FlowModCommand


def test_equal_flows_are_the_same_bytes_object() -> None:
    encoder = Encoder()
    assert encoder.put(flow(1)) is encoder.put(flow(1))
    assert (encoder.encoded_flows, encoder.cache_hits) == (1, 1)


def test_what_is_in_use_survives_the_turn_of_the_cache_and_the_rest_is_forgotten() -> None:
    encoder = Encoder(generation_size=2)
    kept = encoder.put(flow(1))
    for number in range(2, 20):
        encoder.put(flow(number))
        assert encoder.put(flow(1)) is kept
    assert encoder.encoded_flows == 19
    encoder.put(flow(2))
    assert encoder.encoded_flows == 20


def test_a_flow_travels_in_a_bundle_message_under_one_transaction_id() -> None:
    [(outer_xid, outer)] = Decoder().feed(Encoder().put(flow(1)))
    assert isinstance(outer, BundleAdd)
    [(inner_xid, inner)] = Decoder().feed(outer.message)
    assert outer_xid == inner_xid == BUNDLE_XID
    assert inner == FlowMod(FlowModCommand.ADD, flow(1))


def test_another_id_is_written_in_both_places() -> None:
    [(outer_xid, outer)] = Decoder().feed(with_xid(Encoder().put(flow(1)), 4711, bundled=True))
    assert isinstance(outer, BundleAdd)
    [(inner_xid, inner)] = Decoder().feed(outer.message)
    assert (outer_xid, inner_xid, inner) == (4711, 4711, FlowMod(FlowModCommand.ADD, flow(1)))


def test_the_subjects_of_a_batch_stand_in_the_order_of_its_messages() -> None:
    batch = Batch(
        meters_added=(meter(1),),
        groups_added=(group(1, 1),),
        flows_put=(flow(1),),
        flows_removed=(flow(2),),
        groups_removed=(group(2, 1),),
    )
    encoded = Encoder().batch(batch)
    assert encoded.subjects == [meter(1), group(1, 1), flow(1), flow(2), group(2, 1)]
    assert (len(encoded.before), len(encoded.bundle)) == (1, 4)


def test_what_has_no_wire_form_is_named() -> None:
    impossible = Flow(1, 1, match(), (Goto(2), Output(1)), 5)
    with pytest.raises(EncodingError) as caught:
        Encoder().put(impossible)
    assert caught.value.subject == impossible
