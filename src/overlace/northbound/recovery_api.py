"""Ports that a host serves and the store does not know, taken into the store: administrators only.

A store that was restored lacks what was made since its backup. Hosts go on serving that, and are held; so a port
can be made anew under its own id from what its host says of it, before the host is adopted.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from overlace.model.network import Network
from overlace.northbound.auth.caller import Caller
from overlace.northbound.body import json_response, member, read_object
from overlace.northbound.context import Context, request_id, source
from overlace.northbound.errors import BadRequest, Conflict, NotFound
from overlace.northbound.intents import Transaction
from overlace.northbound.resources.base import Operation
from overlace.northbound.resources.port import Ports
from overlace.northbound.views import NotPossible

_ATTRIBUTES = {"id", "name", "network_id", "project_id"}


class RecoveryApi:
    """Serves /v2.0/overlace/switches/<host>/recovered-ports."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._ports = Ports()

    def routes(self) -> list[Route]:
        """The one."""
        path = "/v2.0/overlace/switches/{name}/recovered-ports"
        return [Route(path, self.recover, methods=["POST"])]

    async def recover(self, request: Request) -> Response:
        """Make the port with the id, MAC address and addresses that the host has; the network is the one that it was
        in, where that is known, else has to be named."""
        caller = await self._context.administrator(request, "create_overlace_recovered_port")
        given = member(await read_object(request), "port")
        if unknown := set(given) - _ATTRIBUTES:
            raise BadRequest(f"Unrecognized attribute(s) '{', '.join(sorted(unknown))}'")
        found = await self._found(request.path_params["name"], str(given.get("id", "")))
        network = self._network(given.get("network_id") or found.get("network_id"), found)
        body = {
            "network_id": network.id,
            "project_id": given.get("project_id") or network.project_id,
            "name": given.get("name") or "",
            "mac_address": found["mac_address"],
            "fixed_ips": [{"ip_address": each} for each in found["fixed_ips"]],
        }
        created = self._ports.schema.for_create(body, caller)
        await self._transact(request, caller, created, found)
        seen = self._context.perspective()
        port = seen.reader.get(Ports.cls, found["id"])
        return json_response({"port": self._ports.schema.show(port, seen, caller)}, HTTPStatus.CREATED)

    async def _found(self, host: str, port_id: str) -> Mapping[str, Any]:
        if host not in self._context.views.switches.switches():
            raise NotFound("switch", host)
        try:
            difference = await self._context.views.switches.difference(host)
        except NotPossible as reason:
            raise Conflict("SwitchNotReady", str(reason)) from None
        unknown: Any = difference["unknown_ports"]
        found: Mapping[str, Any] | None = next((each for each in unknown if each["id"] == port_id), None)
        if found is None:
            raise NotFound("unknown_port", f"{port_id} at {host}")
        if not found.get("mac_address"):
            lack = "its flows do not say its MAC address: it is not served there, or has no port security"
            raise Conflict("PortNotRecoverable", f"{port_id} of {host} cannot be recovered: {lack}.")
        return found

    def _network(self, network_id: object, found: Mapping[str, Any]) -> Network:
        if not network_id:
            wire = found.get("segmentation_id")
            raise Conflict(
                "NetworkNotKnown",
                f"the network of port {found['id']} is not known here (wire identifier {wire}): make it anew, and "
                "name it with network_id.",
            )
        network = self._context.store.snapshot.get(Network, str(network_id))
        if network is None:
            raise NotFound("network", str(network_id))
        return network

    async def _transact(
        self, request: Request, caller: Caller, given: dict[str, Any], found: Mapping[str, Any]
    ) -> None:
        configuration = self._context.configuration

        def run(transaction: Transaction) -> None:
            operation = Operation(transaction, caller, configuration)
            self._ports.recover(operation, dict(given), found["id"], found["key"])

        await self._context.store.transact(
            run, actor=caller.user_id, request_id=request_id(request), source=source(request)
        )
