"""Authentication against the store's users: a token of the identity API, or HTTP basic credentials."""

import binascii
from base64 import b64decode

from starlette.requests import Request

from overlace.kit.clock import Clock
from overlace.model.identity import User
from overlace.northbound.auth.caller import Caller
from overlace.northbound.auth.grants import granted, projects_of
from overlace.northbound.auth.passwords import PasswordChecker
from overlace.northbound.auth.tokens import Tokens
from overlace.northbound.errors import Unauthorized
from overlace.northbound.intents import Reader, Store

_UNKNOWN_USER = "scrypt$16384$8$1$AAAAAAAAAAAAAAAAAAAAAA==$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
"""Checked for a user that there is not, so that the time of an answer says nothing."""


class IdentityAuthentication:
    """Users, passwords and tokens. `tokens` and `passwords` also serve the identity API.

    Without `issues_tokens` every request carries the password, and nobody logs in.
    """

    def __init__(self, store: Store, clock: Clock, *, issues_tokens: bool = True) -> None:
        self._store = store
        self.issues_tokens = issues_tokens
        self.tokens = Tokens(clock)
        self.passwords = PasswordChecker()

    async def authenticate(self, request: Request) -> Caller:
        """The caller by ``X-Auth-Token`` or ``Authorization: Basic``. Raises Unauthorized."""
        text = request.headers.get("x-auth-token") if self.issues_tokens else None
        caller = self._by_token(text) if text else await self._by_password(request)
        if caller is None:
            raise Unauthorized(_challenge(request, self.issues_tokens))
        return caller

    async def user(self, name: str, password: str) -> User | None:
        """The enabled user of that name, if the password is right."""
        found = next(iter(self._store.snapshot.members(User, "name", name)), None)
        stored = _UNKNOWN_USER if found is None else found.password_hash
        right = await self.passwords.matches(password, stored)
        return found if found is not None and right and found.enabled else None

    def _by_token(self, text: str) -> Caller | None:
        token = self.tokens.find(text)
        if token is None or token.project_id is None:
            return None
        return granted(self._store.snapshot, token.user_id, token.project_id)

    async def _by_password(self, request: Request) -> Caller | None:
        scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return None
        try:
            name, _, password = b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        user = await self.user(name, password)
        if user is None:
            return None
        return _in_project(self._store.snapshot, user.id, request.headers.get("x-project-id"))


def _in_project(reader: Reader, user_id: str, project_id: str | None) -> Caller | None:
    """In the named project, or in the user's first; HTTP basic has no place to say which."""
    if project_id is None:
        projects = projects_of(reader, user_id)
        if not projects:
            return None
        project_id = projects[0].id
    return granted(reader, user_id, project_id)


def _challenge(request: Request, issues_tokens: bool) -> str:
    basic = 'Basic realm="Overlace"'
    if not issues_tokens:
        return basic
    return f'Keystone uri="{request.url.scheme}://{request.url.netloc}/identity/v3", {basic}'
