"""The script that makes a host one of ours, and the one that undoes it: printed, read, run on the host."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv6Address, ip_address
from pathlib import Path

import click

from overlace.cli.failures import Failure
from overlace.cli.pki_options import open_issuer, pki_option, refusals, valid_for_option
from overlace.cli.scripts import compose
from overlace.pki.address import canonical_address
from overlace.pki.issuer import Issuer
from overlace.pki.subject import Role, Subject
from overlace.terminal.options import Decorated


@dataclass(frozen=True, slots=True)
class Place:
    """Who joins, where the controller is for it, and what becomes of its bridge."""

    name: str
    controller: str
    bridge: str = "br-overlace"
    datapath: str = "system"
    fabric_interface: str = ""
    transit: bool = False
    openflow_port: int = 6653
    ovsdb_port: int = 6640
    enrolment_port: int = 6655
    tunnel_port: int = 4789
    force: bool = False

    @property
    def subject(self) -> Subject:
        """Whom its certificate is made out to. Raises PkiError for a name that none can carry."""
        return Subject(Role.SWITCH if self.transit else Role.HOST, self.name)

    def settings(self, protocol: str) -> dict[str, str]:
        """Shell variables; `protocol` is tcp or ssl."""
        where = f"[{self.controller}]" if _is_ipv6(self.controller) else self.controller
        return {
            "NAME": self.name,
            "BRIDGE": self.bridge,
            "DATAPATH": self.datapath,
            "FABRIC": self.fabric_interface,
            "OPENFLOW": f"{protocol}:{where}:{self.openflow_port}",
            "OVSDB": f"{protocol}:{where}:{self.ovsdb_port}",
        }

    def asked(self, protocol: str, trust: str = "", *, online: bool = False) -> dict[str, object]:
        """What check.py goes by; with `online`, the controller is asked for the time."""
        settings = self.settings(protocol)
        return {
            "name": self.name,
            "bridge": self.bridge,
            "datapath": self.datapath,
            "fabric_interface": self.fabric_interface,
            "controller": self.controller,
            "openflow": settings["OPENFLOW"],
            "ovsdb": settings["OVSDB"],
            "enrolment_port": self.enrolment_port if online else 0,
            "trust": trust,
            "tunnel_port": self.tunnel_port,
            "endpoints": [],
            "printed": datetime.now(UTC).timestamp(),
            "force": self.force,
        }


def check_script(place: Place, trust: str, endpoints: Sequence[str], mode: str) -> str:
    """Look at a host that has not joined, and change nothing. Without `trust`, it is to join over plain TCP."""
    asked = place.asked("ssl" if trust else "tcp", trust, online=bool(trust))
    settings = {"ASKED": json.dumps({**asked, "endpoints": list(endpoints)}), "MODE": mode}
    return compose(settings, "common.sh", "check.sh", "report.sh")


def plaintext_script(place: Place) -> str:
    """Join over plain TCP."""
    settings = place.settings("tcp")
    if place.transit:
        return compose(settings, "common.sh", "transit_check.sh", "transit_bridge.sh")
    settings["ASKED"] = json.dumps(place.asked("tcp"))
    return compose(settings, "common.sh", "check.sh", "join_check.sh", "join_bridge.sh")


def tls_script(place: Place, issuer: Issuer, token_lifetime: timedelta | None) -> str:
    """Join over TLS. Without a lifetime there is no token: the script stops at the certificate request.

    Raises PkiError.
    """
    settings = place.settings("ssl") | identity_settings(place, issuer, token_lifetime)
    certified = ("certificate.sh", "join_tls.sh")
    if place.transit:
        return compose(settings, "common.sh", "transit_check.sh", *certified, "transit_bridge.sh")
    asked = place.asked("ssl", settings["TRUST"], online=token_lifetime is not None)
    settings["ASKED"] = json.dumps(asked)
    return compose(settings, "common.sh", "check.sh", "join_check.sh", *certified, "join_bridge.sh")


def renewal_script(place: Place, issuer: Issuer, token_lifetime: timedelta | None) -> str:
    """A new key and certificate for one that has joined; connections stay. Raises PkiError."""
    settings = identity_settings(place, issuer, token_lifetime)
    return compose(settings, "common.sh", "certificate.sh", "renew.sh")


def identity_settings(place: Place, issuer: Issuer, token_lifetime: timedelta | None) -> dict[str, str]:
    """The shell variables of certificate.sh, with a new token in them. Raises PkiError."""
    register = issuer.directory.read()
    subject = place.subject
    if token_lifetime is not None and canonical_address(place.controller) not in register.addresses:
        known = ", ".join(register.addresses) or "no address"
        raise Failure(
            f"the controller's certificate is for {known}, not for {place.controller}; make one for it with: "
            f"overlace pki renew controller --address {place.controller}"
        )
    revoked = (each.serial for each in register.issued if each.subject == str(subject) and each.revoked_at)
    return {
        "SUBJECT": str(subject),
        "OFFLINE": "yes" if token_lifetime is None else "",
        "TOKEN": "" if token_lifetime is None else issuer.new_token(subject, token_lifetime),
        "TRUST": register.trust,
        "REVOKED": " ".join(revoked),
        "ENROL_ADDRESS": place.controller,
        "ENROL_PORT": str(place.enrolment_port),
    }


def leave_script(name: str) -> str:
    """Take away what joining brought, and nothing else."""
    return compose({"NAME": name}, "common.sh", "leave.sh")


def _is_ipv6(address: str) -> bool:
    try:
        return isinstance(ip_address(address), IPv6Address)
    except ValueError:
        return False


_PLACE_OPTIONS = (
    click.option("--datapath", type=click.Choice(["system", "netdev"]), default="system", show_default=True),
    click.option("--openflow-port", default=6653, show_default=True),
    click.option("--ovsdb-port", default=6640, show_default=True),
    click.option("--enrolment-port", default=6655, show_default=True),
    click.option(
        "--tunnel-port",
        type=click.IntRange(1, 65535),
        default=4789,
        show_default=True,
        help="The UDP port of tunnels (overlace underlay show), which nobody else may have on the host.",
    ),
    pki_option,
    click.option(
        "--plaintext", is_flag=True, help="Plain TCP, for a controller that serves with --plaintext."
    ),
)


def place_options(command: Decorated) -> Decorated:
    """How a host is to join."""
    for option in reversed(_PLACE_OPTIONS):
        command = option(command)
    return command


@click.command()
@click.argument("name")
@click.option("--controller", required=True, help="The controller's address as the host reaches it.")
@click.option("--bridge", default="br-overlace", show_default=True)
@click.option("--fabric-interface", default="", help="The interface that leads to a transit switch, if any.")
@click.option("--transit", is_flag=True, help="Join a transit switch: the bridge is there, and has no OVSDB.")
@place_options
@valid_for_option("1h", "How long the token in the script is good.")
@click.option(
    "--offline", is_flag=True, help="No token: stop at the certificate request, to be signed by hand."
)
@click.option("--force", is_flag=True, help="Join in spite of what the script finds in the way.")
def join(pki: Path, valid_for: timedelta, offline: bool, plaintext: bool, **place: object) -> None:
    """Print the script that joins host NAME to the controller. Run it on the host, as root; it may be run again.

    It makes a private key, has it certified with a token that is good once and for this name only, makes the
    bridge, and lets Open vSwitch call the controller over TLS. What others have set up in Open vSwitch stays.
    Before, it looks whether anything is in the way (as `overlace host add --check` does), and then changes nothing.

    \b
    Examples:
      overlace join h1 --controller 192.0.2.1 | ssh h1 sh
      overlace join h1 --controller 192.0.2.1 --fabric-interface eth1 | ssh h1 sh
      overlace join t1 --controller 192.0.2.1 --transit --bridge br0 | ssh t1 sh
      overlace join h1 --controller 192.0.2.1 --offline > h1.sh

    A fabric interface must be known to the controller too (the host's fabric_interface), and so must the link
    behind it.
    """
    joining = Place(**place)  # type: ignore[arg-type]
    if plaintext:
        click.echo(plaintext_script(joining), nl=False)
        return
    with refusals():
        click.echo(tls_script(joining, open_issuer(pki), None if offline else valid_for), nl=False)


@click.command()
@click.argument("name")
def leave(name: str) -> None:
    """Print the script that takes Overlace off host NAME: its bridge, manager, TLS identity and name.

    What others have set up stays. Workloads on the bridge lose their network, so move them away first.

    \b
    Example:
      overlace leave h1 | ssh h1 sh
    """
    click.echo(leave_script(name), nl=False)
