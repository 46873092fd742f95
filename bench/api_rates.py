"""`bench/api_rates.py [PORTS] [ROUNDS]`: how many ports a second the API makes, and how long reading them takes.

A controller process of its own without any host, on loopback; one client over one kept connection, and eight at once.
Prints one line a figure: the median over the rounds with the lowest and the highest, and the
processor time of the controller for one port or one request, which says more on a busy machine.
"""

import asyncio
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx

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


async def rates(api: Api, process: int, ports: int, rounds: int) -> None:
    """All figures."""
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
        begin = cpu_seconds(process)
        spent = [await timed(work) for _ in range(times)]
        used = (cpu_seconds(process) - begin) / times / per * 1e3
        values = [per / each for each in spent] if per > 1 else [each * 1e3 for each in spent]
        unit = "a second" if per > 1 else "ms"
        shown = (
            f"{statistics.median(values):8.1f} {unit:9} ({min(values):.1f} to {max(values):.1f}, n {times})"
        )
        print(f"{what:34} {shown:45} CPU {used:.2f} ms", flush=True)

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


def cpu_seconds(process: int) -> float:
    """What a process has used."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    """One that nobody listens on now."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def measure(url: str, process: int, ports: int, rounds: int) -> None:
    """Wait for the controller's first answer, and begin."""
    api = Api(url)
    for _ in range(200):
        try:
            await api.get("networks")
            break
        except httpx.TransportError:
            await asyncio.sleep(0.1)
    await rates(api, process, ports, rounds)


def main(ports: int, rounds: int) -> None:
    """Start, measure, stop."""
    api_port, openflow, ovsdb = free_port(), free_port(), free_port()
    with tempfile.TemporaryDirectory() as directory:
        command = [sys.executable, "-m", "overlace.cli", "serve", "--database", f"{directory}/overlace.db"]
        command += [f"--api-port={api_port}", f"--openflow-port={openflow}", f"--ovsdb-port={ovsdb}"]
        with (Path(directory) / "log").open("wb") as log:
            controller = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            asyncio.run(measure(f"http://127.0.0.1:{api_port}", controller.pid, ports, rounds))
            status = Path(f"/proc/{controller.pid}/status").read_text()
            print(f"resident {int(status.partition('VmRSS:')[2].split()[0]) // 1024} MB")
        finally:
            controller.terminate()
            controller.wait(10)


if __name__ == "__main__":
    numbers = [int(each) for each in sys.argv[1:]]
    main(*(numbers + [2000, 5][len(numbers) :]))
