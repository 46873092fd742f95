"""Logging in: tokens by password or by another token, for a project or for none."""

from datetime import datetime
from http import HTTPStatus
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from overlace.model.identity import Project, User
from overlace.northbound.auth.grants import granted, projects_of, roles_in
from overlace.northbound.auth.identity import IdentityAuthentication
from overlace.northbound.auth.tokens import Token
from overlace.northbound.body import json_response, read_object
from overlace.northbound.errors import Unauthorized
from overlace.northbound.identity.access import DOMAIN, PREFIX, Access, links
from overlace.northbound.identity.catalog import catalog
from overlace.northbound.identity.errors import bad_request, not_found
from overlace.northbound.identity.projects import show_project
from overlace.northbound.identity.users import find_by_name

SUBJECT = "X-Subject-Token"
_CHALLENGE = 'Keystone uri="/identity/v3"'


class TokenApi:
    """Serves /identity/v3/auth."""

    def __init__(self, access: Access, authentication: IdentityAuthentication) -> None:
        self._access = access
        self._authentication = authentication

    def routes(self) -> list[Route]:
        """Issue, validate, revoke; what the token opens."""
        path = PREFIX + "/auth/tokens"
        return [
            Route(path, self.issue, methods=["POST"]),
            Route(path, self.validate, methods=["GET"]),
            Route(path, self.revoke, methods=["DELETE"]),
            Route(PREFIX + "/auth/projects", self.projects, methods=["GET"]),
            Route(PREFIX + "/auth/catalog", self.catalog, methods=["GET"]),
        ]

    async def issue(self, request: Request) -> Response:
        """A new token. Raises Unauthorized."""
        auth = _dictionary((await read_object(request)).get("auth"), "auth")
        identity = _dictionary(auth.get("identity"), "identity")
        methods = identity.get("methods")
        user, first = await self._identified(identity, methods)
        project_id = self._scope(user, auth.get("scope"), first)
        text, token = self._authentication.tokens.issue(user.id, project_id)
        methods = methods if isinstance(methods, list) else []
        body = {"token": self._document(request, token, [str(each) for each in methods])}
        return json_response(body, HTTPStatus.CREATED, {SUBJECT: text, "Vary": "X-Auth-Token"})

    async def validate(self, request: Request) -> Response:
        """What a token stands for; also for HEAD."""
        await self._access.caller(request)
        text, token = self._subject(request)
        return json_response({"token": self._document(request, token, ["password"])}, headers={SUBJECT: text})

    async def revoke(self, request: Request) -> Response:
        """End a token."""
        await self._access.caller(request)
        text, _ = self._subject(request)
        self._authentication.tokens.revoke(text)
        return Response(status_code=HTTPStatus.NO_CONTENT)

    async def projects(self, request: Request) -> Response:
        """The projects in which the token's user has a role."""
        token = self._own(request)
        found = projects_of(self._access.reader, token.user_id)
        shown = [show_project(each) for each in found]
        return json_response({"projects": shown, "links": links(request, "auth/projects")})

    async def catalog(self, request: Request) -> Response:
        """The catalogue."""
        self._own(request)
        return json_response({"catalog": catalog(request), "links": links(request, "auth/catalog")})

    async def _identified(self, identity: dict[str, Any], methods: object) -> tuple[User, str | None]:
        """The user, and the project that an unscoped request gets."""
        if methods == ["token"]:
            text = _dictionary(identity.get("token"), "token").get("id")
            token = self._authentication.tokens.find(str(text))
            user = None if token is None else self._access.reader.get(User, token.user_id)
            if token is None or user is None or not user.enabled:
                raise Unauthorized(_CHALLENGE)
            return user, token.project_id
        if methods != ["password"]:
            raise bad_request("the methods of this server are password and token")
        given = _dictionary(_dictionary(identity.get("password"), "password").get("user"), "user")
        name = str(given.get("name", ""))
        if "id" in given:
            known = self._access.reader.get(User, str(given["id"]))
            name = "" if known is None else known.name
        found = await self._authentication.user(name, str(given.get("password", "")))
        if found is None:
            raise Unauthorized(_CHALLENGE)
        return found, None

    def _scope(self, user: User, scope: Any, inherited: str | None) -> str | None:
        if scope is None:
            return inherited or self._default(user)
        if scope == "unscoped" or (isinstance(scope, dict) and "unscoped" in scope):
            return None
        given = _dictionary(scope, "scope").get("project")
        if not isinstance(given, dict):
            raise Unauthorized(_CHALLENGE)  # domains and the system have no roles here
        project = self._project(given)
        if project is None or granted(self._access.reader, user.id, project.id) is None:
            raise Unauthorized(_CHALLENGE)
        return project.id

    def _default(self, user: User) -> str | None:
        project = user.default_project_id
        allowed = project is not None and granted(self._access.reader, user.id, project) is not None
        return project if allowed else None

    def _project(self, given: dict[str, Any]) -> Project | None:
        if "id" in given:
            return self._access.reader.get(Project, str(given["id"]))
        return find_by_name(self._access.reader, Project, str(given.get("name", "")))

    def _subject(self, request: Request) -> tuple[str, Token]:
        text = request.headers.get(SUBJECT, "")
        token = self._authentication.tokens.find(text)
        if token is None:
            raise not_found("token", "the subject token")
        return text, token

    def _own(self, request: Request) -> Token:
        """Also unscoped tokens may ask where they could go."""
        token = self._authentication.tokens.find(request.headers.get("x-auth-token", ""))
        if token is None:
            raise Unauthorized(_CHALLENGE)
        return token

    def _document(self, request: Request, token: Token, methods: list[str]) -> dict[str, Any]:
        reader = self._access.reader
        user = reader.get(User, token.user_id)
        if user is None:
            raise Unauthorized(_CHALLENGE)
        document: dict[str, Any] = {
            "methods": methods,
            "user": {"id": user.id, "name": user.name, "domain": DOMAIN, "password_expires_at": None},
            "audit_ids": [token.audit_id],
            "issued_at": _instant(token.issued_at),
            "expires_at": _instant(token.expires_at),
        }
        project = None if token.project_id is None else reader.get(Project, token.project_id)
        if project is not None:
            document["project"] = {"id": project.id, "name": project.name, "domain": DOMAIN}
            document["is_domain"] = False
            roles = roles_in(reader, user.id, project.id)
            document["roles"] = [{"id": role, "name": role} for role in roles]
            document["catalog"] = catalog(request)
        return document


def _instant(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _dictionary(value: Any, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise bad_request(f"'{name}' is a required object")
    return value
