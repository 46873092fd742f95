"""`overlace`: the controller, and the commands around it."""

import click

from overlace import __version__
from overlace.cli.backup import backup, restore
from overlace.cli.bootstrap import bootstrap
from overlace.cli.difference import adopt, diff, recover
from overlace.cli.doctor import doctor
from overlace.cli.flows import flows
from overlace.cli.host import host
from overlace.cli.join import join, leave
from overlace.cli.log import log
from overlace.cli.machine import machine
from overlace.cli.move import move
from overlace.cli.observe import observe
from overlace.cli.pki import pki
from overlace.cli.procedure import procedure
from overlace.cli.serve import serve
from overlace.cli.site import site
from overlace.cli.status import status
from overlace.cli.trace import trace
from overlace.cli.transit import link, switch
from overlace.cli.underlay import underlay
from overlace.cli.users import project, user
from overlace.cli.why import why
from overlace.lab.commands import lab_group


@click.group()
@click.version_option(__version__)
def main() -> None:
    """Multi-tenant cloud networks over plain IP, on stock Open vSwitch hosts.

    \b
    Exit status: 0 done, 1 failed, 2 wrong command line, 3 controller not reachable,
    4 not allowed, 5 not found, 6 conflicts with what there is; doctor: 10 warnings, 20 errors.
    """


_COMMANDS = (
    *(serve, bootstrap, status, backup, restore),
    *(site, host, join, leave, switch, link, pki),
    *(project, user),
    *(machine, procedure),
    *(diff, observe, adopt, recover),
    *(trace, why, doctor, flows, log, move, underlay),
)

for command in _COMMANDS:
    main.add_command(command)
main.add_command(lab_group, "lab")
