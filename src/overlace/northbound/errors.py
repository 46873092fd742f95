"""Refusals, as the networking API words them: status, type and message."""

from http import HTTPStatus


class ApiError(Exception):
    """A request that is refused. `type` is the name by which clients map the error to an exception."""

    def __init__(self, status: HTTPStatus, kind: str, message: str, detail: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.type = kind
        self.message = message
        self.detail = detail

    def body(self) -> dict[str, object]:
        """The document that clients parse."""
        return {"NeutronError": {"type": self.type, "message": self.message, "detail": self.detail}}


class BadRequest(ApiError):
    """400: the request itself is wrong."""

    def __init__(self, message: str, kind: str = "HTTPBadRequest") -> None:
        super().__init__(HTTPStatus.BAD_REQUEST, kind, message)


class InvalidInput(BadRequest):
    """400: a value is wrong in itself or beside the others."""

    def __init__(self, message: str) -> None:
        super().__init__(f"Invalid input for operation: {message}.", "InvalidInput")


class Conflict(ApiError):
    """409: right in itself, but not with what there is."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(HTTPStatus.CONFLICT, kind, message)


class Forbidden(ApiError):
    """403: the caller's role does not allow it."""

    def __init__(self, rule: str) -> None:
        super().__init__(HTTPStatus.FORBIDDEN, "PolicyNotAuthorized", f"{rule} is disallowed by policy")


class NotFound(ApiError):
    """404: no such object, or none that the caller may see."""

    def __init__(self, kind: str, key: str) -> None:
        name = "".join(part.capitalize() for part in kind.split("_"))
        words = kind.replace("_", " ").capitalize()
        super().__init__(HTTPStatus.NOT_FOUND, f"{name}NotFound", f"{words} {key} could not be found.")


class RevisionMismatch(ApiError):
    """412: the object has moved on since the client looked."""

    def __init__(self, expected: int, current: int) -> None:
        message = f"Constrained to {expected}, but current revision is {current}"
        super().__init__(HTTPStatus.PRECONDITION_FAILED, "RevisionNumberConstraintFailed", message)


class Unauthorized(Exception):
    """401: who is asking could not be established; `challenge` is the WWW-Authenticate header."""

    def __init__(self, challenge: str) -> None:
        super().__init__("The request you have made requires authentication.")
        self.challenge = challenge

    def body(self) -> dict[str, object]:
        """The document that identity clients parse."""
        return {"error": {"code": 401, "title": "Unauthorized", "message": str(self)}}
