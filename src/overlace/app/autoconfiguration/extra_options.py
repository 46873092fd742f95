"""The extra DHCP options of a port that can be sent; the others are named in the log and left out.

The networking API takes any name, and clients make use of that (boot services set options for DHCP servers of several
kinds at once): so what makes no sense here costs the port this one option, not its lease.
"""

from collections.abc import Callable, Iterable

import structlog

from overlace.model.port import Port

log = structlog.get_logger(__name__)


def sendable(
    port: Port, ip_version: int, parse: Callable[[Iterable[tuple[str, str]]], object]
) -> list[tuple[str, str]]:
    """Name and value of each option of this IP version that `parse` can read."""
    pairs = [
        (each.opt_name, each.opt_value) for each in port.extra_dhcp_opts if each.ip_version == ip_version
    ]
    return [pair for pair in pairs if _is_readable(port, pair, parse)]


def _is_readable(
    port: Port, pair: tuple[str, str], parse: Callable[[Iterable[tuple[str, str]]], object]
) -> bool:
    try:
        parse([pair])
    except ValueError as error:
        log.warning("extra dhcp option left out", port=port.id, reason=str(error))
        return False
    return True
