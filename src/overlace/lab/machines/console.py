"""A shell in the guest: on its serial console for people, at a virtio port for programs."""

import contextlib
import os
import secrets
import select
import shlex
import socket
import sys
import termios
import time
import tty
from collections.abc import Iterator, Sequence
from pathlib import Path

from overlace.lab.errors import CommandFailed, LabError
from overlace.lab.execution import Completed

ESCAPE = b"\x1d"
"""Control-], as telnet(1) leaves a session."""


def command(
    socket_file: Path, argv: Sequence[str], *, check: bool = True, timeout: float = 30.0
) -> Completed:
    """Run a program in the guest whose virtio port this is; standard output and error come as one. One at a time.

    Raises `CommandFailed` when it does not end in time or, with `check`, with another status than 0; `LabError` when
    the guest is not there.
    """
    mark = secrets.token_hex(8)
    request = f"{mark} {shlex.join(argv)}\0"  # see services/commander.c
    deadline = time.monotonic() + timeout
    with _connected(socket_file) as connection:
        connection.sendall(request.encode())
        text = b""
        while (found := text.find(f"\n{mark} ".encode())) < 0 or b"\n" not in text[found + 1 :]:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([connection], [], [], left)[0]:
                raise CommandFailed(argv, None, f"waited {timeout:g} s in the guest")
            part = connection.recv(65536)
            if not part:
                raise LabError("the guest ended while it ran a command")
            text += part
    output = text[:found].decode(errors="replace")
    status = int(text[found + 1 :].split()[1])
    if check and status != 0:
        raise CommandFailed(argv, status, output)
    return Completed(status, output, "")


def attach(socket_file: Path) -> None:
    """Join the terminal to the console whose socket this is, until Control-]."""
    terminal = sys.stdin.fileno()
    with _connected(socket_file) as connection, _raw(terminal):
        connection.sendall(b"\n")
        while True:
            for ready in select.select([terminal, connection], [], [])[0]:
                data = os.read(terminal, 1024) if ready == terminal else connection.recv(65536)
                if not data or (ready == terminal and ESCAPE in data):
                    return
                if ready == terminal:
                    connection.sendall(data)
                else:
                    os.write(sys.stdout.fileno(), data)


def _connected(path: Path) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.connect(str(path))
    except OSError as error:
        connection.close()
        raise LabError(f"the guest does not answer at {path} ({error.strerror}): is it running?") from error
    return connection


@contextlib.contextmanager
def _raw(terminal: int) -> Iterator[None]:
    if not os.isatty(terminal):
        yield
        return
    before = termios.tcgetattr(terminal)
    tty.setraw(terminal)
    try:
        yield
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)
