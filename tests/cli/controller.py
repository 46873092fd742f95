"""A real controller in a process of its own, on ports that nobody has."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

OVERLACE = [sys.executable, "-m", "overlace.cli"]
PASSWORD = "correct horse"


@dataclass
class Controller:
    """`options` go to `overlace serve` besides ports and database."""

    directory: Path
    options: tuple[str, ...] = ()
    ports: tuple[int, ...] = field(default_factory=lambda: free_ports(4))
    process: subprocess.Popen[bytes] | None = None

    @property
    def database(self) -> Path:
        return self.directory / "overlace.db"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.ports[0]}"

    @property
    def arguments(self) -> list[str]:
        api, openflow, ovsdb, enrolment = map(str, self.ports)
        places = ["--api-port", api, "--openflow-port", openflow, "--ovsdb-port", ovsdb]
        places += ["--enrolment-port", enrolment, "--pki", str(self.directory / "pki")]
        return ["serve", "--database", str(self.database), *places, *self.options]

    @property
    def log(self) -> str:
        return (self.directory / "controller.log").read_text()

    def start(self) -> None:
        with (self.directory / "controller.log").open("ab") as log:
            self.process = subprocess.Popen([*OVERLACE, *self.arguments], stdout=log, stderr=log)
        for _ in range(600):
            if self._answers():
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        raise AssertionError(f"the controller does not serve: {self.log}")

    def stop(self, how: int = signal.SIGTERM) -> int:
        """Returns the exit status."""
        assert self.process is not None
        self.process.send_signal(how)
        return self.process.wait(timeout=30)

    def _answers(self) -> bool:
        try:
            return httpx.get(self.url).is_success
        except httpx.HTTPError:
            return False


@contextmanager
def serving(directory: Path, *options: str) -> Iterator[Controller]:
    """A controller that serves; gone afterwards."""
    controller = Controller(directory, options)
    try:
        controller.start()
        yield controller
    finally:
        if controller.process is not None:
            controller.process.kill()
            controller.process.wait()


def bootstrap(database: Path) -> None:
    """Give a database its administrator."""
    environment = {**os.environ, "OVERLACE_PASSWORD": PASSWORD}
    command = [*OVERLACE, "bootstrap", "--database", str(database)]
    subprocess.run(command, env=environment, check=True, capture_output=True, timeout=60)


def free_ports(number: int) -> tuple[int, ...]:
    """Ports that were free a moment ago."""
    with ExitStack() as stack:
        opened = [stack.enter_context(socket.socket()) for _ in range(number)]
        for each in opened:
            each.bind(("127.0.0.1", 0))
        return tuple(each.getsockname()[1] for each in opened)
