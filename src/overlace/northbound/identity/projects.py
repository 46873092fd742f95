"""Projects, and the one domain they are in."""

import uuid
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from overlace.model.identity import Project, RoleAssignment
from overlace.northbound.auth.grants import projects_of
from overlace.northbound.body import json_response, member, read_object
from overlace.northbound.identity.access import DOMAIN, PREFIX, Access, links
from overlace.northbound.identity.errors import bad_request, conflict, forbidden, not_found
from overlace.northbound.identity.kept import asked_for, refuse_other, refuse_other_types
from overlace.northbound.intents import Transaction

_KEPT = ("name", "description", "enabled")
_FIXED: dict[str, Any] = {
    "domain_id": DOMAIN["id"],
    "parent_id": DOMAIN["id"],
    "is_domain": False,
    "tags": [],
    "options": {},
}


def show_project(project: Project) -> dict[str, Any]:
    """A project as the identity API shows it."""
    return {
        "id": project.id,
        "name": project.name,
        "description": project.description,
        "enabled": project.enabled,
        **_FIXED,
    }


class Projects:
    """Serves /identity/v3/projects and /domains."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def routes(self) -> list[Route]:
        """Collection, member, and the domains."""
        one = PREFIX + "/projects/{id}"
        return [
            Route(PREFIX + "/projects", self.index, methods=["GET"]),
            Route(PREFIX + "/projects", self.create, methods=["POST"]),
            Route(one, self.show, methods=["GET"]),
            Route(one, self.update, methods=["PATCH"]),
            Route(one, self.delete, methods=["DELETE"]),
            Route(PREFIX + "/domains", self.domains, methods=["GET"]),
            Route(PREFIX + "/domains/{id}", self.domain, methods=["GET"]),
        ]

    async def index(self, request: Request) -> Response:
        """All for the administrator, one's own for others."""
        caller = await self._access.caller(request)
        await self._access.furnish(request)
        reader = self._access.reader
        found = list(reader.all(Project)) if caller.is_admin else projects_of(reader, caller.user_id)
        listed = [show_project(each) for each in found]
        shown = [each for each in listed if asked_for(each, request.query_params)]
        return json_response({"projects": shown, "links": links(request, "projects")})

    async def show(self, request: Request) -> Response:
        """One."""
        caller = await self._access.caller(request)
        await self._access.furnish(request)
        key = request.path_params["id"]
        if not caller.is_admin and key != caller.project_id:
            raise forbidden("get_project")
        return json_response({"project": show_project(self._project(key))})

    async def create(self, request: Request) -> Response:
        """A new one."""
        caller = await self._access.admin(request, "create_project")
        given = _checked(member(await read_object(request), "project"))
        name = given.get("name")
        if not isinstance(name, str) or not name:
            raise bad_request("'name' is a required property")

        def run(transaction: Transaction) -> Project:
            if any(True for _ in transaction.members(Project, "name", name)):
                raise conflict(f"project - Duplicate entry found with name {name}")
            project = Project(
                id=uuid.uuid4().hex,
                name=name,
                description=given.get("description") or "",
                enabled=given.get("enabled", True),
            )
            transaction.put(project)
            return project

        made = await self._access.write(request, caller, run)
        return json_response({"project": show_project(made)}, HTTPStatus.CREATED)

    async def update(self, request: Request) -> Response:
        """Name, description, enabled."""
        caller = await self._access.admin(request, "update_project")
        given = _checked(member(await read_object(request), "project"))
        changes = {name: given[name] for name in _KEPT if given.get(name) is not None}
        key = request.path_params["id"]
        self._project(key)

        def run(transaction: Transaction) -> Project:
            project = transaction.get(Project, key)
            if project is None:
                raise not_found("project", key)
            changed = replace(project, **changes)
            transaction.put(changed)
            return changed

        return json_response({"project": show_project(await self._access.write(request, caller, run))})

    async def delete(self, request: Request) -> Response:
        """Remove it with its role assignments; its networks stay until somebody deletes them."""
        caller = await self._access.admin(request, "delete_project")
        key = request.path_params["id"]
        self._project(key)

        def run(transaction: Transaction) -> None:
            for assignment in list(transaction.all(RoleAssignment)):
                if assignment.project_id == key:
                    transaction.delete(RoleAssignment, assignment.id)
            if transaction.get(Project, key) is not None:
                transaction.delete(Project, key)

        await self._access.write(request, caller, run)
        return Response(status_code=HTTPStatus.NO_CONTENT)

    async def domains(self, request: Request) -> Response:
        """The one there is."""
        await self._access.caller(request)
        shown = [_domain()] if request.query_params.get("name") in (None, DOMAIN["name"]) else []
        return json_response({"domains": shown, "links": links(request, "domains")})

    async def domain(self, request: Request) -> Response:
        """By its id."""
        await self._access.caller(request)
        if request.path_params["id"] != DOMAIN["id"]:
            raise not_found("domain", request.path_params["id"])
        return json_response({"domain": _domain()})

    def _project(self, key: str) -> Project:
        project = self._access.reader.get(Project, key)
        if project is None:
            raise not_found("project", key)
        return project


def _checked(given: dict[str, Any]) -> dict[str, Any]:
    refuse_other(given, _KEPT, _FIXED)
    refuse_other_types(given, ("name", "description"), ("enabled",))
    return given


def _domain() -> dict[str, Any]:
    return {**DOMAIN, "description": "The default domain", "enabled": True, "options": {}, "tags": []}
