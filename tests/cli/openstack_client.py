"""The unmodified `openstack` client: once as the process that people start, and as one that stays for many lines.

Its start takes a hundred times longer than its work; the client's own shell runs line after line as it does when
lines are typed at its prompt, with one login.
"""

import io
import json
import logging
import multiprocessing
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from openstackclient.shell import OpenStackShell

_EXECUTABLE = Path(sys.executable).with_name("openstack")
_IN_JSON = {"create", "list", "show", "issue"}
_PATIENCE = 120


@dataclass(frozen=True, slots=True)
class Answer:
    """What a line came to."""

    status: int
    out: str
    err: str

    @property
    def content(self) -> Any:
        """What it prints for programs."""
        return json.loads(self.out)


def for_programs(line: str) -> list[str]:
    """The words of a line; those that print anything print JSON."""
    words = line.split()
    return [*words, "-f", "json"] if _IN_JSON & set(words) else words


def process(cloud: str, line: str) -> Answer:
    """`openstack --os-cloud CLOUD ...`, in a process of its own."""
    command = [str(_EXECUTABLE), "--os-cloud", cloud, *for_programs(line)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE, check=False)
    return Answer(ended.returncode, ended.stdout, ended.stderr)


class Session:
    """A client that stays, in a process of its own, as it keeps connections and endpoints."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def __call__(self, line: str) -> Answer:
        self._connection.send(for_programs(line))
        assert self._connection.poll(_PATIENCE), f"openstack {line} does not end"
        answer: Answer = self._connection.recv()
        return answer


@contextmanager
def session(cloud: str) -> Iterator[Session]:
    """A client of this cloud, of the clouds.yaml that the environment names; gone afterwards."""
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe()
    child = context.Process(target=_serve, args=(there, here, cloud))
    child.start()
    there.close()
    try:
        yield Session(here)
    finally:
        here.close()
        child.join(10)
        child.kill()
        child.join()


def _serve(connection: Connection, others: Connection, cloud: str) -> None:
    others.close()
    logging.getLogger().handlers.clear()  # those of the tests, which take a wrong log call for a failure
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        shell = OpenStackShell()
        shell.run(["--os-cloud", cloud, "network", "list"])
        shell.stdout, shell.stderr = out, err
        while True:
            try:
                words = connection.recv()
            except EOFError:
                return
            for each in (out, err):
                each.seek(0)
                each.truncate()
            try:
                status: object = shell.run_subcommand(words)
            except SystemExit as end:  # of the parser
                status = end.code
            connection.send(Answer(int(str(status or 0)), out.getvalue(), err.getvalue()))
