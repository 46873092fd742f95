"""Limits of projects over HTTP: shown, with their use, set and set back."""

from http import HTTPStatus
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from overlace.model.declaration import RESOURCES
from overlace.model.identity import Quota
from overlace.northbound.auth.caller import Caller
from overlace.northbound.body import json_response, member, read_object
from overlace.northbound.context import Context, request_id, source
from overlace.northbound.conversion.scalars import between
from overlace.northbound.errors import BadRequest, Forbidden
from overlace.northbound.intents import Transaction
from overlace.northbound.resources.quota import UNLIMITED, limit_of, used_by

_LARGEST = 2**31 - 1
_NOT_LIMITS = ("tenant_id", "project_id", "check_limit", "force")
"""What clients send beside the limits."""
_CLASSES = {declared.kind: declared.cls for declared in RESOURCES.values()}


class Quotas:
    """Serves /v2.0/quotas."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def routes(self) -> list[Route]:
        """The words `tenant` and `project` mean the caller's own project."""
        one = "/v2.0/quotas/{project}"
        return [
            Route("/v2.0/quotas", self.index, methods=["GET"]),
            Route("/v2.0/quotas/tenant", self.own_project, methods=["GET"]),
            Route("/v2.0/quotas/project", self.own_project, methods=["GET"]),
            Route(one, self.show, methods=["GET"]),
            Route(one, self.update, methods=["PUT"]),
            Route(one, self.delete, methods=["DELETE"]),
            Route(one + "/default", self.default, methods=["GET"]),
            Route(one + "/details", self.details, methods=["GET"]),
            Route(one + "/details.json", self.details, methods=["GET"]),
        ]

    async def index(self, request: Request) -> Response:
        """The projects with limits of their own."""
        await self._context.administrator(request, "get_quota")
        projects = sorted({quota.project_id for quota in self._context.store.snapshot.all(Quota)})
        shown = [{**self._limits(each), "project_id": each, "tenant_id": each} for each in projects]
        return json_response({"quotas": shown})

    async def own_project(self, request: Request) -> Response:
        """Which project the caller is in, in the form of this API."""
        caller = await self._context.caller(request)
        project = {"tenant_id": caller.project_id, "project_id": caller.project_id}
        return json_response({"tenant": project, "project": project})

    async def show(self, request: Request) -> Response:
        """The limits that hold for a project."""
        return json_response({"quota": self._limits(await self._project(request))})

    async def default(self, request: Request) -> Response:
        """The limits of a project without its own."""
        await self._project(request)
        return json_response({"quota": dict(self._context.configuration.quotas)})

    async def details(self, request: Request) -> Response:
        """Limits and use."""
        project = await self._project(request)
        snapshot = self._context.store.snapshot
        shown = {
            kind: {"limit": limit, "used": used_by(snapshot, _CLASSES[kind], project), "reserved": 0}
            for kind, limit in self._limits(project).items()
        }
        return json_response({"quota": shown})

    async def update(self, request: Request) -> Response:
        """Set some limits."""
        caller = await self._context.administrator(request, "update_quota")
        project = request.path_params["project"]
        given = member(await read_object(request), "quota")
        limits = self._parse(given)
        if given.get("check_limit"):
            self._refuse_below_use(project, limits)

        def run(transaction: Transaction) -> None:
            for kind, limit in limits.items():
                transaction.put(Quota(project_id=project, resource=kind, limit=limit))

        await self._transact(request, caller, run)
        return json_response({"quota": self._limits(project)})

    async def delete(self, request: Request) -> Response:
        """Back to the defaults."""
        caller = await self._context.administrator(request, "delete_quota")
        project = request.path_params["project"]

        def run(transaction: Transaction) -> None:
            for quota in [each for each in transaction.all(Quota) if each.project_id == project]:
                transaction.delete(Quota, quota.id)

        await self._transact(request, caller, run)
        return Response(status_code=HTTPStatus.NO_CONTENT)

    def _refuse_below_use(self, project: str, limits: dict[str, int]) -> None:
        for kind, limit in limits.items():
            used = used_by(self._context.store.snapshot, _CLASSES[kind], project)
            if UNLIMITED < limit < used:
                raise BadRequest(
                    f"Quota limit {limit} for {kind} is below its use of {used}.", "QuotaLimitTooLow"
                )

    def _limits(self, project: str) -> dict[str, int]:
        configuration, snapshot = self._context.configuration, self._context.store.snapshot
        return {kind: limit_of(snapshot, configuration, project, kind) for kind in configuration.quotas}

    def _parse(self, given: dict[str, Any]) -> dict[str, int]:
        limits: dict[str, int] = {}
        for name, value in given.items():
            if name in _NOT_LIMITS:
                continue
            if name not in self._context.configuration.quotas:
                raise BadRequest(f"Unrecognized attribute(s) '{name}'")
            try:
                limits[name] = between(UNLIMITED, _LARGEST)(value)
            except ValueError as reason:
                raise BadRequest(f"Invalid input for {name}. Reason: {reason}.") from None
        return limits

    async def _project(self, request: Request) -> str:
        caller = await self._context.caller(request)
        project = str(request.path_params["project"])
        if not caller.is_admin and project != caller.project_id:
            raise Forbidden("(rule:get_quota)")
        return project

    async def _transact(self, request: Request, caller: Caller, run: Any) -> None:
        await self._context.store.transact(
            run, actor=caller.user_id, request_id=request_id(request), source=source(request)
        )
