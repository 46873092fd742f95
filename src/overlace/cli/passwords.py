"""Passwords: asked for, or read from standard input or the environment, and never taken from the command line.

A command line can be read by everyone on the machine and stays in the shell's history.
"""

import os
import sys

import click

from overlace.cli.failures import WrongUsage

VARIABLE = "OVERLACE_PASSWORD"


def read_password(whose: str, environment_variable: str = VARIABLE) -> str:
    """The new password of `whose`. Raises WrongUsage for an empty one."""
    password = os.environ.get(environment_variable) or _typed(whose)
    if not password:
        raise WrongUsage(
            f"the password of {whose} is empty: type one, pipe one in, or set {environment_variable}"
        )
    return password


def _typed(whose: str) -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    return str(click.prompt(f"Password of {whose}", hide_input=True, confirmation_prompt=True, err=True))
