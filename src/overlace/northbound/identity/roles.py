"""Roles, which are three and fixed, and who has which in what project."""

from http import HTTPStatus
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from overlace.model.identity import Project, RoleAssignment, User
from overlace.northbound.auth.grants import ROLES, roles_in
from overlace.northbound.body import json_response
from overlace.northbound.identity.access import DOMAIN, PREFIX, Access, links
from overlace.northbound.identity.errors import forbidden, not_found
from overlace.northbound.intents import Transaction


class Roles:
    """Serves /identity/v3/roles, grants in projects, and /role_assignments."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def routes(self) -> list[Route]:
        """Roles and grants."""
        grants = PREFIX + "/projects/{project}/users/{user}/roles"
        return [
            Route(PREFIX + "/roles", self.index, methods=["GET"]),
            Route(PREFIX + "/roles", self.create, methods=["POST"]),
            Route(PREFIX + "/roles/{role}", self.show, methods=["GET"]),
            Route(PREFIX + "/role_assignments", self.assignments, methods=["GET"]),
            Route(grants, self.granted, methods=["GET"]),
            Route(grants + "/{role}", self.grant, methods=["PUT"]),
            Route(grants + "/{role}", self.check, methods=["GET"]),
            Route(grants + "/{role}", self.revoke, methods=["DELETE"]),
        ]

    async def index(self, request: Request) -> Response:
        """All three."""
        await self._access.caller(request)
        name = request.query_params.get("name")
        shown = [_show(each) for each in ROLES if name in (None, each)]
        return json_response({"roles": shown, "links": links(request, "roles")})

    async def create(self, request: Request) -> Response:
        """Refused: a role of another name would mean nothing."""
        await self._access.admin(request, "create_role")
        raise forbidden("create_role")

    async def show(self, request: Request) -> Response:
        """One."""
        await self._access.caller(request)
        return json_response({"role": _show(_known(request))})

    async def assignments(self, request: Request) -> Response:
        """Who has which role where; with `include_names` also how they are called. Only users in projects have any."""
        await self._access.admin(request, "list_role_assignments")
        query = request.query_params
        wanted = {
            "user_id": query.get("user.id"),
            "project_id": query.get("scope.project.id"),
            "role": query.get("role.id"),
        }
        elsewhere = any(query.get(name) for name in ("scope.system", "scope.domain.id", "group.id"))
        found = [
            each
            for each in self._access.reader.all(RoleAssignment)
            if not elsewhere and all(text in (None, getattr(each, name)) for name, text in wanted.items())
        ]
        named = query.get("include_names", "0").lower() not in ("0", "false")
        shown = [self._show_named(each) if named else _show_assignment(each) for each in found]
        return json_response({"role_assignments": shown, "links": links(request, "role_assignments")})

    async def granted(self, request: Request) -> Response:
        """A user's roles in a project."""
        await self._access.admin(request, "list_grants")
        user, project = self._both(request)
        shown = [_show(each) for each in roles_in(self._access.reader, user, project)]
        return json_response({"roles": shown, "links": links(request, "roles")})

    async def grant(self, request: Request) -> Response:
        """Give a role."""
        caller = await self._access.admin(request, "create_grant")
        user, project = self._both(request)
        assignment = RoleAssignment(user_id=user, project_id=project, role=_known(request))

        def run(transaction: Transaction) -> None:
            transaction.put(assignment)

        await self._access.write(request, caller, run)
        return Response(status_code=HTTPStatus.NO_CONTENT)

    async def check(self, request: Request) -> Response:
        """Whether the user has the role; also for HEAD."""
        await self._access.admin(request, "check_grant")
        user, project = self._both(request)
        if _known(request) not in roles_in(self._access.reader, user, project):
            raise not_found("role assignment", request.path_params["role"])
        return Response(status_code=HTTPStatus.NO_CONTENT)

    async def revoke(self, request: Request) -> Response:
        """Take a role away; tokens lose it at once."""
        caller = await self._access.admin(request, "revoke_grant")
        user, project = self._both(request)
        key = RoleAssignment(user_id=user, project_id=project, role=_known(request)).id

        def run(transaction: Transaction) -> None:
            if transaction.get(RoleAssignment, key) is None:
                raise not_found("role assignment", key)
            transaction.delete(RoleAssignment, key)

        await self._access.write(request, caller, run)
        return Response(status_code=HTTPStatus.NO_CONTENT)

    def _show_named(self, each: RoleAssignment) -> dict[str, Any]:
        user = self._access.reader.get(User, each.user_id)
        project = self._access.reader.get(Project, each.project_id)
        return {
            "role": {"id": each.role, "name": each.role},
            "user": {"id": each.user_id, "name": user.name if user else "", "domain": DOMAIN},
            "scope": {
                "project": {"id": each.project_id, "name": project.name if project else "", "domain": DOMAIN}
            },
            "links": {},
        }

    def _both(self, request: Request) -> tuple[str, str]:
        user, project = request.path_params["user"], request.path_params["project"]
        if self._access.reader.get(User, user) is None:
            raise not_found("user", user)
        if self._access.reader.get(Project, project) is None:
            raise not_found("project", project)
        return user, project


def _known(request: Request) -> str:
    role = str(request.path_params["role"])
    if role not in ROLES:
        raise not_found("role", role)
    return role


def _show(role: str) -> dict[str, Any]:
    return {"id": role, "name": role, "domain_id": None, "description": None, "options": {}}


def _show_assignment(each: RoleAssignment) -> dict[str, Any]:
    return {
        "role": {"id": each.role},
        "user": {"id": each.user_id},
        "scope": {"project": {"id": each.project_id}},
        "links": {},
    }
