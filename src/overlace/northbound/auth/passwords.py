"""Passwords: kept as salted scrypt hashes (RFC 7914), checked off the event loop.

Programs that send HTTP basic credentials with every request would pay for scrypt each time; a check that
succeeded is remembered under a keyed digest whose key dies with the process.
"""

import asyncio
import hashlib
import hmac
import secrets
from base64 import b64decode, b64encode

_COST, _BLOCK, _PARALLEL = 2**14, 8, 1
_MEMORY = 64 * 1024 * 1024
_REMEMBERED = 1024


def hash_password(password: str) -> str:
    """``scrypt$n$r$p$salt$hash`` with a new salt."""
    salt = secrets.token_bytes(16)
    digest = _scrypt(password, salt, _COST, _BLOCK, _PARALLEL)
    return f"scrypt${_COST}${_BLOCK}${_PARALLEL}${b64encode(salt).decode()}${b64encode(digest).decode()}"


def password_matches(password: str, stored: str) -> bool:
    """Whether the hash was made from this password. Slow on purpose."""
    scheme, cost, block, parallel, salt, digest = stored.split("$")
    if scheme != "scrypt":
        return False
    made = _scrypt(password, b64decode(salt), int(cost), int(block), int(parallel))
    return hmac.compare_digest(made, b64decode(digest))


def _scrypt(password: str, salt: bytes, cost: int, block: int, parallel: int) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=cost, r=block, p=parallel, maxmem=_MEMORY, dklen=32)


class PasswordChecker:
    """Checks without stopping the event loop, and remembers what it has checked."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._known: dict[bytes, None] = {}

    async def matches(self, password: str, stored: str) -> bool:
        """Whether the hash was made from this password."""
        seen = hmac.digest(self._key, f"{stored}\0{password}".encode(), "sha256")
        if seen in self._known:
            return True
        if not await asyncio.to_thread(password_matches, password, stored):
            return False
        if len(self._known) >= _REMEMBERED:
            del self._known[next(iter(self._known))]
        self._known[seen] = None
        return True

    async def hashed(self, password: str) -> str:
        """A new hash of a password."""
        return await asyncio.to_thread(hash_password, password)
