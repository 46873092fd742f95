"""The controller under test, and what the suite finds in it at the start."""

import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from typing import Any

OVERLACE = (sys.executable, "-m", "overlace.cli")
USER, PASSWORD, DOMAIN = "admin", "conformance", "Default"


class Server:
    """One controller on a loopback port, with identity authentication and a new database."""

    def __init__(self, directory: Path) -> None:
        self._ports = _free_ports(3)
        self.url = f"http://127.0.0.1:{self._ports[0]}"
        self._directory = directory
        self._token = ""
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Server":
        database = ["--database", str(self._directory / "overlace.db")]
        bootstrap = [*OVERLACE, "bootstrap", *database]
        subprocess.run(bootstrap, input=PASSWORD.encode(), stdout=subprocess.DEVNULL, check=True)
        ports = [
            f"--{name}-port={port}"
            for name, port in zip(("api", "openflow", "ovsdb"), self._ports, strict=True)
        ]
        with (self._directory / "controller.log").open("wb") as log:
            command = [*OVERLACE, "serve", *database, "--auth", "identity", "--plaintext", *ports]
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            self._await_answer()
            self._log_in()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)

    def call(self, method: str, path: str, body: object = None) -> Any:
        """The document of an answer. Raises HTTPError for a refusal."""
        return json.loads(self._request(method, path, body)[0] or b"{}")

    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._process is not None and self._process.poll() is None

    def _request(self, method: str, path: str, body: object = None) -> tuple[bytes, Any]:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", "X-Auth-Token": self._token}
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.read(), answer.headers

    def _await_answer(self) -> None:
        end = time.monotonic() + 30
        while True:
            try:
                self.call("GET", "/")
                return
            except (urllib.error.URLError, ConnectionError):
                if time.monotonic() > end or not self.alive():
                    raise SystemExit(
                        f"the controller does not answer, see {self._directory}/controller.log"
                    ) from None
                time.sleep(0.1)

    def _log_in(self) -> None:
        domain = {"name": DOMAIN}
        user = {"name": USER, "domain": domain, "password": PASSWORD}
        identity = {"methods": ["password"], "password": {"user": user}}
        auth = {"identity": identity, "scope": {"project": {"name": USER, "domain": domain}}}
        _, headers = self._request("POST", "/identity/v3/auth/tokens", {"auth": auth})
        self._token = str(headers["X-Subject-Token"])


def _free_ports(number: int) -> list[int]:
    with ExitStack() as probes:
        opened = [probes.enter_context(socket.socket()) for _ in range(number)]
        for each in opened:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in opened]
