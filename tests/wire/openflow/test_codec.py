"""Round trips and hostile bytes."""

import hypothesis.strategies as st
import pytest
from hypothesis import given

from overlace.datapath import actions as a
from overlace.datapath.fields import Field
from overlace.datapath.flow import Flow
from overlace.datapath.match import Match, MatchValue, match
from overlace.wire.openflow import messages as m
from overlace.wire.openflow.codec import Decoder, ProtocolError, canonical_flow, decode_body, encode
from overlace.wire.openflow.session import Closed, MessageReceived, Ready, Session, SwitchSession

fields = st.sampled_from([field for field in Field if field is not Field.VLAN_TCI])


@st.composite
def matches(draw: st.DrawFn) -> Match:
    chosen = draw(st.lists(fields, unique=True, max_size=6))
    values: dict[Field, MatchValue] = {}
    for field in chosen:
        bits = st.integers(0, field.full_mask)
        values[field] = (draw(bits), draw(st.just(field.full_mask) | bits))
    return match(values)


writable = fields.filter(lambda field: field is not Field.IN_PORT)
numbers = st.integers(0, 0xFFFFFFFF)
plain_actions = st.one_of(
    st.builds(a.Output, numbers, st.integers(0, 0xFFFF)),
    writable.flatmap(lambda f: st.integers(0, f.full_mask).map(lambda value: a.set_field(f, value))),
    st.builds(a.Resubmit, st.integers(0, 254), st.none() | st.integers(0, 0xFEFF)),
    st.builds(
        a.Conntrack, st.integers(0, 0xFFFF), st.booleans(), st.booleans(), st.none() | st.integers(0, 254)
    ),
    st.builds(a.SendToController, st.binary(max_size=30), st.integers(0, 0xFFFF), st.integers(0, 9)),
    st.builds(a.SendToGroup, numbers),
    st.builds(a.ApplyMeter, numbers),
)
flows = st.builds(
    Flow,
    st.integers(0, 254),
    st.integers(0, 0xFFFF),
    matches(),
    st.lists(plain_actions, max_size=5).map(tuple),
    st.integers(0, (1 << 64) - 1),
)


@given(flows)
def test_a_flow_survives_the_wire(flow: Flow) -> None:
    assert canonical_flow(flow) == flow


@given(st.lists(flows, max_size=4), st.data())
def test_any_cut_of_the_stream_gives_the_same_messages(sent: list[Flow], data: st.DataObject) -> None:
    messages = [m.FlowMod(m.FlowModCommand.ADD, flow) for flow in sent] + [m.BarrierRequest()]
    stream = b"".join(encode(message, xid) for xid, message in enumerate(messages))
    decoder, received = Decoder(), []
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        received += decoder.feed(stream[:size])
        stream = stream[size:]
    assert received == list(enumerate(messages))


@given(st.integers(0, 40), st.binary(max_size=300))
def test_random_bodies_are_malformed_or_messages(kind: int, body: bytes) -> None:
    decode_body(kind, body)


@given(flows, st.data())
def test_a_mutated_flow_mod_never_raises(flow: Flow, data: st.DataObject) -> None:
    body = bytearray(encode(m.FlowMod(m.FlowModCommand.ADD, flow), 0)[8:])
    for _ in range(3):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    decode_body(14, bytes(body))


@given(st.binary(max_size=200))
def test_random_streams_end_the_session_or_not_but_never_raise(data: bytes) -> None:
    session = Session(0.0)
    session.receive(data, 0.0)


def test_a_length_below_the_header_is_no_stream() -> None:
    with pytest.raises(ProtocolError):
        Decoder().feed(bytes([6, 0, 0, 7, 0, 0, 0, 0]))


def converse(controller: Session, switch: SwitchSession) -> list[object]:
    events: list[object] = []
    for _ in range(4):
        events += controller.receive(switch.data_to_send(), 0.0)
        events += switch.receive(controller.data_to_send(), 0.0)
    return events


def test_controller_and_switch_agree_and_introduce_themselves() -> None:
    features = m.FeaturesReply(0xABC)
    controller, switch = Session(0.0), SwitchSession(0.0, features)
    events = converse(controller, switch)
    assert events.count(Ready(features)) == 2
    xid = controller.send(m.BarrierRequest())
    assert converse(controller, switch) == [MessageReceived(xid, m.BarrierRequest())]


def test_another_version_is_refused_by_name() -> None:
    session = Session(0.0)
    [closed] = session.receive(encode(m.Hello((0x01, 0x04)), 1), 0.0)
    assert isinstance(closed, Closed)
    assert "0x4" in closed.reason


def test_silence_is_probed_and_then_given_up() -> None:
    session = Session(0.0)
    session.data_to_send()
    assert session.next_deadline() == 5.0
    assert session.tick(5.0) == []
    assert session.data_to_send() == encode(m.EchoRequest(), 2)
    assert session.next_deadline() == 15.0
    [closed] = session.tick(15.0)
    assert isinstance(closed, Closed)
