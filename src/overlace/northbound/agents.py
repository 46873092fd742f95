"""Hosts as the networking API's agents: one Open vSwitch agent each, though no agent runs there.

An agent whose administrative state is down is a host in observe mode: differences are shown, nothing written.
"""

import uuid
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from overlace.model.site import Host
from overlace.northbound.body import json_response, member, read_object
from overlace.northbound.context import Context, request_id, source
from overlace.northbound.conversion.scalars import (
    matches_boolean,
    parse_boolean,
    parse_text,
    render_timestamp,
)
from overlace.northbound.errors import BadRequest, Conflict, NotFound
from overlace.northbound.intents import Transaction
from overlace.northbound.views import Alarm

_NAMESPACE = uuid.UUID("5a3a7a52-7c0e-5b8e-9d6c-6f4d0c1b2a3e")
AGENT_TYPE = "Open vSwitch agent"


def agent_id(host_id: str) -> str:
    """The same for the same host for ever."""
    return str(uuid.uuid5(_NAMESPACE, host_id))


class Agents:
    """Serves /v2.0/agents; only administrators see any."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def routes(self) -> list[Route]:
        """The list and one."""
        return [
            Route("/v2.0/agents", self.index, methods=["GET"]),
            Route("/v2.0/agents/{id}", self.show, methods=["GET"]),
            Route("/v2.0/agents/{id}", self.update, methods=["PUT"]),
            Route("/v2.0/agents/{id}", self.delete, methods=["DELETE"]),
        ]

    async def index(self, request: Request) -> Response:
        """All hosts, filtered."""
        agents = await self._agents(request)
        query = request.query_params
        for name in query:
            if agents and name in agents[0]:
                wanted = query.getlist(name)
                agents = [each for each in agents if any(_matches(each[name], text) for text in wanted)]
        fields = set(query.getlist("fields"))
        if fields:
            agents = [{name: each[name] for name in each if name in fields} for each in agents]
        return json_response({"agents": agents})

    async def show(self, request: Request) -> Response:
        """One host."""
        key = request.path_params["id"]
        for each in await self._agents(request):
            if each["id"] == key:
                return json_response({"agent": each})
        raise NotFound("agent", key)

    async def update(self, request: Request) -> Response:
        """Its description, and whether the controller may write to it."""
        caller = await self._context.caller(request)
        key = request.path_params["id"]
        host = next((h for h in self._context.store.snapshot.all(Host) if agent_id(h.id) == key), None)
        if host is None or not caller.is_admin:
            raise NotFound("agent", key)
        changes = _changes(member(await read_object(request), "agent"))
        host_id = host.id

        def run(transaction: Transaction) -> Host:
            present = transaction.get(Host, host_id)
            if present is None:
                raise NotFound("agent", key)
            changed = replace(present, **changes)
            transaction.put(changed)
            return changed

        committed = await self._context.store.transact(
            run, actor=caller.user_id, request_id=request_id(request), source=source(request)
        )
        return json_response({"agent": self._agent(committed.result, self._context.views.underlay.alarms())})

    async def delete(self, request: Request) -> Response:
        """Refused: a host leaves through its own resource."""
        key = request.path_params["id"]
        if all(each["id"] != key for each in await self._agents(request)):
            raise NotFound("agent", key)
        raise Conflict("AgentInUse", f"Agent {key} is a host: remove the host.")

    async def _agents(self, request: Request) -> list[dict[str, Any]]:
        caller = await self._context.caller(request)
        if not caller.is_admin:
            return []
        hosts = sorted(self._context.store.snapshot.all(Host), key=lambda host: host.id)
        alarms = self._context.views.underlay.alarms()
        return [self._agent(host, alarms) for host in hosts]

    def _agent(self, host: Host, alarms: Sequence[Alarm]) -> dict[str, Any]:
        heartbeat = render_timestamp(self._context.views.hosts.host_heartbeat(host.id))
        return {
            "id": agent_id(host.id),
            "agent_type": AGENT_TYPE,
            "binary": "ovs-vswitchd",
            "topic": "N/A",
            "host": host.id,
            "admin_state_up": not host.observe_only,
            "alive": self._context.views.hosts.host_alive(host.id),
            "heartbeat_timestamp": heartbeat,
            "created_at": None,
            "started_at": None,
            "description": host.description,
            "availability_zone": host.site_id,
            "resources_synced": None,
            "configurations": {
                "bridge": host.bridge,
                "site": host.site_id,
                "tunneling_ips": [str(each.address) for each in host.endpoints],
                "alarms": [each.text for each in alarms if host.id in each.hosts],
            },
        }


def _changes(given: dict[str, Any]) -> dict[str, Any]:
    if unknown := set(given) - {"admin_state_up", "description"}:
        raise BadRequest(f"Attribute(s) '{', '.join(sorted(unknown))}' not allowed in PUT")
    changes: dict[str, Any] = {}
    try:
        if "admin_state_up" in given:
            changes["observe_only"] = not parse_boolean(given["admin_state_up"])
        if "description" in given:
            changes["description"] = parse_text(given["description"])
    except ValueError as reason:
        raise BadRequest(f"Invalid input for agent. Reason: {reason}.") from None
    return changes


def _matches(value: object, text: str) -> bool:
    return matches_boolean(value, text) if isinstance(value, bool) else str(value) == text
