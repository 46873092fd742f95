"""`overlace pki`: the certificates between hosts and controller."""

from datetime import timedelta
from pathlib import Path
from typing import IO

import click
import msgspec

from overlace.app.clock import SystemClock
from overlace.cli.failures import NotFound
from overlace.cli.join import Place, renewal_script
from overlace.cli.pki_options import open_issuer, pki_option, refusals, subject_of, valid_for_option
from overlace.cli.pki_rollover import rollover
from overlace.pki.expiry import expiries
from overlace.pki.issuer import CONTROLLER, Issuer
from overlace.terminal.options import json_option
from overlace.terminal.output import show_json, show_record, show_table


@click.group()
def pki() -> None:
    """Issue, renew and revoke the certificates by which hosts and controller know each other.

    NAME is a host; write switch:NAME for a transit switch. A running controller takes changes over by itself.

    \b
    Examples:
      overlace pki list
      overlace pki renew h1 | ssh h1 sh
      overlace pki revoke h1
      overlace pki rollover begin
    """


@pki.command()
@pki_option
@click.option(
    "--address", "addresses", multiple=True, help="Where hosts reach the controller; may be repeated."
)
@json_option
def init(pki: Path, addresses: tuple[str, ...], as_json: bool) -> None:
    """Make a certificate directory; `overlace serve` does so at its first start.

    \b
    Example:
      overlace pki init --pki /var/lib/overlace/pki --address 192.0.2.1
    """
    with refusals():
        Issuer.create(pki, SystemClock(), addresses)
    if as_json:
        show_json({"path": pki, "addresses": addresses})
    else:
        click.echo(f"made a certificate authority in {pki}; keep it safe and backed up")


@pki.command()
@click.argument("words", nargs=-1, required=True, metavar="NAME [FILE]")
@pki_option
@valid_for_option("365d", "How long the certificate is good.")
@json_option
def sign(words: tuple[str, ...], pki: Path, valid_for: timedelta, as_json: bool) -> None:
    """Sign the certificate request of NAME, from FILE or standard input, and print the certificate.

    Make sure that the request really is from there: whoever holds the certificate is taken for NAME.

    \b
    Examples:
      overlace pki sign h1 h1.csr > h1.pem
      ssh t1 cat request.pem | overlace pki sign switch:t1
    """
    if len(words) > 2:
        raise click.UsageError("one name and at most one file")
    source: IO[bytes] = click.open_file(words[1] if len(words) == 2 else "-", "rb")
    with source, refusals():
        issued = open_issuer(pki).sign(subject_of(words[0]), source.read(1 << 20), valid_for)
    if as_json:
        show_json(msgspec.to_builtins(issued))
    else:
        click.echo(issued.certificate, nl=False)


@pki.command("list")
@pki_option
@json_option
def list_(pki: Path, as_json: bool) -> None:
    """List who has a certificate and when it ends.

    \b
    Example:
      overlace pki list --json
    """
    with refusals():
        found = expiries(open_issuer(pki).directory.read(), SystemClock().now())
    if as_json:
        show_json([each.as_object() for each in found])
        return
    rows = [
        (each.subject, each.authority, f"{each.not_after:%Y-%m-%d}", each.days_left, str(each.validity))
        for each in found
    ]
    show_table(("subject", "authority", "ends", "days left", "state"), rows)
    for each in found:
        if each.notice is not None:
            click.echo(each.notice, err=True)


@pki.command()
@click.argument("name")
@pki_option
@json_option
def show(name: str, pki: Path, as_json: bool) -> None:
    """Show all certificates of NAME (or `controller`) that are known.

    \b
    Examples:
      overlace pki show h1
      overlace pki show controller --json
    """
    with refusals():
        subject = CONTROLLER if name == "controller" else subject_of(name)
        register = open_issuer(pki).directory.read()
    found = [each for each in register.issued if each.subject == str(subject)]
    if not found:
        raise NotFound(f"{subject} has no certificate; see who has with: overlace pki list")
    if as_json:
        show_json([msgspec.to_builtins(each) for each in found])
        return
    for each in found:
        fields = msgspec.to_builtins(each)
        show_record({key: fields[key] for key in fields if key != "certificate"})


@pki.command()
@pki_option
def trust(pki: Path) -> None:
    """Print the authorities that hosts trust, in PEM: two while a rollover is under way.

    \b
    Example:
      overlace pki trust > overlace-ca.pem
    """
    with refusals():
        click.echo(open_issuer(pki).directory.read().trust, nl=False)


@pki.command()
@click.argument("name")
@pki_option
@click.option("--controller", help="The controller's address as the host reaches it.  [default: its first]")
@click.option("--enrolment-port", default=6655, show_default=True)
@valid_for_option("1h", "How long the token in the script is good.")
@click.option(
    "--offline", is_flag=True, help="No token: stop at the certificate request, to be signed by hand."
)
@click.option(
    "--address", "addresses", multiple=True, help="With `controller`: one more address to be good for."
)
def renew(
    name: str,
    pki: Path,
    controller: str | None,
    enrolment_port: int,
    valid_for: timedelta,
    offline: bool,
    addresses: tuple[str, ...],
) -> None:
    """Print the script that gives host NAME a new key and certificate, or renew `controller` here and now.

    Connections stay; Open vSwitch uses the new certificate from its next one on.

    \b
    Examples:
      overlace pki renew h1 | ssh h1 sh
      overlace pki renew controller --address 192.0.2.7
    """
    with refusals():
        issuer = open_issuer(pki)
        if name == "controller":
            issuer.renew_controller(addresses)
            click.echo(f"renewed; good for {', '.join(issuer.directory.read().addresses)}", err=True)
            return
        subject = subject_of(name)
        address = controller or next(iter(issuer.directory.read().addresses), "")
        place = Place(subject.name, address, transit=subject.role == "switch", enrolment_port=enrolment_port)
        click.echo(renewal_script(place, issuer, None if offline else valid_for), nl=False)


@pki.command()
@click.argument("name")
@pki_option
@json_option
def revoke(name: str, pki: Path, as_json: bool) -> None:
    """Refuse all certificates of NAME from now on; a running controller drops its connections.

    The switch goes on forwarding as it was told last. To let the host in again, join it anew.

    \b
    Example:
      overlace pki revoke h1
    """
    with refusals():
        subject = subject_of(name)
        open_issuer(pki).revoke(subject)
    if as_json:
        show_json({"revoked": str(subject)})
    else:
        click.echo(f"revoked {subject}")


pki.add_command(rollover)
