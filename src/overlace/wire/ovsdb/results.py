"""What a transaction gave, per operation (RFC 7047 section 4.1.3)."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from overlace.wire.errors import MalformedError
from overlace.wire.ovsdb.jsonrpc import Response
from overlace.wire.ovsdb.values import Uuid, Value, decode_atom, decode_value


class OperationError(msgspec.Struct, frozen=True):
    """Why an operation, or the commit, failed: the RFC's short word and the server's explanation."""

    error: str
    details: str


class OperationResult(msgspec.Struct, frozen=True):
    """What one operation gave; the members that its kind does not have stay empty."""

    count: int | None = None
    uuid: Uuid | None = None
    rows: Sequence[Mapping[str, Value]] = ()


class TransactReply(msgspec.Struct, frozen=True):
    """The outcome of a transaction: `error` is None when it was committed.

    `results` has one entry per operation that was executed before the first error. Rows of a select are read
    without the schema: a set of one element comes as that element.
    """

    request_id: int
    results: Sequence[OperationResult]
    error: OperationError | None


def parse_transact_reply(request_id: int, response: Response) -> TransactReply:
    """Read a server's answer to a transact request. Raises MalformedError."""
    if response.error is not None:
        return TransactReply(request_id, (), _request_error(response.error))
    if not isinstance(response.result, list):
        raise MalformedError(f"the reply to a transaction is not an array: {response.result!r:.80}")
    results: list[OperationResult] = []
    for item in response.result:
        outcome = _outcome(item)
        if isinstance(outcome, OperationError):
            return TransactReply(request_id, results, outcome)
        results.append(outcome)
    return TransactReply(request_id, results, None)


def _request_error(error: Any) -> OperationError:
    match error:
        case {"error": str(word)}:
            return OperationError(word, str(error.get("details", "")))
    return OperationError("request refused", f"{error!r:.200}")


def _outcome(item: Any) -> OperationResult | OperationError:
    match item:
        case {"error": str(word)}:
            return OperationError(word, str(item.get("details", "")))
        case {"count": int(count)}:
            return OperationResult(count=count)
        case {"uuid": json}:
            return OperationResult(uuid=_uuid(json))
        case {"rows": list(rows)}:
            return OperationResult(rows=tuple(map(_row, rows)))
        case {} | None:
            return OperationResult()
    raise MalformedError(f"{item!r:.80} is not the result of an operation")


def _uuid(json: Any) -> Uuid:
    atom = decode_atom(json)
    if not isinstance(atom, Uuid):
        raise MalformedError(f"{json!r:.80} is not a UUID")
    return atom


def _row(json: Any) -> Mapping[str, Value]:
    if not isinstance(json, dict):
        raise MalformedError(f"{json!r:.80} is not a row")
    return {column: decode_value(value) for column, value in json.items()}
