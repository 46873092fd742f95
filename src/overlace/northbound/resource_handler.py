"""The one handler for every resource: list, show, create, bulk create, update and delete.

What is common to all resources of the networking API is here, driven by the schema; what is particular to one
is in its rules (`resources`). A request is checked outside the transaction as far as it can be, and decided
inside it.
"""

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from overlace.northbound.auth.caller import Caller
from overlace.northbound.body import json_response, member, members, read_object
from overlace.northbound.context import Context, request_id, source
from overlace.northbound.errors import Forbidden, NotFound
from overlace.northbound.intents import Reader, Transaction
from overlace.northbound.query import Query
from overlace.northbound.resources.base import Operation, Resource
from overlace.northbound.resources.quota import check_quota
from overlace.northbound.revisions import check_revision, expected_revision


class ResourceHandler:
    """Serves one resource under /v2.0/."""

    def __init__(self, resource: Resource[Any], context: Context) -> None:
        self.resource = resource
        self.context = context

    def routes(self) -> list[Route]:
        """Collection and member."""
        base = f"/v2.0/{self.resource.location}"
        return [
            Route(base, self.index, methods=["GET"]),
            Route(base, self.create, methods=["POST"]),
            Route(base + "/{id:path}", self.show, methods=["GET"]),
            Route(base + "/{id:path}", self.update, methods=["PUT"]),
            Route(base + "/{id:path}", self.delete, methods=["DELETE"]),
        ]

    async def index(self, request: Request) -> Response:
        """What the caller may see, filtered, ordered and cut."""
        caller = await self.context.caller(request)
        await self._prepare(caller, request)
        seen = self.context.perspective()
        query = Query(request.query_params, self.resource.schema, seen, caller)
        tests = query.tests()
        found = (
            value
            for value in self._candidates(seen.reader, query)
            if self.resource.visible(value, caller, seen.reader) and all(test(value) for test in tests)
        )
        page = query.page(found)
        name = self.resource.collection
        shown = [self.resource.schema.show(value, seen, caller, query.fields) for value in page]
        content: dict[str, object] = {name: shown}
        if links := query.links(str(request.url.replace(query="")), page):
            content[f"{name}_links"] = links
        return json_response(content)

    def _candidates(self, reader: Reader, query: Query) -> Iterable[Any]:
        if wanted := query.filters.get("id"):
            values = [reader.get(self.resource.cls, key) for key in dict.fromkeys(wanted)]
            return [value for value in values if value is not None]
        for name, index in self.resource.filter_indexes.items():
            if (wanted := query.filters.get(name)) and all(wanted):
                keys = dict.fromkeys(wanted)
                return self._indexed(reader, index, keys)
        return reader.all(self.resource.cls)

    def _indexed(self, reader: Reader, index: str, keys: Iterable[str]) -> Iterable[Any]:
        cls: type[Any] = self.resource.cls
        return {value.id: value for key in keys for value in reader.members(cls, index, key)}.values()

    async def _prepare(self, caller: Caller, request: Request) -> None:
        query, project = request.query_params, caller.project_id
        if caller.is_admin:
            project = query.get("project_id") or query.get("tenant_id") or project
        if self.resource.needs_preparation(self.context.store.snapshot, project):
            await self._transact(caller, request, lambda operation: self.resource.prepare(operation, project))

    async def show(self, request: Request) -> Response:
        """One value."""
        caller = await self.context.caller(request)
        seen = self.context.perspective()
        value = self.visible(seen.reader, request.path_params["id"], caller)
        fields = [name for name in request.query_params.getlist("fields") if name]
        shown = self.resource.schema.show(value, seen, caller, fields)
        return json_response({self.resource.kind: shown}, headers=_etag(value))

    async def create(self, request: Request) -> Response:
        """One value, or several in one transaction."""
        caller = await self.context.caller(request)
        self._authorise_write(caller, "create")
        document = await read_object(request)
        kind, collection = self.resource.kind, self.resource.collection
        bulk = collection in document and kind not in document
        bodies = members(document, collection, kind) if bulk else [member(document, kind)]
        given = [self.resource.schema.for_create(body, caller) for body in bodies]

        def run(operation: Operation) -> list[str]:
            made = []
            for each in given:
                made.append(self.resource.create(operation, dict(each)).id)
                check_quota(operation, kind, self.resource.cls, each["project_id"])
            return made

        shown = self._shown(await self._transact(caller, request, run), caller)
        if bulk:
            return json_response({self.resource.collection: shown}, HTTPStatus.CREATED)
        return json_response({self.resource.kind: shown[0]}, HTTPStatus.CREATED)

    async def update(self, request: Request) -> Response:
        """Change what the body names."""
        caller = await self.context.caller(request)
        key = request.path_params["id"]
        self.visible(self.context.store.snapshot, key, caller)
        self._authorise_write(caller, "update")
        body = member(await read_object(request), self.resource.kind)
        given = self.resource.schema.for_update(body, caller)
        expected = expected_revision(request)

        def run(operation: Operation) -> str:
            value = self._owned(operation, key, "update")
            check_revision(value, expected)
            return str(self.resource.update(operation, value, dict(given)).id)

        changed = await self._transact(caller, request, run)
        return json_response({self.resource.kind: self._shown([changed], caller)[0]})

    async def delete(self, request: Request) -> Response:
        """Remove it."""
        caller = await self.context.caller(request)
        key = request.path_params["id"]
        self.visible(self.context.store.snapshot, key, caller)
        self._authorise_write(caller, "delete")
        expected = expected_revision(request)

        def run(operation: Operation) -> None:
            value = self._owned(operation, key, "delete")
            check_revision(value, expected)
            self.resource.delete(operation, value)

        await self._transact(caller, request, run)
        return Response(status_code=HTTPStatus.NO_CONTENT)

    async def modify(self, request: Request, caller: Caller, key: str, change: Callable[[Any], Any]) -> Any:
        """Replace a value by `change` of it, with the rights and conditions of an update."""
        self._authorise_write(caller, "update")
        expected = expected_revision(request)

        def run(operation: Operation) -> Any:
            value = self._owned(operation, key, "update")
            check_revision(value, expected)
            changed = change(value)
            if changed != value:
                operation.transaction.put(changed)
            return changed

        return await self._transact(caller, request, run)

    def visible(self, reader: Reader, key: str, caller: Caller) -> Any:
        """The value, as far as the caller may know of it. Raises NotFound."""
        value = reader.get(self.resource.cls, key)
        if value is None or not self.resource.visible(value, caller, reader):
            raise NotFound(self.resource.kind, key)
        return value

    def _owned(self, operation: Operation, key: str, verb: str) -> Any:
        value = self.visible(operation.transaction, key, operation.caller)
        if not operation.caller.is_admin and not self.resource.writable(value, operation):
            raise Forbidden(f"(rule:{verb}_{self.resource.kind})")
        return value

    def _authorise_write(self, caller: Caller, verb: str) -> None:
        if not caller.may_write or (self.resource.admin_writes and not caller.is_admin):
            raise Forbidden(f"(rule:{verb}_{self.resource.kind})")

    async def _transact(self, caller: Caller, request: Request, run: Any) -> Any:
        configuration = self.context.configuration

        def work(transaction: Transaction) -> Any:
            return run(Operation(transaction, caller, configuration))

        committed = await self.context.store.transact(
            work, actor=caller.user_id, request_id=request_id(request), source=source(request)
        )
        return committed.result

    def _shown(self, keys: list[str], caller: Caller) -> list[dict[str, Any]]:
        seen = self.context.perspective()
        values = [seen.reader.get(self.resource.cls, key) for key in keys]
        return [self.resource.schema.show(each, seen, caller) for each in values if each is not None]


def _etag(value: Any) -> dict[str, str] | None:
    number = getattr(value, "revision_number", None)
    return None if number is None else {"ETag": f'"{number}"'}
