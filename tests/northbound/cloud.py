"""A client that says what it wants in one line and checks the status."""

from typing import Any

import httpx

COLLECTIONS = {"security_group": "security-groups", "security_group_rule": "security-group-rules"}


class Cloud:
    """Requests under /v2.0/ by kind of resource."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def create(self, kind: str, **attributes: Any) -> dict[str, Any]:
        """A new resource."""
        answer = await self.client.post(f"/v2.0/{_path(kind)}", json={kind: attributes})
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()[kind]
        return made

    async def update(self, kind: str, key: str, **attributes: Any) -> dict[str, Any]:
        """A changed one."""
        answer = await self.client.put(f"/v2.0/{_path(kind)}/{key}", json={kind: attributes})
        assert answer.status_code == 200, answer.text
        changed: dict[str, Any] = answer.json()[kind]
        return changed

    async def show(self, kind: str, key: str) -> dict[str, Any]:
        """As it is now."""
        answer = await self.client.get(f"/v2.0/{_path(kind)}/{key}")
        assert answer.status_code == 200, answer.text
        shown: dict[str, Any] = answer.json()[kind]
        return shown

    async def all(self, kind: str, query: str = "") -> list[dict[str, Any]]:
        """All that match."""
        answer = await self.client.get(f"/v2.0/{_path(kind)}?{query}")
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()[f"{kind}s"]
        return found

    async def names(self, kind: str, query: str = "") -> list[str]:
        """The names of all that match, in the order given."""
        return [each["name"] for each in await self.all(kind, query)]

    async def delete(self, kind: str, key: str) -> None:
        """Gone."""
        answer = await self.client.delete(f"/v2.0/{_path(kind)}/{key}")
        assert answer.status_code == 204, answer.text

    async def refused(self, kind: str, **attributes: Any) -> tuple[int, str]:
        """Status and type of the error that a create gives."""
        return error(await self.client.post(f"/v2.0/{_path(kind)}", json={kind: attributes}))

    async def refused_update(self, kind: str, key: str, **attributes: Any) -> tuple[int, str]:
        """Status and type of the error that an update gives."""
        return error(await self.client.put(f"/v2.0/{_path(kind)}/{key}", json={kind: attributes}))

    async def refused_delete(self, kind: str, key: str) -> tuple[int, str]:
        """Status and type of the error that a delete gives."""
        return error(await self.client.delete(f"/v2.0/{_path(kind)}/{key}"))

    async def network(self, cidr: str = "10.0.0.0/24", **attributes: Any) -> tuple[str, str]:
        """A network with one subnet of version 4: both ids."""
        network = await self.create("network", **attributes)
        subnet = await self.create("subnet", network_id=network["id"], ip_version=4, cidr=cidr)
        return network["id"], subnet["id"]


def error(answer: httpx.Response) -> tuple[int, str]:
    """Status and type of a refusal."""
    assert answer.status_code >= 400, answer.text
    return answer.status_code, answer.json()["NeutronError"]["type"]


def _path(kind: str) -> str:
    if kind in ("site", "host", "link", "binding", "machine", "procedure", "replica"):
        return f"overlace/{kind}s"
    if kind == "transit_switch":
        return "overlace/transit-switches"
    return COLLECTIONS.get(kind, f"{kind}s")
