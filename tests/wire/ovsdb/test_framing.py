"""The splitter gives the same objects however the stream is cut, and fails in one way only."""

import json
from typing import Any

import pytest
from hypothesis import given, strategies as st

from overlace.wire.errors import MalformedError
from overlace.wire.ovsdb.framing import JsonFramer

scalars = st.none() | st.booleans() | st.integers() | st.text() | st.text(alphabet='{}[]"\\ab')
json_values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)
json_objects = st.dictionaries(st.text(max_size=5), json_values, max_size=4)


def chunks(stream: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({cut % (len(stream) + 1) for cut in cuts})
    return [stream[a:b] for a, b in zip([0, *places], [*places, len(stream)], strict=True)]


@given(
    st.lists(json_objects, max_size=4),
    st.lists(st.integers(0, 10_000), max_size=12),
    st.booleans(),
    st.sampled_from(["", " ", "\n", "\r\n\t "]),
)
def test_any_chunking_yields_the_same_objects(
    objects: list[dict[str, Any]], cuts: list[int], ascii_only: bool, gap: str
) -> None:
    texts = [json.dumps(value, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass") for value in objects]
    stream = b"".join(text + gap.encode() for text in texts)
    framer = JsonFramer()

    found = [message for chunk in chunks(stream, cuts) for message in framer.feed(chunk)]

    assert [message.strip() for message in found] == texts
    assert framer.buffered == 0


@given(json_objects)
def test_byte_by_byte(value: dict[str, Any]) -> None:
    text = json.dumps(value).encode()
    framer = JsonFramer()

    found = [message for byte in text for message in framer.feed(bytes((byte,)))]

    assert found == [text]


@given(st.lists(st.binary(max_size=200) | st.text(alphabet='{}[]"\\ ', max_size=50).map(str.encode)))
def test_arbitrary_bytes_raise_nothing_but_the_typed_error(pieces: list[bytes]) -> None:
    framer = JsonFramer(size_limit=100)
    for piece in pieces:
        try:
            framer.feed(piece)
        except MalformedError:
            assert framer.buffered == 0
        assert framer.buffered <= 100


def test_an_endless_object_is_refused_instead_of_kept() -> None:
    framer = JsonFramer(size_limit=1000)
    framer.feed(b'{"a": "' + b"x" * 900)

    with pytest.raises(MalformedError, match="longer than 1000 bytes"):
        framer.feed(b"x" * 200)
    assert framer.buffered == 0


def test_an_object_over_the_limit_is_refused_also_when_it_comes_at_once() -> None:
    with pytest.raises(MalformedError, match="longer than 10 bytes"):
        JsonFramer(size_limit=10).feed(b'{"a": "0123456789"}')


def test_many_small_objects_in_one_chunk_do_not_count_against_the_limit() -> None:
    assert len(JsonFramer(size_limit=10).feed(b'{"a":1}' * 100)) == 100


@pytest.mark.parametrize("garbage", [b"[1]", b"GET / HTTP/1.1", b'"text"', b"}", b"\x16\x03\x01"])
def test_a_stream_that_is_not_of_objects_is_refused_for_good(garbage: bytes) -> None:
    framer = JsonFramer()
    with pytest.raises(MalformedError, match="top level"):
        framer.feed(garbage)
    with pytest.raises(MalformedError, match="top level"):
        framer.feed(b"{}")
