"""How one controller is started."""

from dataclasses import dataclass
from enum import Enum
from ipaddress import ip_address
from pathlib import Path

from overlace.app.failures import StartFailure


class Authentication(Enum):
    """How the API establishes who asks."""

    NONE = "none"
    """Everyone is the administrator."""
    BASIC = "basic"
    """HTTP basic credentials of the store's users."""
    IDENTITY = "identity"
    """Tokens of the identity API v3, which is served, too; or basic credentials."""


@dataclass(frozen=True, slots=True)
class ControllerSettings:
    """`switch_address` is where hosts reach the controller, `api_address` where clients do; times in seconds.

    Without a `pki` directory, hosts connect over plain TCP and are taken for whom they say they are.
    """

    database: Path
    pki: Path | None = Path("overlace-pki")
    auth: Authentication = Authentication.NONE
    api_address: str = "127.0.0.1"
    api_port: int = 9696
    api_certificate: Path | None = None
    api_key: Path | None = None
    api_without_tls: str = ""
    """Why passwords may cross the network in the clear; empty where they may not."""
    switch_address: str = "127.0.0.1"
    openflow_port: int = 6653
    ovsdb_port: int = 6640
    enrolment_port: int = 6655
    origin: str = "site"
    audit_interval: float = 60.0
    launcher: str = ""
    """The command that starts and ends guests on hosts; empty where machines are not moved by QMP."""
    libvirt: str = ""
    """How hosts' libvirt is reached, with {host} and {address}; empty where machines are not moved by it."""
    libvirt_peers: str = ""
    """How hosts reach each other's, where that is another way."""
    moves_per_host: int = 2
    moves_per_link: int = 4
    only_admins_move: bool = False
    observe: bool = False
    """Begin by observing only, and until somebody says otherwise."""


def check_settings(settings: ControllerSettings) -> None:
    """Raise StartFailure for settings that would give the network away, or cannot be used."""
    _check_files(settings)
    if is_loopback(settings.api_address):
        return
    if settings.auth is Authentication.NONE:
        raise StartFailure(
            f"without authentication the API is served on loopback only, not on {settings.api_address}: "
            "say --auth identity (or basic) and run `overlace bootstrap` once, or leave --api-address out"
        )
    if settings.api_certificate is None and not settings.api_without_tls:
        raise StartFailure(
            f"passwords and tokens would cross the network to {settings.api_address} in the clear: give "
            "--api-certificate and --api-key, or say with --api-without-tls why that is all right here"
        )


def _check_files(settings: ControllerSettings) -> None:
    if (settings.api_certificate is None) != (settings.api_key is None):
        raise StartFailure("--api-certificate and --api-key go together: give both or neither")
    for path in (settings.api_certificate, settings.api_key):
        if path is not None and not path.is_file():
            raise StartFailure(f"there is no file {path}: give certificate and key as PEM files")


def is_loopback(address: str) -> bool:
    """Whether only this machine reaches the address. Raises StartFailure when it is none."""
    if address == "localhost":
        return True
    try:
        return ip_address(address).is_loopback
    except ValueError:
        message = f"{address!r} is not an address: give an IPv4 or IPv6 address such as 127.0.0.1 or ::"
        raise StartFailure(message) from None
