"""The OpenFlow side of simulated hosts: hundreds of switches in a process of their own, written in C (bench/switches).

They speak OpenFlow 1.5 over real sockets, each from a loopback address of its own; they read every message down to the
last field of the last action, apply it atomically, acknowledge and count. They forward no packets. In C, because they
share two processors with the controller that is measured, and what they use is not to be seen in its figures.
"""

import json
import select
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_SOURCES = Path(__file__).parent / "switches"
_PROGRAM = Path(__file__).parent.parent / "build" / "simulated-switches"
_COMPILER = ["cc", "-std=c11", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra", "-Werror"]


def address(number: int) -> str:
    """Where a simulated host connects from."""
    return f"127.1.{number >> 8 & 0xFF}.{number & 0xFF}"


def datapath_id(number: int) -> int:
    """What a simulated switch calls itself."""
    return 0xBE << 40 | number + 1


@dataclass(frozen=True, slots=True)
class Reached:
    """So many switches hold the watched address; the last of them said so at `at`, seconds of time.monotonic()."""

    switches: int
    at: float


@dataclass(frozen=True, slots=True)
class SwitchTotals:
    """All switches together, since they were started; `longest_us` since it was last asked for: the longest, in
    microseconds, that one message kept its switch busy."""

    connected: int
    flows: int
    messages: int
    flow_mods: int
    actions: int
    bundles: int
    barriers: int
    errors: int
    bytes: int
    longest_us: int


class SimulatedSwitches:
    """The running process; switches are numbered from 0."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._received = b""
        self._reached: Reached | None = None
        self.watched = ""
        """The MAC address that is watched."""

    def connect(self, first: int, count: int, port: int) -> None:
        """To a controller on loopback, and again whenever they are dropped."""
        self._ask(f"connect {first} {count} {port}")

    def disconnect(self, first: int, count: int) -> None:
        """They stay away until they are told to connect."""
        self._ask(f"disconnect {first} {count}")

    def forget(self, first: int, count: int) -> None:
        """They come back empty, as after a restart."""
        self._ask(f"forget {first} {count}")

    def tamper(self, number: int, how: str) -> None:
        """`remove` or `change` a flow, or `add` one that nobody wants."""
        self._ask(f"tamper {number} {how}")

    def watch(self, mac: str, switches: int) -> None:
        """From now on `wait` is for so many switches to have acknowledged a flow to this MAC address."""
        self.watched = mac
        self._ask(f"watch {mac} {switches}")
        self._reached = None

    def wait(self, seconds: float) -> Reached | None:
        """For what is watched; None when it does not come."""
        deadline = time.monotonic() + seconds
        while self._reached is None and (left := deadline - time.monotonic()) > 0:
            if (line := self._line(left)) is not None:
                self._note(line)
        return self._reached

    def seen(self) -> Reached:
        """How it stands with what is watched."""
        return _reached(self._ask("seen"))

    def heard(self) -> bytes:
        """The shortest bundle that carried what is watched, with its barrier: what most switches were sent."""
        return bytes.fromhex(self._ask("heard").removeprefix("heard").strip())

    def totals(self) -> SwitchTotals:
        """What all switches have done."""
        return SwitchTotals(**json.loads(self._ask("totals").removeprefix("totals")))

    def _ask(self, command: str) -> str:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{command}\n".encode())
        self._process.stdin.flush()
        while True:
            line = self._line(60.0)
            if line is None:
                raise RuntimeError(f"the simulated switches do not answer: {command}")
            if not self._note(line):
                if line.startswith("unknown"):
                    raise ValueError(line)
                return line

    def _note(self, line: str) -> bool:
        if line.startswith("reached"):
            self._reached = _reached(line)
            return True
        return False

    def _line(self, seconds: float) -> str | None:
        assert self._process.stdout is not None
        while b"\n" not in self._received:
            if not select.select([self._process.stdout], [], [], seconds)[0]:
                return None
            data = self._process.stdout.read1(1 << 20)  # type: ignore[attr-defined]
            if not data:
                raise RuntimeError("the simulated switches have ended")
            self._received += data
        line, _, self._received = self._received.partition(b"\n")
        return line.decode()


def _reached(line: str) -> Reached:
    _, switches, nanoseconds = line.split()
    return Reached(int(switches), int(nanoseconds) / 1e9)


def build() -> Path:
    """The program, compiled if its sources are newer. Raises SystemExit without a compiler."""
    sources = sorted(_SOURCES.glob("*.[ch]"))
    if not _PROGRAM.exists() or _PROGRAM.stat().st_mtime < max(each.stat().st_mtime for each in sources):
        _PROGRAM.parent.mkdir(exist_ok=True)
        units = [str(each) for each in sources if each.suffix == ".c"]
        try:
            subprocess.run([*_COMPILER, "-o", str(_PROGRAM), *units], check=True)
        except FileNotFoundError:
            raise SystemExit("no C compiler: apt-get install gcc libc6-dev") from None
    return _PROGRAM


@contextmanager
def simulated_switches() -> Iterator[SimulatedSwitches]:
    """Run them; they end with the block."""
    process = subprocess.Popen([str(build())], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        yield SimulatedSwitches(process)
    finally:
        process.kill()
        process.wait()
