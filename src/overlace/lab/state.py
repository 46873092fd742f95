"""What a laboratory remembers on disk, so that any process of the machine finds it and can take it down.

The state lies in one JSON file, replaced as a whole under a lock.  It is written before the first namespace
is made: even a laboratory that died half-way up can be removed.
"""

import fcntl
import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import msgspec
from msgspec.structs import replace

from overlace.lab.errors import LabError
from overlace.lab.guest import Guest
from overlace.lab.process import ProcessId
from overlace.lab.topology import Topology

DIRECTORY_VARIABLE = "OVERLACE_LAB_DIR"
DEFAULT_DIRECTORY = "/run/overlace/lab"
# Without hyphen, so that `ovl-NAME-` begins the namespaces of one laboratory only.
LAB_NAME = re.compile(r"[a-z0-9]{1,16}")
# Room for "/HOST/run/db.sock" in the 107 bytes of a Unix socket's path (unix(7)).
LONGEST_DIRECTORY = 107 - len("/" + "h" * 12 + "/run/db.sock")


class Uplink(msgspec.Struct, frozen=True):
    """A workload's cable to one host:

    the host, its integration bridge, and which of the panel's two slots.
    """

    host: str
    bridge: str
    slot: int


class Workload(msgspec.Struct, frozen=True):
    """A workload and where it is plugged.

    `active` carries its traffic.  `prepared` is plugged at the destination of a move and waits for the
    cut-over; `previous` is what the cut-over left behind at the source and waits for its release.
    """

    name: str
    index: int
    mac: str
    iface_id: str
    mtu: int
    active: Uplink
    addresses: tuple[str, ...] = ()
    gateways: tuple[str, ...] = ()
    dhcp: bool = False
    prepared: Uplink | None = None
    previous: Uplink | None = None

    @property
    def host_interface(self) -> str:
        """The name of the workload's interface on every host's integration bridge."""
        return f"vp{self.index}"


class State(msgspec.Struct, frozen=True):
    """All that is remembered of a laboratory.  `cut` names the links that are cut."""

    name: str
    topology: Topology
    phase: Literal["starting", "up"] = "starting"
    processes: tuple[ProcessId, ...] = ()
    workloads: dict[str, Workload] = {}
    guests: dict[str, Guest] = {}
    next_index: int = 1
    cut: tuple[str, ...] = ()

    def as_up(self) -> "State":
        """The same laboratory, complete."""
        return replace(self, phase="up")

    def with_cut(self, link: str, cut: bool) -> "State":
        """The same laboratory with a link cut or mended."""
        others = tuple(name for name in self.cut if name != link)
        return replace(self, cut=(*others, link) if cut else others)


def base_directory() -> Path:
    """Where laboratories keep their state: $OVERLACE_LAB_DIR or /run/overlace/lab."""
    return Path(os.environ.get(DIRECTORY_VARIABLE) or DEFAULT_DIRECTORY)


def lab_directory(name: str, base: Path | None = None) -> Path:
    """The state directory of a laboratory.  Raises `LabError` for a name or a path that cannot be used."""
    if not LAB_NAME.fullmatch(name):
        raise LabError(f"laboratory name '{name}' is not usable: 1 to 16 of a-z and 0-9")
    directory = (base or base_directory()).absolute() / name
    if len(str(directory)) > LONGEST_DIRECTORY:
        raise LabError(
            f"the directory {directory} is too long for Unix sockets: set {DIRECTORY_VARIABLE} so that it "
            f"has at most {LONGEST_DIRECTORY} bytes"
        )
    return directory


class StateFile:
    """The state file of one laboratory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._path = directory / "lab.json"

    def create(self, state: State) -> None:
        """Claim the directory and write the first state.  Raises `LabError` when the laboratory exists."""
        self.directory.parent.mkdir(parents=True, exist_ok=True)
        try:
            self.directory.mkdir(mode=0o755)
        except FileExistsError as error:
            raise LabError(
                f"laboratory '{state.name}' exists already: choose another --name, or remove it with "
                f"`overlace lab down --name {state.name}`"
            ) from error
        self._write(state)

    def exists(self) -> bool:
        return self._path.is_file()

    def load(self) -> State:
        """The state as last written.  Raises `LabError` when there is no such laboratory."""
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=State)
        except FileNotFoundError as error:
            name = self.directory.name
            raise LabError(
                f"there is no laboratory '{name}' in {self.directory.parent}: start one with "
                f"`overlace lab up --name {name}`, or look with `overlace lab list`"
            ) from error

    def change(self, alter: Callable[[State], State]) -> State:
        """Replace the state by `alter(state)` while no one else does; returns the new state."""
        with self._locked():
            state = alter(self.load())
            self._write(state)
        return state

    def add_processes(self, processes: Iterable[ProcessId]) -> None:
        """Remember processes that must end with the laboratory."""
        added = tuple(processes)
        self.change(lambda state: replace(state, processes=state.processes + added))

    def processes(self) -> tuple[ProcessId, ...]:
        """The processes remembered, none when the file is missing or was torn by a crash."""
        try:
            return self.load().processes
        except (LabError, msgspec.DecodeError):
            return ()

    def _write(self, state: State) -> None:
        temporary = self._path.with_suffix(".new")
        temporary.write_bytes(msgspec.json.format(msgspec.json.encode(state)))
        temporary.replace(self._path)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        if not self.exists():
            self.load()
        with (self.directory / "lock").open("a") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
