"""What is and what is not a JSON-RPC message."""

import pytest
from hypothesis import given, strategies as st

from overlace.wire.errors import MalformedError
from overlace.wire.ovsdb.jsonrpc import Message, Notification, Request, Response, decode, encode


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b'{"method":"echo","params":["x"],"id":"echo"}', Request("echo", ["x"], "echo")),
        (b'{"method":"update","params":[null,{}],"id":null}', Notification("update", [None, {}])),
        (b'{"id":7,"result":[],"error":null}', Response(7, [], None)),
        (b'{"id":7,"result":null,"error":{"error":"no"}}', Response(7, None, {"error": "no"})),
        (b'{"id":7,"error":"unknown method"}', Response(7, None, "unknown method")),
    ],
)
def test_messages_are_told_apart(text: bytes, message: Message) -> None:
    assert decode(text) == message


@pytest.mark.parametrize(
    "text",
    [
        b"{}",
        b"[]",
        b'{"id":1}',
        b'{"method":"echo","id":1}',
        b'{"method":3,"params":[],"id":1}',
        b'{"result":1,"error":null,"id":null}',
        b'{"id":1,"result":"\xff","error":null}',
        b'{"id":1,"result":' + b"[" * 5000 + b"]" * 5000 + b"}",
        b'{"id":1e999,"result":1}',
        b'{"id":1,"result":{]}',
    ],
)
def test_anything_else_is_malformed(text: bytes) -> None:
    with pytest.raises(MalformedError):
        decode(text)


@given(st.text(), st.lists(st.text() | st.integers(-(2**60), 2**60)), st.integers(0, 2**31))
def test_what_is_written_reads_back(method: str, params: list[object], request_id: int) -> None:
    messages: list[Message] = [
        Request(method, params, request_id),
        Notification(method, params),
        Response(request_id, params, None),
    ]
    for message in messages:
        assert decode(encode(message)) == message


@given(st.binary(max_size=300))
def test_arbitrary_bytes_raise_nothing_but_the_typed_error(data: bytes) -> None:
    try:
        decode(data)
    except MalformedError:
        pass
