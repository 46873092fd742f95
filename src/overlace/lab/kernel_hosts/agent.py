"""Programs run at a kernel host, by its virtio ports: no network of the host is needed."""

import contextlib
import fcntl
import os
import secrets
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from overlace.lab.errors import CommandFailed
from overlace.lab.execution import Completed
from overlace.lab.kernel_hosts.files import COMMAND_PORTS, HostFiles
from overlace.lab.machines import console


def command(
    files: HostFiles,
    argv: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    stdin: str = "",
    check: bool = True,
    timeout: float = 60.0,
) -> Completed:
    """Run a program to its end. Raises as `execution.run` does, and `LabError` when the host is not there."""
    mark = secrets.token_hex(8)
    with _free_port(files) as socket_file:
        answer = console.command(
            socket_file,
            ["sh", "-c", script(argv, env or {}, stdin, mark, timeout)],
            check=False,
            timeout=timeout + 5,
        )
    output, _, errors = answer.stdout.partition(f"{mark}\n")
    if check and answer.status != 0:
        raise CommandFailed(argv, answer.status, errors or output)
    return Completed(answer.status, output, errors)


def script(argv: Sequence[str], env: Mapping[str, str], stdin: str, mark: str, timeout: float) -> str:
    """What the host's shell does: the program's output, the mark, and what it wrote to standard error."""
    words = [*(f"{key}={value}" for key, value in env.items())]
    program = shlex.join(["timeout", f"{timeout:g}", *(["env", *words] if words else []), *argv])
    given = f"printf %s {shlex.quote(stdin)} | " if stdin else ""
    errors = f"/tmp/{mark}"
    return f"{given}{program} 2>{errors}; status=$?; echo {mark}; cat {errors}; rm {errors}; exit $status"


@contextlib.contextmanager
def _free_port(files: HostFiles) -> Iterator[Path]:
    """One of the ports, which nobody else uses meanwhile."""
    locks = [
        os.open(f"{files.commands(number)}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        for number in range(COMMAND_PORTS)
    ]
    try:
        yield files.commands(_locked(locks))
    finally:
        for lock in locks:
            os.close(lock)


def _locked(locks: Sequence[int]) -> int:
    for number, lock in enumerate(locks):
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return number
    fcntl.flock(locks[0], fcntl.LOCK_EX)
    return 0
