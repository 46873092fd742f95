"""`overlace serve`: the controller."""

import logging
from pathlib import Path

import click

from overlace.app.failures import StartFailure
from overlace.app.logs import LogFormat, configure_logs
from overlace.app.settings import Authentication, ControllerSettings
from overlace.cli.configuration_file import config_option
from overlace.cli.failures import Failure
from overlace.cli.pki_options import pki_option

_LEVELS = ("debug", "info", "warning", "error")
_PORT = click.IntRange(1, 65535)
_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command(
    context_settings={"auto_envvar_prefix": "OVERLACE", "show_default": True, "max_content_width": 110}
)
@config_option
@click.option("--database", type=_FILE, default=Path("overlace.db"), help="Made when it is not there.")
@click.option(
    "--auth",
    type=click.Choice(Authentication, case_sensitive=False),
    default=Authentication.NONE,
    show_default=False,
    help="Who may ask: all on this machine, users by HTTP basic, or also by identity tokens.  [default: none]",
)
@click.option("--api-address", default="127.0.0.1", help="Where clients connect.")
@click.option("--api-port", type=_PORT, default=9696)
@click.option(
    "--api-certificate", type=_FILE, help="Serve the API over TLS with this certificate chain (PEM)."
)
@click.option("--api-key", type=_FILE, help="Its private key (PEM).")
@click.option(
    "--api-without-tls",
    metavar="WHY",
    default="",
    help="Serve beyond loopback without TLS, and log why, such as 'behind a TLS proxy'.",
)
@click.option("--switch-address", default="127.0.0.1", help="Where hosts and transit switches connect.")
@click.option("--openflow-port", type=_PORT, default=6653)
@click.option("--ovsdb-port", type=_PORT, default=6640)
@click.option("--enrolment-port", type=_PORT, default=6655, help="Where joining hosts get certificates.")
@pki_option
@click.option(
    "--plaintext", is_flag=True, help="Let hosts connect over plain TCP, unauthenticated: for trials."
)
@click.option(
    "--audit-interval",
    type=click.FloatRange(min=1),
    default=60.0,
    metavar="SECONDS",
    help="Between audits of one switch.",
)
@click.option(
    "--launcher",
    metavar="COMMAND",
    default="",
    help="Starts and ends guests on hosts, run as COMMAND VERB MACHINE HOST; machines are then moved by QMP.",
)
@click.option(
    "--libvirt",
    metavar="URI",
    default="",
    help="How hosts' libvirt is reached, like qemu+tls://{host}/system; machines are then moved by it.",
)
@click.option(
    "--libvirt-peers",
    metavar="URI",
    default="",
    help="How hosts reach each other's libvirt, like qemu+tls://{address}/system, where that is another way.",
)
@click.option(
    "--moves-per-host", type=click.IntRange(min=1), default=2, help="Moves of machines at a time on a host."
)
@click.option("--moves-per-link", type=click.IntRange(min=1), default=4, help="The same between two sites.")
@click.option("--only-admins-move", is_flag=True, help="Members of a project do not move its machines.")
@click.option(
    "--observe",
    is_flag=True,
    help="Write to no switch, until `overlace observe --off`; show the differences.",
)
@click.option("--log-level", type=click.Choice(_LEVELS), default="info")
@click.option(
    "--log-format",
    type=click.Choice(LogFormat, case_sensitive=False),
    default=LogFormat.TEXT,
    show_default=False,
    help="key=value for people, or a JSON object a line.  [default: text]",
)
def serve(log_level: str, log_format: LogFormat, pki: Path, plaintext: bool, **options: object) -> None:
    """Run the controller until SIGTERM or SIGINT. Switches go on forwarding without it.

    Hosts connect over TLS with certificates that the controller issues (see `overlace join`); a certificate
    directory is made at the first start.

    Every option can also stand in the file of --config and, in capitals after OVERLACE_, in the environment.

    \b
    Examples:
      overlace serve
      overlace serve --database /var/lib/overlace/db --pki /var/lib/overlace/pki --switch-address 192.0.2.1
      overlace serve --auth identity --api-address 192.0.2.1 --api-certificate api.pem --api-key api.key
      overlace serve --config /etc/overlace.yaml --log-format json
      OVERLACE_API_PORT=9797 overlace serve
    """
    # The controller's libraries take a second to load, for which no other command should wait.
    import uvloop

    from overlace.app.controller import run

    configure_logs(log_format, logging.getLevelNamesMapping()[log_level.upper()])
    settings = ControllerSettings(pki=None if plaintext else pki, **options)  # type: ignore[arg-type]
    try:
        uvloop.run(run(settings))
    except StartFailure as failure:
        raise Failure(str(failure)) from failure
