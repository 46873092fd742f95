"""The script that makes a host one of ours: printed, read by the operator, run on the host."""

import click

_PROTOCOLS = "OpenFlow15"


def join_commands(host: str, controller: str, bridge: str, datapath: str, openflow: int, ovsdb: int) -> str:
    """One transaction that makes the bridge, and one that lets its database call the controller.

    ``disable-in-band`` stands in the transaction that sets the controller: else hidden rules would let a
    tenant's frames bypass every table (ovs-vswitchd.conf.db(5), "connection_mode").
    """
    settings = (
        f"fail-mode=secure protocols={_PROTOCOLS} datapath_type={datapath} other-config:disable-in-band=true"
    )
    return "\n".join(
        (
            "#!/bin/sh -e",
            f"ovs-vsctl set Open_vSwitch . external-ids:system-id={host}",
            f"ovs-vsctl add-br {bridge} -- set bridge {bridge} {settings} "
            f"external-ids:overlace-owned=true -- set-controller {bridge} tcp:{controller}:{openflow}",
            f"ovs-vsctl set-manager tcp:{controller}:{ovsdb}",
            "",
        )
    )


@click.command()
@click.argument("host")
@click.option("--controller", required=True, help="The controller's address as the host reaches it.")
@click.option("--bridge", default="br-overlace", show_default=True)
@click.option("--datapath", type=click.Choice(["system", "netdev"]), default="system", show_default=True)
@click.option("--openflow-port", default=6653, show_default=True)
@click.option("--ovsdb-port", default=6640, show_default=True)
def join(host: str, controller: str, bridge: str, datapath: str, openflow_port: int, ovsdb_port: int) -> None:
    """Print the script that joins HOST to the controller (plain TCP).

    Example: overlace join h1 --controller 192.0.2.1 | ssh h1 sh
    """
    click.echo(join_commands(host, controller, bridge, datapath, openflow_port, ovsdb_port), nl=False)
