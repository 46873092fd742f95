"""A controller as a process of its own, on loopback, and its API over one connection that is kept."""

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LOOPBACK = "127.0.0.1"
_STARTING = 60.0


@dataclass
class ControllerProcess:
    """Ports of the API, of OpenFlow and of OVSDB; `pid` is the process itself."""

    pid: int
    api_port: int
    openflow_port: int
    ovsdb_port: int

    def __post_init__(self) -> None:
        self._connection = http.client.HTTPConnection(LOOPBACK, self.api_port, timeout=600)

    def api(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        """One call. Raises RuntimeError with the answer when it is refused."""
        text = None if body is None else json.dumps(body)
        try:
            self._connection.request(method, path, text, {"content-type": "application/json"})
            reply = self._connection.getresponse()
        except (BrokenPipeError, ConnectionResetError, http.client.RemoteDisconnected):
            self._connection.close()  # the server closes what is idle
            return self.api(method, path, body)
        except ConnectionRefusedError:
            self._connection.close()
            raise
        answer: dict[str, Any] = json.loads(reply.read() or b"{}")
        if reply.status >= 400:
            raise RuntimeError(f"{method} {path}: {reply.status} {answer}")
        return answer

    def cpu_seconds(self) -> float:
        """Processor time that the controller has used."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def proportional_bytes(self) -> int:
        """Its memory: PSS, in bytes."""
        for line in Path(f"/proc/{self.pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
        raise RuntimeError("the kernel does not tell PSS")


def free_ports(number: int) -> list[int]:
    """Ports on loopback that were free a moment ago."""
    sockets = [socket.socket() for _ in range(number)]
    for each in sockets:
        each.bind((LOOPBACK, 0))
    ports = [int(each.getsockname()[1]) for each in sockets]
    for each in sockets:
        each.close()
    return ports


@contextmanager
def controller_process(directory: Path) -> Iterator[ControllerProcess]:
    """Run `overlace serve` with its database in `directory`; it is ended at the end of the block."""
    api, openflow, ovsdb = free_ports(3)
    command = [str(Path(sys.executable).with_name("overlace")), "serve"]
    command += ["--database", f"{directory}/overlace.db", "--api-port", str(api)]
    command += ["--openflow-port", str(openflow), "--ovsdb-port", str(ovsdb)]
    command += ["--plaintext"]  # the simulated hosts' own TLS would be measured, too
    with (directory / "controller.log").open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        running = ControllerProcess(process.pid, api, openflow, ovsdb)
        _wait_for(running, process, directory)
        yield running
    finally:
        process.kill()
        process.wait()


def _wait_for(running: ControllerProcess, process: subprocess.Popen[bytes], directory: Path) -> None:
    deadline = time.monotonic() + _STARTING
    while True:
        try:
            running.api("GET", "/")
            return
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                log = (directory / "controller.log").read_text()[-2000:]
                raise SystemExit(f"the controller does not start:\n{log}") from None
            time.sleep(0.1)
