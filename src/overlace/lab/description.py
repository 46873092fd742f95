"""Reads topology descriptions: the built-in ones and the user's YAML files."""

from importlib.resources import files
from pathlib import Path

import msgspec

from overlace.lab.errors import LabError, TopologyError
from overlace.lab.topology import Topology
from overlace.lab.validation import problems_of


def decode_topology(text: str | bytes) -> Topology:
    """Decode and check a YAML description.  Raises `TopologyError` that lists every fault with its cure."""
    try:
        topology = msgspec.yaml.decode(text, type=Topology)
    except msgspec.ValidationError as error:
        raise TopologyError([f"{error}; `overlace lab topology` prints a complete example"]) from error
    except msgspec.DecodeError as error:
        raise TopologyError([f"this is not YAML: {error}"]) from error
    if problems := problems_of(topology):
        raise TopologyError(problems)
    return topology


def builtin_names() -> tuple[str, ...]:
    """The names of the topologies that come with Overlace."""
    return ("default", "transit")


def builtin_text(name: str) -> str:
    """The YAML text of a built-in topology.  Raises `LabError` for an unknown name."""
    if name not in builtin_names():
        raise LabError(f"no built-in topology is called '{name}'; there are {', '.join(builtin_names())}")
    return (files("overlace.lab") / "topologies" / f"{name}.yaml").read_text()


def load_topology(source: str = "default") -> Topology:
    """The topology of a built-in name or of a YAML file.  Raises `LabError` or `TopologyError`."""
    if source in builtin_names():
        return decode_topology(builtin_text(source))
    path = Path(source)
    if not path.is_file():
        names = " or ".join(builtin_names())
        raise LabError(f"topology '{source}' is neither built in ({names}) nor a file; check the path")
    return decode_topology(path.read_bytes())
