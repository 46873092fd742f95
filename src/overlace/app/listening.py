"""Addresses that cannot be had, in plain words."""

import errno
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv6Address, ip_address

from overlace.app.failures import StartFailure


@contextmanager
def named(what: str, address: str, option: str) -> Iterator[None]:
    """Turn the OSError of listening for `what` into a StartFailure."""
    try:
        yield
    except OSError as error:
        raise StartFailure(f"cannot listen for {what}: {_reason(error, address, option)}") from error


def listening_socket(address: str, port: int) -> socket.socket:
    """A bound TCP socket. Raises OSError."""
    literal = ip_address("127.0.0.1" if address == "localhost" else address)
    family = socket.AF_INET6 if isinstance(literal, IPv6Address) else socket.AF_INET
    opened = socket.socket(family, socket.SOCK_STREAM)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind((str(literal), port))
        opened.listen(512)
    except BaseException:
        opened.close()
        raise
    return opened


def _reason(error: OSError, address: str, option: str) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return f"{address} is taken. Is another controller running? Stop it, or choose with {option}"
        case errno.EADDRNOTAVAIL:
            return f"this machine does not have {address}: `ip address` shows which it has"
        case errno.EACCES:
            return f"this user may not use {address}: choose a port above 1023 with {option}"
        case _:
            return f"{address}: {error}"
