"""`overlace lab vm`: guests on the command line."""

import click

from overlace.lab.guest import LIBVIRT, QEMU
from overlace.lab.guests import migration
from overlace.lab.guests.guests import DEFAULT_MEMORY, Guests
from overlace.lab.guests.image import GUEST
from overlace.lab.guests.launcher import launcher
from overlace.lab.guests.presentation import describe_guests, show_guests
from overlace.lab.kernel_hosts.image import KERNEL_HOST
from overlace.lab.lab import Lab
from overlace.lab.machines import console as serial, imaging
from overlace.lab.options import name_option
from overlace.lab.plan import DEFAULT_BRIDGE
from overlace.terminal.options import json_option
from overlace.terminal.output import progress, show_json


@click.group()
def vm() -> None:
    """Run real machines (QEMU guests) on the laboratory's hosts, and move them while they work.

    A guest serves a TCP session at port 5000 (a line every 10 ms, and back what is sent), answers UDP at 5001, and with
    a disk verifies at 5002 all that it has ever written there. Needs qemu-system-x86 and qemu-utils; the image is made
    from Debian's packages when it is needed first.

    \b
    Examples:
      overlace lab vm create web --host h1 --port PORT --mac fa:16:3e:00:00:01 --dhcp --disk 64M
      overlace lab vm console web -- ping -c 3 192.168.0.6
      overlace lab vm move web h3
      overlace lab vm rm web
    """


@vm.command()
@click.argument("guest")
@click.option("--host", required=True, help="The host that runs it.")
@click.option("--port", "iface_id", required=True, help="The id of the logical port.")
@click.option("--mac", required=True, help="The port's MAC address.")
@click.option("--ip", "ips", multiple=True, metavar="ADDRESS/LENGTH", help="An address; may be repeated.")
@click.option("--gateway", "gateways", multiple=True, help="A default gateway; once for each family.")
@click.option("--dhcp", is_flag=True, help="Ask for the address by DHCP, and wait for it.")
@click.option("--mtu", type=int, help="In bytes; default what the underlay carries, at most 1500.")
@click.option(
    "--memory", type=int, default=DEFAULT_MEMORY, show_default=True, metavar="MIB", help="Its memory."
)
@click.option("--disk", metavar="SIZE", help="A disk of that size, like 64M; without it none.")
@click.option("--disk-format", type=click.Choice(["raw", "qcow2"]), default="raw", show_default=True)
@click.option(
    "--writer", type=int, default=0, metavar="MS", help="Write a block to the disk so often; 0: when asked."
)
@click.option(
    "--dirtier", type=(int, int), metavar="MIB RATE", help="Change so many MiB of memory at RATE MiB/s."
)
@click.option(
    "--hypervisor", type=click.Choice([QEMU, LIBVIRT]), default=QEMU, show_default=True, help="Who runs it."
)
@click.option("--bridge", default=DEFAULT_BRIDGE, show_default=True, help="The host's integration bridge.")
@name_option
@json_option
def create(
    guest: str,
    host: str,
    iface_id: str,
    mac: str,
    ips: tuple[str, ...],
    gateways: tuple[str, ...],
    dhcp: bool,
    mtu: int | None,
    memory: int,
    disk: str | None,
    disk_format: str,
    writer: int,
    dirtier: tuple[int, int] | None,
    hypervisor: str,
    bridge: str,
    name: str,
    as_json: bool,
) -> None:
    """Make GUEST and boot it.

    \b
    Examples:
      overlace lab vm create web --host h1 --port PORT --mac fa:16:3e:00:00:01 --dhcp
      overlace lab vm create db --host h3 --port PORT --mac fa:16:3e:00:00:02 --ip 192.168.0.6/24 --disk 64M --writer 20
    """
    with progress(f"guest {guest}") as report:
        made = Guests.of(Lab.open(name)).create(
            guest,
            host,
            mac=mac,
            iface_id=iface_id,
            bridge=bridge,
            memory=memory,
            disk=disk,
            disk_format=disk_format,
            addresses=ips,
            gateways=gateways,
            dhcp=dhcp,
            mtu=mtu,
            writer=writer,
            dirtier=dirtier,
            hypervisor=hypervisor,
            progress=report,
        )
    if as_json:
        show_json({"guest": made})
    else:
        click.echo(f"{guest} runs at {host} ({made.host_interface} of {bridge})")


@vm.command(context_settings={"ignore_unknown_options": True})
@click.argument("guest")
@click.argument("argv", nargs=-1, type=click.UNPROCESSED)
@name_option
def console(guest: str, argv: tuple[str, ...], name: str) -> None:
    """Join the console of GUEST (leave by Control-]), or run a program in it by its serial port.

    \b
    Examples:
      overlace lab vm console web
      overlace lab vm console web -- ip address
      overlace lab vm console web -- sh -c 'nc 127.0.0.1 5002 < /dev/null'
    """
    guests = Guests.of(Lab.open(name))
    if not argv:
        serial.attach(guests.place(guest).console)
        return
    done = guests.command(guest, argv, check=False)
    click.echo(done.stdout, nl=False)
    raise SystemExit(done.status)


@vm.command("list")
@name_option
@json_option
def list_(name: str, as_json: bool) -> None:
    """List the guests, where they are and what QEMU says of them.

    \b
    Example:
      overlace lab vm list
    """
    guests = describe_guests(Guests.of(Lab.open(name)))
    if as_json:
        show_json(guests)
    elif guests:
        show_guests(guests)
    else:
        click.echo("no guest; make one with `overlace lab vm create`")


@vm.command()
@click.argument("guest")
@click.argument("to_host")
@name_option
@json_option
def move(guest: str, to_host: str, name: str, as_json: bool) -> None:
    """Move GUEST to another host while it works, with memory and disk.

    Only QEMU is told: the network finds out by itself, from the interface that appears and the first frame there.

    \b
    Example:
      overlace lab vm move web h3
    """
    with progress(f"moving {guest}") as report:
        moved = migration.move(Guests.of(Lab.open(name)), guest, to_host, progress=report)
    if as_json:
        show_json({"migration": moved})
    else:
        click.echo(
            f"{guest} moved from {moved.source} to {moved.destination}: {moved.memory_bytes / 1e6:.1f} MB of memory "
            f"in {moved.seconds:.1f} s; it stood still for {moved.stop_ms:g} ms"
        )


@vm.command()
@click.argument("guest")
@name_option
@json_option
def rm(guest: str, name: str, as_json: bool) -> None:
    """Remove GUEST: its machine, its disk, its interface.

    \b
    Example:
      overlace lab vm rm web
    """
    Guests.of(Lab.open(name)).remove(guest)
    if as_json:
        show_json({"removed": guest})
    else:
        click.echo(f"{guest} is removed")


@vm.command()
@click.option(
    "--kernel-host", is_flag=True, help="What hosts with the kernel's datapath boot (lab up --kernel)."
)
@click.option("--fresh", is_flag=True, help="Make it anew from what Debian has today.")
@json_option
def image(kernel_host: bool, fresh: bool, as_json: bool) -> None:
    """Make what guests (or kernel hosts) boot, a kernel and an initramfs, from Debian's packages; once is enough.

    It is kept in /var/cache/overlace/guest, or in the directory that OVERLACE_GUEST_DIR names.

    \b
    Examples:
      overlace lab vm image
      overlace lab vm image --fresh
      overlace lab vm image --kernel-host
    """
    kind = KERNEL_HOST if kernel_host else GUEST
    with progress(f"the {kind.name} image") as report:
        made = imaging.make(kind, report, fresh=fresh)
    if as_json:
        show_json({"image": made})
    else:
        click.echo(f"kernel {made.version} in {made.directory}")


vm.add_command(launcher)
