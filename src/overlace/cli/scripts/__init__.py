"""The scripts that `overlace join`, `leave` and `pki renew` print: what runs on hosts, where nothing of ours is."""

import re
import shlex
from collections.abc import Mapping
from importlib.resources import files

_FROM_BESIDE = re.compile(rf"^from {re.escape(__name__)}\.(\w+) import .*\n", re.MULTILINE)


def compose(settings: Mapping[str, str], *parts: str) -> str:
    """One script of the named parts, which read the settings as shell variables."""
    assignments = "".join(f"{name}={shlex.quote(value)}\n" for name, value in settings.items())
    script = "".join(_text(part) for part in parts)
    for place, program in (("@ENROL@", "enrol.py"), ("@CHECK@", "check.py")):
        script = script.replace(place, _program(program))
    return f"#!/bin/sh\nset -eu\n{assignments}{script}"


def _program(name: str) -> str:
    """A program in one piece: what it imports from beside it stands in the place of the import."""
    return _FROM_BESIDE.sub(lambda match: _program(f"{match[1]}.py"), _text(name))


def _text(name: str) -> str:
    return (files(__package__) / name).read_text()
