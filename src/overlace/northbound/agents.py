"""Hosts as the networking API's agents: one Open vSwitch agent each, though no agent runs there."""

import uuid
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from overlace.model.site import Host
from overlace.northbound.body import json_response
from overlace.northbound.context import Context
from overlace.northbound.conversion.scalars import matches_boolean, render_timestamp
from overlace.northbound.errors import NotFound

_NAMESPACE = uuid.UUID("5a3a7a52-7c0e-5b8e-9d6c-6f4d0c1b2a3e")
AGENT_TYPE = "Open vSwitch agent"


def agent_id(host_id: str) -> str:
    """The same for the same host for ever."""
    return str(uuid.uuid5(_NAMESPACE, host_id))


class Agents:
    """Serves /v2.0/agents; only administrators see any."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def routes(self) -> list[BaseRoute]:
        """The list and one."""
        return [
            Route("/v2.0/agents", self.index, methods=["GET"]),
            Route("/v2.0/agents/{id}", self.show, methods=["GET"]),
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

    async def _agents(self, request: Request) -> list[dict[str, Any]]:
        caller = await self._context.caller(request)
        if not caller.is_admin:
            return []
        hosts = sorted(self._context.store.snapshot.all(Host), key=lambda host: host.id)
        return [self._agent(host) for host in hosts]

    def _agent(self, host: Host) -> dict[str, Any]:
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
            "description": "",
            "availability_zone": host.site_id,
            "resources_synced": None,
            "configurations": {
                "bridge": host.bridge,
                "site": host.site_id,
                "tunneling_ips": [str(each.address) for each in host.endpoints],
            },
        }


def _matches(value: object, text: str) -> bool:
    return matches_boolean(value, text) if isinstance(value, bool) else str(value) == text
