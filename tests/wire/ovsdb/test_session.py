"""Dialogues of a session with a server that the test plays."""

from typing import Any

import msgspec
import pytest
from hypothesis import given, strategies as st

from overlace.wire.ovsdb import operations as op
from overlace.wire.ovsdb.framing import JsonFramer
from overlace.wire.ovsdb.operations import RowInput
from overlace.wire.ovsdb.results import OperationError, OperationResult, TransactReply
from overlace.wire.ovsdb.session import Closed, Event, OvsdbSession, RowsChanged, Synchronized
from overlace.wire.ovsdb.values import Uuid

U = Uuid("aaaaaaaa-0000-0000-0000-000000000000")
SCHEMA = {
    "name": "Open_vSwitch",
    "version": "8.0.0",
    "tables": {"Bridge": {"columns": {"name": {"type": "string"}}}},
}


class Server:
    """The other end: what the session said, and a way to answer it."""

    def __init__(self, session: OvsdbSession) -> None:
        self.session = session
        self._framer = JsonFramer()

    def heard(self) -> list[dict[str, Any]]:
        return [msgspec.json.decode(text) for text in self._framer.feed(self.session.data_to_send())]

    def say(self, message: object, now: float = 0.0) -> list[Event]:
        return self.session.receive_data(msgspec.json.encode(message), now)

    def answer(self, result: object, error: object = None) -> list[Event]:
        (request,) = self.heard()
        return self.say({"id": request["id"], "result": result, "error": error})

    def synchronize(self) -> None:
        self.answer(SCHEMA)
        self.answer({"Bridge": {U: {"initial": {"name": "br0"}}}})


@pytest.fixture
def server() -> Server:
    return Server(OvsdbSession({"Bridge": ("name",)}, now=0.0))


def test_start_up(server: Server) -> None:
    (request,) = server.heard()
    assert request == {"method": "get_schema", "params": ["Open_vSwitch"], "id": 1}

    assert server.say({"id": 1, "result": SCHEMA, "error": None}) == []
    (request,) = server.heard()
    assert request["method"] == "monitor_cond"
    assert request["params"] == ["Open_vSwitch", "overlace", {"Bridge": {"columns": ["name"]}}]

    (event,) = server.say({"id": 2, "result": {"Bridge": {U: {"initial": {"name": "br0"}}}}, "error": None})
    assert isinstance(event, Synchronized)
    assert [change.after for change in event.changes] == [server.session.replica.rows("Bridge")[U]]
    assert event.schema.version == "8.0.0"


def test_given_a_server_without_monitor_cond_then_monitor_is_used(server: Server) -> None:
    server.answer(SCHEMA)
    assert server.answer(None, {"error": "unknown method"}) == []
    (request,) = server.heard()
    assert request["method"] == "monitor"

    server.say({"id": request["id"], "result": {"Bridge": {U: {"new": {"name": "br0"}}}}, "error": None})
    update = {"Bridge": {U: {"old": {"name": "br0"}, "new": {"name": "br1"}}}}
    (event,) = server.say({"id": None, "method": "update", "params": ["overlace", update]})

    assert isinstance(event, RowsChanged)
    assert server.session.replica.rows("Bridge")[U]["name"] == "br1"


def test_given_a_server_that_cannot_be_monitored_then_closed(server: Server) -> None:
    server.answer(SCHEMA)
    server.answer(None, "unknown method")
    (event,) = server.answer(None, "unknown method")
    assert isinstance(event, Closed)


def test_the_replica_is_not_to_be_had_before_it_is_filled(server: Server) -> None:
    with pytest.raises(RuntimeError, match="not synchronised"):
        _ = server.session.replica


def test_a_change_is_reported_before_the_reply_to_the_transaction_that_made_it(server: Server) -> None:
    server.synchronize()
    number = server.session.transact([op.update("Bridge", op.by_uuid(U), {"name": "br1"})])
    (request,) = server.heard()
    assert request["params"][0] == "Open_vSwitch"
    assert request["params"][1]["op"] == "update"

    update = {
        "id": None,
        "method": "update2",
        "params": ["overlace", {"Bridge": {U: {"modify": {"name": "br1"}}}}],
    }
    reply = {"id": number, "result": [{"count": 1}], "error": None}
    events = server.session.receive_data(msgspec.json.encode(update) + msgspec.json.encode(reply), 0.0)

    assert isinstance(events[0], RowsChanged)
    assert events[1] == TransactReply(number, [OperationResult(count=1)], None)


@pytest.mark.parametrize(
    ("result", "error", "expected"),
    [
        (
            [{"uuid": ["uuid", str(U)]}, {"rows": [{"name": "x"}]}, {}],
            None,
            ([OperationResult(uuid=U), OperationResult(rows=({"name": "x"},)), OperationResult()], None),
        ),
        (
            [{"count": 1}, {"error": "timed out", "details": "d"}, None],
            None,
            ([OperationResult(count=1)], OperationError("timed out", "d")),
        ),
        (
            [{}, {"error": "constraint violation"}],
            None,
            ([OperationResult()], OperationError("constraint violation", "")),
        ),
        (None, {"error": "not owner"}, ((), OperationError("not owner", ""))),
        (None, "unknown database", ((), OperationError("request refused", "'unknown database'"))),
    ],
)
def test_outcomes_of_a_transaction(server: Server, result: Any, error: Any, expected: Any) -> None:
    server.synchronize()
    number = server.session.transact([op.comment("c")])
    assert server.answer(result, error) == [TransactReply(number, *expected)]


def test_the_servers_echo_is_answered(server: Server) -> None:
    server.heard()
    assert server.say({"id": "echo", "method": "echo", "params": ["x"]}) == []
    assert server.heard() == [{"id": "echo", "result": ["x"], "error": None}]


def test_a_silent_server_is_probed_and_then_given_up(server: Server) -> None:
    session = server.session
    server.heard()
    assert session.next_deadline() == 5.0
    assert session.tick(4.9) == []
    assert server.heard() == []

    assert session.tick(5.0) == []
    (probe,) = server.heard()
    assert probe["method"] == "echo"
    assert session.next_deadline() == 10.0

    (event,) = session.tick(10.0)
    assert isinstance(event, Closed)
    assert session.next_deadline() is None
    assert session.tick(20.0) == []


def test_a_server_that_answers_the_probe_lives_on(server: Server) -> None:
    server.heard()
    server.session.tick(5.0)
    (probe,) = server.heard()
    assert server.say({"id": probe["id"], "result": [], "error": None}, now=6.0) == []
    assert server.session.next_deadline() == 11.0


def test_a_tick_that_comes_late_still_leaves_the_server_its_time(server: Server) -> None:
    assert server.session.tick(100.0) == []
    assert server.session.next_deadline() == 105.0


@pytest.mark.parametrize(
    "message",
    [
        {"id": 99, "result": None, "error": None},
        {"id": [1], "result": None, "error": None},
        {"id": 1, "result": {"tables": 3}, "error": None},
        {"id": 1, "result": None, "error": "no such database"},
        {"id": None, "method": "update2", "params": ["overlace", {}]},
        {"id": None, "method": "monitor_canceled", "params": ["overlace"]},
        {"id": None, "method": "surprise", "params": []},
        [],
    ],
)
def test_nonsense_closes_the_session_and_nothing_more_is_heard(server: Server, message: Any) -> None:
    (event,) = server.say(message)
    assert isinstance(event, Closed)
    assert server.session.data_to_send() == b""
    assert server.say({"id": 1, "result": SCHEMA, "error": None}) == []


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.text(max_size=4)
    | st.sampled_from(["set", "map", "uuid"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
messages: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"id": st.none() | st.integers(1, 4)},
    optional={
        "method": st.sampled_from(["update", "update2", "echo", "x"]),
        "params": st.lists(json_values | st.just("overlace"), max_size=3),
        "result": json_values | st.just(SCHEMA) | st.just({"Bridge": {U: {"initial": {}}}}),
        "error": json_values,
    },
)


@given(st.booleans(), st.lists(messages, max_size=6), st.binary(max_size=20))
def test_whatever_a_server_says_only_closes_the_session(
    synchronized: bool, said: list[dict[str, Any]], garbage: bytes
) -> None:
    server = Server(OvsdbSession({"Bridge": ("name",)}, now=0.0))
    if synchronized:
        server.synchronize()
        server.session.transact([op.comment("c")])
    for message in said:
        server.say(message)
    server.session.receive_data(garbage, 1.0)


def test_contents_without_end_close_the_session(server: Server) -> None:
    server.synchronize()
    for number in range(100):
        rows = {f"{number}-{each}": {"insert": {"name": "x" * 1_000_000}} for each in range(2)}
        told = server.say({"id": None, "method": "update2", "params": ["overlace", {"Bridge": rows}]})
        if isinstance(told[-1], Closed):
            assert "more than 32 MiB" in told[-1].reason
            assert number < 25
            return
    raise AssertionError("two hundred megabytes are kept")


def test_changes_without_end_are_heard(server: Server) -> None:
    server.synchronize()
    for number in range(60):
        rows = {U: {"modify": {"name": f"{number}" * 500_000}}}
        (told,) = server.say({"id": None, "method": "update2", "params": ["overlace", {"Bridge": rows}]})
        assert isinstance(told, RowsChanged)


def test_rows_may_be_given_with_any_mapping() -> None:
    row: RowInput = {"name": "x"}
    assert op.insert("Bridge", row).row == {"name": "x"}


@pytest.mark.parametrize("depth", [300, 400, 480, 700, 900, 2000])
@pytest.mark.parametrize(
    "frame", ['{"id":"e","method":"echo","params":%s}', '{"id":1,"result":null,"error":%s}']
)
def test_json_of_any_depth_is_answered_or_closes_the_session(server: Server, frame: str, depth: int) -> None:
    nested = '[{"a":' * depth + "1" + "}]" * depth
    for event in server.session.receive_data((frame % nested).encode(), 0.0):
        assert isinstance(event, Closed)
