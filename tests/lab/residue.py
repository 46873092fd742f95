"""What a laboratory could leave behind on the machine."""

from pathlib import Path
from typing import NamedTuple

from overlace.lab.namespace import existing
from overlace.lab.plan import namespace_prefix
from overlace.lab.state import lab_directory


class Residue(NamedTuple):
    """Namespaces of a laboratory, processes that name its directory, and its files."""

    namespaces: tuple[str, ...]
    processes: tuple[str, ...]
    files: tuple[str, ...]


NOTHING = Residue((), (), ())


def residue(name: str, base: Path) -> Residue:
    """What there is of a laboratory."""
    directory = lab_directory(name, base)
    commands = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if str(directory) in command:
            commands.append(command)
    files = tuple(str(path) for path in directory.rglob("*")) if directory.exists() else ()
    return Residue(existing(namespace_prefix(name)), tuple(commands), files)
