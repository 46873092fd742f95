"""A controller as a process of its own, on loopback, and its API over one connection that is kept."""

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

LOOPBACK = "127.0.0.1"
_STARTING = 600.0


class ControllerProcess:
    """`overlace serve` with its database in `directory`; it can be killed and started again on the same ports."""

    def __init__(self, directory: Path, *options: str) -> None:
        self._directory = directory
        self.api_port, self.openflow_port, self.ovsdb_port = free_ports(3)
        self.command = [str(Path(sys.executable).with_name("overlace")), "serve", "--plaintext"]
        self.command += ["--database", f"{directory}/overlace.db", "--api-port", str(self.api_port)]
        self.command += ["--openflow-port", str(self.openflow_port), "--ovsdb-port", str(self.ovsdb_port)]
        self.command += ["--log-level", "warning", *options]
        self._connection = http.client.HTTPConnection(LOOPBACK, self.api_port, timeout=600)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process itself. Raises RuntimeError when it does not run."""
        if self._process is None:
            raise RuntimeError("the controller does not run")
        return self._process.pid

    def start(self) -> None:
        """Returns when the API answers."""
        with (self._directory / "controller.log").open("ab") as log:
            self._process = subprocess.Popen(self.command, stdout=log, stderr=log)
        self._await_answer(self._process)

    def wait(self, seconds: float) -> int:
        """Until it has ended by itself; gives its exit status. Raises subprocess.TimeoutExpired, or RuntimeError when
        it does not run."""
        if self._process is None:
            raise RuntimeError("the controller does not run")
        status = self._process.wait(seconds)
        self._process = None
        self._connection.close()
        return status

    def kill(self) -> None:
        """SIGKILL."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        self._connection.close()

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

    def metrics(self) -> dict[str, float]:
        """The controller's own counters, as Prometheus would read them; those with labels summed up."""
        self._connection.request("GET", "/metrics")
        lines = self._connection.getresponse().read().decode().splitlines()
        found: dict[str, float] = defaultdict(float)
        for name, value in (line.rsplit(" ", 1) for line in lines if not line.startswith("#")):
            found[name.partition("{")[0]] += float(value)
        return found

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

    def _await_answer(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + _STARTING
        while True:
            try:
                self.api("GET", "/")
                return
            except OSError:
                if process.poll() is not None or time.monotonic() > deadline:
                    log = (self._directory / "controller.log").read_text()[-2000:]
                    raise SystemExit(f"the controller does not start:\n{log}") from None
                time.sleep(0.02)


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
def controller_process(directory: Path, *options: str) -> Iterator[ControllerProcess]:
    """Run a controller with these options of `overlace serve`; it is ended at the end of the block."""
    running = ControllerProcess(directory, *options)
    try:
        running.start()
        yield running
    finally:
        running.kill()
