"""The scripts that `overlace join`, `leave` and `pki renew` print: what runs on hosts, where nothing of ours is."""

import shlex
from collections.abc import Mapping
from importlib.resources import files


def compose(settings: Mapping[str, str], *parts: str) -> str:
    """One script of the named parts, which read the settings as shell variables."""
    assignments = "".join(f"{name}={shlex.quote(value)}\n" for name, value in settings.items())
    bodies = "".join(_text(part) for part in parts)
    return f"#!/bin/sh\nset -eu\n{assignments}{bodies.replace('@ENROL@', _text('enrol.py'))}"


def _text(name: str) -> str:
    return (files(__package__) / name).read_text()
