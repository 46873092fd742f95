"""Refusals in the identity API's own form."""

from http import HTTPStatus

from overlace.northbound.errors import ApiError


class IdentityError(ApiError):
    """Like any refusal, with another body."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(status, status.phrase, message)

    def body(self) -> dict[str, object]:
        """The document that identity clients parse."""
        return {"error": {"code": int(self.status), "title": self.status.phrase, "message": self.message}}


def not_found(kind: str, key: str) -> IdentityError:
    """404."""
    return IdentityError(HTTPStatus.NOT_FOUND, f"Could not find {kind}: {key}.")


def bad_request(message: str) -> IdentityError:
    """400."""
    return IdentityError(HTTPStatus.BAD_REQUEST, message)


def forbidden(action: str) -> IdentityError:
    """403."""
    message = f"You are not authorized to perform the requested action: identity:{action}."
    return IdentityError(HTTPStatus.FORBIDDEN, message)


def conflict(message: str) -> IdentityError:
    """409."""
    return IdentityError(HTTPStatus.CONFLICT, f"Conflict occurred attempting to store {message}.")
