"""Tokens: random, in memory, known only by their digest. A restart ends them and clients log in again."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from overlace.kit.clock import Clock

LIFETIME = timedelta(hours=4)


@dataclass(frozen=True, slots=True)
class Token:
    """A login; the roles are looked up when it is used."""

    user_id: str
    project_id: str | None
    issued_at: datetime
    expires_at: datetime
    audit_id: str


class Tokens:
    """Every valid token of this process."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tokens: dict[bytes, Token] = {}

    def issue(self, user_id: str, project_id: str | None) -> tuple[str, Token]:
        """A new token and its secret text."""
        now = self._clock.now()
        self._forget_expired(now)
        text = secrets.token_urlsafe(32)
        token = Token(user_id, project_id, now, now + LIFETIME, secrets.token_urlsafe(16))
        self._tokens[_digest(text)] = token
        return text, token

    def find(self, text: str) -> Token | None:
        """The token behind a text, while it is valid."""
        token = self._tokens.get(_digest(text))
        return token if token is not None and token.expires_at > self._clock.now() else None

    def revoke(self, text: str) -> None:
        """End a token."""
        self._tokens.pop(_digest(text), None)

    def _forget_expired(self, now: datetime) -> None:
        for key, token in list(self._tokens.items()):
            if token.expires_at > now:
                return  # in order of issue, hence of expiry
            del self._tokens[key]


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
