"""How many ports a second the API makes, and how long reading them takes.

    python -m bench.api_rates [--ports 2000] [--rounds 5]

A controller process of its own without any host, on loopback; one client over one kept connection, and eight at once.
Prints one line a figure: the median over the rounds with the lowest and the highest, and the
processor time of the controller for one port or one request, which says more on a busy machine.
"""

import argparse
import asyncio
import json
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
from bench.controller_process import LOOPBACK, ControllerProcess, controller_process
from bench.summary import Summary, write

NETWORKS = 10
SINGLE, TOGETHER, CLIENTS = 300, 800, 8
BULK = 100
HEADERS = {"Content-Type": "application/json"}


class Api:
    """A controller's API as one client sees it."""

    def __init__(self, url: str) -> None:
        limits = httpx.Limits(max_connections=CLIENTS, max_keepalive_connections=CLIENTS)
        self._client = httpx.AsyncClient(base_url=url + "/v2.0/", timeout=60, limits=limits)

    async def post(self, path: str, document: object) -> dict[str, Any]:
        """Raises HTTPStatusError for a refusal."""
        answer = await self._client.post(path, content=json.dumps(document), headers=HEADERS)
        answer.raise_for_status()
        return dict(answer.json())

    async def get(self, path: str) -> bytes:
        """The bytes, not parsed: a client's work is not ours."""
        answer = await self._client.get(path)
        answer.raise_for_status()
        return answer.content

    async def put(self, path: str, document: object) -> None:
        """Raises HTTPStatusError for a refusal."""
        (await self._client.put(path, content=json.dumps(document), headers=HEADERS)).raise_for_status()


async def timed(work: Callable[[], Awaitable[object]]) -> float:
    """Seconds."""
    begin = time.perf_counter()
    await work()
    return time.perf_counter() - begin


async def rates(controller: ControllerProcess, ports: int, rounds: int) -> dict[str, Any]:
    """All figures."""
    api = Api(f"http://{LOOPBACK}:{controller.api_port}")
    figures: dict[str, Any] = {}
    await api.put("quotas/rates", {"quota": {"port": -1, "network": -1, "subnet": -1}})
    networks = []
    for number in range(NETWORKS):
        network = await api.post("networks", {"network": {"name": f"n{number}", "project_id": "rates"}})
        networks.append(network["network"]["id"])
        cidr = f"10.{number}.0.0/16"
        subnet = {"network_id": networks[-1], "ip_version": 4, "cidr": cidr, "project_id": "rates"}
        await api.post("subnets", {"subnet": subnet})
    made = [0]

    def port() -> dict[str, object]:
        made[0] += 1
        return {"network_id": networks[made[0] % NETWORKS], "name": f"p{made[0]}", "project_id": "rates"}

    async def one_after_another(number: int) -> None:
        for _ in range(number):
            await api.post("ports", {"port": port()})

    async def together() -> None:
        await asyncio.gather(*(one_after_another(TOGETHER // CLIENTS) for _ in range(CLIENTS)))

    async def bulk() -> None:
        await api.post("ports", {"ports": [port() for _ in range(BULK)]})

    async def report(
        what: str, work: Callable[[], Awaitable[object]], per: int = 1, times: int = rounds
    ) -> None:
        """One line: a rate when `per` things are made, a time otherwise."""
        begin = controller.cpu_seconds()
        spent = [await timed(work) for _ in range(times)]
        used = (controller.cpu_seconds() - begin) / times / per * 1e3
        found = Summary.of([per / each for each in spent] if per > 1 else [each * 1e3 for each in spent])
        unit = "a second" if per > 1 else "ms"
        figures[what] = {"unit": unit, "cpu_ms": round(used, 2)} | found.as_json()
        print(f"{what:34} {unit:9} {found}  CPU {used:.2f} ms", flush=True)

    await report("port create, one client", lambda: one_after_another(SINGLE), per=SINGLE)
    await report(f"port create, {CLIENTS} clients", together, per=TOGETHER)
    await report(f"port create, {BULK} in one request", bulk, per=BULK)
    while made[0] < ports:
        await bulk()
    found = json.loads(await api.get("ports"))["ports"]
    key = found[0]["id"]
    print(f"with {len(found):,} ports:")
    await report(f"list of {ports}", lambda: api.get(f"ports?limit={ports}"))
    await report(f"list of {ports}, ids only", lambda: api.get(f"ports?limit={ports}&fields=id"))
    await report("list of one network's", lambda: api.get(f"ports?network_id={networks[0]}"))
    await report("find by name", lambda: api.get("ports?name=p77"))
    await report("show one", lambda: api.get(f"ports/{key}"), times=rounds * 20)
    return figures


def run(ports: int, rounds: int) -> dict[str, Any]:
    """Start, measure, stop."""
    with tempfile.TemporaryDirectory() as directory, controller_process(Path(directory)) as controller:
        figures = asyncio.run(rates(controller, ports, rounds))
        figures["controller_pss_bytes"] = controller.proportional_bytes()
    return figures


def main() -> None:
    """Measure, print, and write the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--ports", type=int, default=2000, help="so many are listed")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--output", type=Path, default=Path("build/api_rates.json"))
    options = parser.parse_args()
    write(run(options.ports, options.rounds), options.output)


if __name__ == "__main__":
    main()
