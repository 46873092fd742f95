"""Several bindings of one port, for live migration: prepare at the destination, activate, remove the old one.

The API's word is INACTIVE for a binding that is prepared and for one that is being released.
"""

from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from overlace.model import binder
from overlace.model.port import Binding, BindingState, Port
from overlace.northbound.auth.caller import Caller
from overlace.northbound.body import json_response, member, read_object
from overlace.northbound.context import Context, request_id, source
from overlace.northbound.conversion.scalars import parse_name
from overlace.northbound.errors import BadRequest, Conflict, NotFound
from overlace.northbound.intents import Reader, Transaction
from overlace.northbound.resources import port_binding
from overlace.northbound.resources.base import Operation

R = TypeVar("R")
_ATTRIBUTES = {"host", "vnic_type", "profile", "project_id", "tenant_id"}
_RULE = "port_bindings"


class PortBindings:
    """Serves /v2.0/ports/<id>/bindings, for administrators."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def routes(self) -> list[Route]:
        """The list, one host, and its activation."""
        base = "/v2.0/ports/{id}/bindings"
        return [
            Route(base, self.index, methods=["GET"]),
            Route(base, self.prepare, methods=["POST"]),
            Route(base + "/{host}", self.show, methods=["GET"]),
            Route(base + "/{host}", self.update, methods=["PUT"]),
            Route(base + "/{host}", self.delete, methods=["DELETE"]),
            Route(base + "/{host}/activate", self.activate, methods=["PUT"]),
        ]

    async def index(self, request: Request) -> Response:
        """All bindings of the port."""
        port = self._port(request, await self._context.administrator(request, _RULE))
        found = sorted(_bindings(self._context.store.snapshot, port.id), key=lambda each: each.host_id)
        host = request.query_params.get("host")
        return json_response({"bindings": [self._show(b) for b in found if host in (None, b.host_id)]})

    async def show(self, request: Request) -> Response:
        """The binding at one host."""
        port = self._port(request, await self._context.administrator(request, _RULE))
        found = port_binding.binding_at(self._context.store.snapshot, port.id, request.path_params["host"])
        if found is None:
            raise NotFound("port_binding", f"{port.id} at {request.path_params['host']}")
        return json_response({"binding": self._show(found)})

    async def prepare(self, request: Request) -> Response:
        """Wire the port at a further host, silent until it is activated there; at its first host, at once."""
        caller = await self._context.administrator(request, _RULE)
        port = self._port(request, caller)
        given = _checked(member(await read_object(request), "binding"))
        if "host" not in given:
            raise BadRequest("Failed to parse request. Required attribute 'host' not specified")
        host = given["host"]

        def run(operation: Operation) -> Binding:
            present = _present(operation, port.id)
            if port_binding.binding_at(operation.transaction, port.id, host) is not None:
                raise Conflict(
                    "PortBindingAlreadyExists", f"Binding for port {port.id} on host {host} already exists."
                )
            first = port_binding.active_binding(operation.transaction, port.id) is None
            binding = _noted(operation, port_binding.prepare(operation, present, host), given)
            return _activated(operation, present, binding) if first else binding

        made = await self._transact(request, caller, run)
        return json_response({"binding": self._show(made)}, HTTPStatus.CREATED)

    async def update(self, request: Request) -> Response:
        """Change its profile; for the rest, what it already says is accepted."""
        caller = await self._context.administrator(request, _RULE)
        port, host = self._port(request, caller), request.path_params["host"]
        given = _checked(member(await read_object(request), "binding"))

        def run(operation: Operation) -> Binding:
            return _noted(operation, _binding(operation, port.id, host), given)

        return json_response({"binding": self._show(await self._transact(request, caller, run))})

    async def activate(self, request: Request) -> Response:
        """The port's traffic goes to this host from now on."""
        caller = await self._context.administrator(request, _RULE)
        port, host = self._port(request, caller), request.path_params["host"]

        def run(operation: Operation) -> Binding:
            binding = _binding(operation, port.id, host)
            if binding.state is BindingState.ACTIVE:
                raise Conflict(
                    "PortBindingAlreadyActive",
                    f"Binding for port {port.id} on host {host} is already active.",
                )
            present = _present(operation, port.id)
            if binding.state is BindingState.RELEASING:  # back before it was gone: a new generation
                binding = port_binding.prepare(operation, present, host)
            return _activated(operation, present, binding)

        return json_response({"binding": self._show(await self._transact(request, caller, run))})

    async def delete(self, request: Request) -> Response:
        """Abandon a prepared binding, or end a release. Refused for the active one."""
        caller = await self._context.administrator(request, _RULE)
        port, host = self._port(request, caller), request.path_params["host"]

        def run(operation: Operation) -> None:
            binding = _binding(operation, port.id, host)
            if binding.state is BindingState.ACTIVE:
                raise Conflict("PortBindingActive", f"Binding for port {port.id} on host {host} is active.")
            binder.abort(operation.transaction, binding, f"given up by {caller.user_id}")

        await self._transact(request, caller, run)
        return Response(status_code=HTTPStatus.NO_CONTENT)

    def _show(self, binding: Binding) -> dict[str, Any]:
        snapshot = self._context.store.snapshot
        port = snapshot.get(Port, binding.port_id)
        project = "" if port is None else port.project_id
        return {
            "host": binding.host_id,
            "status": "ACTIVE" if binding.state is BindingState.ACTIVE else "INACTIVE",
            "vif_type": port_binding.BOUND,
            "vif_details": port_binding.plug_details(binding, snapshot),
            "vnic_type": "normal",
            "profile": port_binding.binding_profile(binding, port),
            "project_id": project,
            "tenant_id": project,
        }

    def _port(self, request: Request, _: Caller) -> Port:
        key = request.path_params["id"]
        port = self._context.store.snapshot.get(Port, key)
        if port is None:
            raise NotFound("port", key)
        return port

    async def _transact(self, request: Request, caller: Caller, run: Callable[[Operation], R]) -> R:
        configuration = self._context.configuration

        def work(transaction: Transaction) -> R:
            return run(Operation(transaction, caller, configuration))

        committed = await self._context.store.transact(
            work, actor=caller.user_id, request_id=request_id(request), source=source(request)
        )
        return committed.result


def _bindings(reader: Reader, port_id: str) -> list[Binding]:
    found = reader.members(Binding, "port", port_id)
    return [each for each in found if each.state is not BindingState.FENCED]


def _checked(given: dict[str, Any]) -> dict[str, Any]:
    if unknown := set(given) - _ATTRIBUTES:
        raise BadRequest(f"Unrecognized attribute(s) '{', '.join(sorted(unknown))}'")
    if given.get("vnic_type", "normal") != "normal":
        raise BadRequest("Invalid input for binding. Reason: only vnic_type normal.")
    checked: dict[str, Any] = {}
    try:
        if given.get("host"):
            checked["host"] = parse_name(given["host"])
    except ValueError as reason:
        raise BadRequest(f"Invalid input for host. Reason: {reason}.") from None
    if "profile" in given:
        checked["profile"] = _profile({} if given["profile"] is None else given["profile"])
    return checked


def _profile(given: Any) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise BadRequest("Invalid input for profile. Reason: it is not a dictionary.")
    if "interface_name" in given:
        raise BadRequest(
            "Invalid input for profile. Reason: interface_name goes with the port's own binding:host_id and "
            "binding:profile; at a further host the interface says whose it is (external_ids:iface-id)."
        )
    return given


def _noted(operation: Operation, binding: Binding, given: dict[str, Any]) -> Binding:
    """The binding with the profile that was given, which is the port's where the binding is active."""
    if "profile" not in given:
        return binding
    text = port_binding.kept_profile(given["profile"])
    if binding.state is BindingState.ACTIVE:
        operation.transaction.put(replace(_present(operation, binding.port_id), profile=text))
        return binding
    noted = replace(binding, profile=text)
    operation.transaction.put(noted)
    return noted


def _present(operation: Operation, port_id: str) -> Port:
    port = operation.transaction.get(Port, port_id)
    if port is None:
        raise NotFound("port", port_id)
    return port


def _binding(operation: Operation, port_id: str, host_id: str) -> Binding:
    binding = port_binding.binding_at(operation.transaction, port_id, host_id)
    if binding is None:
        raise NotFound("port_binding", f"{port_id} at {host_id}")
    return binding


def _activated(operation: Operation, port: Port, binding: Binding) -> Binding:
    operation.transaction.put(replace(port, host_id=binding.host_id))
    return port_binding.activate(operation, binding)
