"""How many addresses the networks have and how many are taken: read-only, and for administrators."""

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from overlace.model.network import Network, Subnet
from overlace.model.port import Port
from overlace.northbound.body import json_response
from overlace.northbound.context import Context
from overlace.northbound.errors import NotFound
from overlace.northbound.intents import Reader

_LARGEST = 2**64 - 1
"""What the encoder writes as a number."""


class IpAvailability:
    """Serves /v2.0/network-ip-availabilities."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def routes(self) -> list[Route]:
        """All networks and one."""
        return [
            Route("/v2.0/network-ip-availabilities", self.index, methods=["GET"]),
            Route("/v2.0/network-ip-availabilities/{id}", self.show, methods=["GET"]),
        ]

    async def index(self, request: Request) -> Response:
        """The networks that the filters leave; `ip_version` leaves out the other version's subnets."""
        query = request.query_params
        versions = set(query.getlist("ip_version"))
        names = {"network_id", "network_name", "project_id", "tenant_id"} & query.keys()
        shown = [
            each
            for each in await self._all(request, versions)
            if all(each[name] in query.getlist(name) for name in names)
            and (not versions or each["subnet_ip_availability"])
        ]
        return json_response({"network_ip_availabilities": shown})

    async def show(self, request: Request) -> Response:
        """One network."""
        key = request.path_params["id"]
        for each in await self._all(request, set()):
            if each["network_id"] == key:
                return json_response({"network_ip_availability": each})
        raise NotFound("network", key)

    async def _all(self, request: Request, versions: set[str]) -> list[dict[str, Any]]:
        caller = await self._context.caller(request)
        if not caller.is_admin:
            return []
        snapshot = self._context.store.snapshot
        networks = sorted(snapshot.all(Network), key=lambda network: network.id)
        return [_network(snapshot, each, versions) for each in networks]


def _network(reader: Reader, network: Network, versions: set[str]) -> dict[str, Any]:
    taken: dict[str, int] = {}
    for port in reader.members(Port, "network", network.id):
        for fixed in port.fixed_ips:
            taken[fixed.subnet_id] = taken.get(fixed.subnet_id, 0) + 1
    subnets = sorted(reader.members(Subnet, "network", network.id), key=lambda subnet: subnet.id)
    wanted = [each for each in subnets if not versions or str(each.ip_version) in versions]
    return {
        "network_id": network.id,
        "network_name": network.name,
        "project_id": network.project_id,
        "tenant_id": network.project_id,
        "total_ips": _number(sum(_size(each) for each in wanted)),
        "used_ips": sum(taken.get(each.id, 0) for each in wanted),
        "subnet_ip_availability": [_subnet(each, taken.get(each.id, 0)) for each in wanted],
    }


def _subnet(subnet: Subnet, used: int) -> dict[str, Any]:
    return {
        "subnet_id": subnet.id,
        "subnet_name": subnet.name,
        "cidr": str(subnet.cidr),
        "ip_version": subnet.ip_version,
        "total_ips": _number(_size(subnet)),
        "used_ips": used,
    }


def _size(subnet: Subnet) -> int:
    return sum(int(pool.end) - int(pool.start) + 1 for pool in subnet.allocation_pools)


def _number(value: int) -> int | msgspec.Raw:
    """IPv6 subnets have more addresses than fit 64 bits; JSON's numbers have no such bound."""
    return value if value <= _LARGEST else msgspec.Raw(str(value).encode())
