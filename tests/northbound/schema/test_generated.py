"""The checked-in definitions are what the generator makes of neutron-lib, which is in no environment that serves."""

import subprocess
import sys
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

from tools.conformance.lists import HERE

ROOT = HERE.parent.parent
PYTHON = ROOT / "build" / "conformance-venv" / "bin" / "python"


def test_given_neutron_lib_when_generated_anew_then_the_definitions_are_the_same(tmp_path: Path) -> None:
    subprocess.run(["make", "-s", "build/conformance-venv/.installed"], cwd=ROOT, timeout=600, check=True)
    target = tmp_path / "neutron.json"
    subprocess.run([PYTHON, ROOT / "tools" / "generate_schema.py", target], timeout=60, check=True)
    checked_in = files("overlace.northbound.schema").joinpath("neutron.json").read_text()
    assert target.read_text() == checked_in, "write it anew with: make schema"


def test_given_the_servers_environment_when_searched_then_neutron_lib_is_not_there() -> None:
    assert find_spec("neutron_lib") is None, sys.executable
