"""Users and their passwords."""

import uuid
from collections.abc import Iterable
from dataclasses import replace
from http import HTTPStatus
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from overlace.model.identity import RoleAssignment, User
from overlace.northbound.auth.grants import projects_of
from overlace.northbound.body import json_response, member, read_object
from overlace.northbound.identity.access import DOMAIN, PREFIX, Access, links
from overlace.northbound.identity.errors import bad_request, conflict, forbidden, not_found
from overlace.northbound.identity.kept import asked_for, refuse_other, refuse_other_types
from overlace.northbound.identity.projects import show_project
from overlace.northbound.intents import Reader, Transaction

V = TypeVar("V")


_TEXTS = ("name", "description", "email", "default_project_id")
_KEPT = (*_TEXTS, "password", "enabled")
_FIXED: dict[str, Any] = {"domain_id": DOMAIN["id"], "password_expires_at": None, "options": {}}


def find_by_name(reader: Reader, cls: type[V], name: str) -> V | None:
    """The project or user of that name."""
    found: Iterable[V] = reader.members(cls, "name", name)
    return next(iter(found), None)


def show_user(user: User) -> dict[str, Any]:
    """A user as the identity API shows it."""
    return {
        "id": user.id,
        "name": user.name,
        "enabled": user.enabled,
        "description": user.description,
        "email": user.email,
        "default_project_id": user.default_project_id,
        **_FIXED,
    }


class Users:
    """Serves /identity/v3/users."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def routes(self) -> list[Route]:
        """Collection, member, password and projects."""
        one = PREFIX + "/users/{id}"
        return [
            Route(PREFIX + "/users", self.index, methods=["GET"]),
            Route(PREFIX + "/users", self.create, methods=["POST"]),
            Route(one, self.show, methods=["GET"]),
            Route(one, self.update, methods=["PATCH"]),
            Route(one, self.delete, methods=["DELETE"]),
            Route(one + "/password", self.change_password, methods=["POST"]),
            Route(one + "/projects", self.projects, methods=["GET"]),
        ]

    async def index(self, request: Request) -> Response:
        """All."""
        await self._access.admin(request, "list_users")
        listed = [show_user(each) for each in self._access.reader.all(User)]
        shown = [each for each in listed if asked_for(each, request.query_params)]
        return json_response({"users": shown, "links": links(request, "users")})

    async def show(self, request: Request) -> Response:
        """One; everyone may look at themselves."""
        await self._admin_or_self(request, "get_user")
        return json_response({"user": show_user(self._user(request.path_params["id"]))})

    async def create(self, request: Request) -> Response:
        """A new one with a password."""
        caller = await self._access.admin(request, "create_user")
        given = _checked(member(await read_object(request), "user"))
        name, password = given.get("name"), given.get("password")
        if not isinstance(name, str) or not name or not isinstance(password, str):
            raise bad_request("'name' and 'password' are required properties")
        hashed = await self._access.passwords.hashed(password)

        def run(transaction: Transaction) -> User:
            if find_by_name(transaction, User, name) is not None:
                raise conflict(f"user - Duplicate entry found with name {name}")
            user = User(id=uuid.uuid4().hex, name=name, password_hash=hashed)
            user = replace(user, **_changes(given))
            transaction.put(user)
            return user

        made = await self._access.write(request, caller, run)
        return json_response({"user": show_user(made)}, HTTPStatus.CREATED)

    async def update(self, request: Request) -> Response:
        """Name, password, enabled, and what is said of the user."""
        await self._access.admin(request, "update_user")
        given = _checked(member(await read_object(request), "user"))
        changes = _changes(given)
        if isinstance(given.get("password"), str):
            changes["password_hash"] = await self._access.passwords.hashed(given["password"])
        return json_response({"user": show_user(await self._change(request, changes))})

    async def change_password(self, request: Request) -> Response:
        """By the user, who knows the old one."""
        await self._admin_or_self(request, "change_password")
        given = member(await read_object(request), "user")
        user = self._user(request.path_params["id"])
        old, new = given.get("original_password"), given.get("password")
        passwords = self._access.passwords
        if not isinstance(new, str) or not await passwords.matches(str(old), user.password_hash):
            raise bad_request("the original password is wrong or the new one is missing")
        await self._change(request, {"password_hash": await passwords.hashed(new)})
        return Response(status_code=HTTPStatus.NO_CONTENT)

    async def delete(self, request: Request) -> Response:
        """Remove it with its role assignments."""
        caller = await self._access.admin(request, "delete_user")
        key = request.path_params["id"]
        self._user(key)

        def run(transaction: Transaction) -> None:
            for assignment in list(transaction.all(RoleAssignment)):
                if assignment.user_id == key:
                    transaction.delete(RoleAssignment, assignment.id)
            if transaction.get(User, key) is not None:
                transaction.delete(User, key)

        await self._access.write(request, caller, run)
        return Response(status_code=HTTPStatus.NO_CONTENT)

    async def projects(self, request: Request) -> Response:
        """Where the user has a role."""
        await self._admin_or_self(request, "list_user_projects")
        found = projects_of(self._access.reader, request.path_params["id"])
        shown = [show_project(each) for each in found]
        return json_response({"projects": shown, "links": links(request, "users/projects")})

    async def _change(self, request: Request, changes: dict[str, Any]) -> User:
        caller = await self._access.caller(request)
        key = request.path_params["id"]
        self._user(key)

        def run(transaction: Transaction) -> User:
            user = transaction.get(User, key)
            if user is None:
                raise not_found("user", key)
            changed = replace(user, **changes)
            transaction.put(changed)
            return changed

        return await self._access.write(request, caller, run)

    async def _admin_or_self(self, request: Request, action: str) -> None:
        caller = await self._access.caller(request)
        if not caller.is_admin and caller.user_id != request.path_params["id"]:
            raise forbidden(action)

    def _user(self, key: str) -> User:
        user = self._access.reader.get(User, key)
        if user is None:
            raise not_found("user", key)
        return user


def _checked(given: dict[str, Any]) -> dict[str, Any]:
    refuse_other(given, _KEPT, _FIXED)
    refuse_other_types(given, _TEXTS, ("enabled",))
    return given


def _changes(given: dict[str, Any]) -> dict[str, Any]:
    """All but the password; null is not said, but for the project, which may be none."""
    changes = {name: given[name] for name in (*_TEXTS, "enabled") if given.get(name) is not None}
    if "default_project_id" in given:
        changes["default_project_id"] = given["default_project_id"] or None
    return changes
