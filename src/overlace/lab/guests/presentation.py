"""How guests are shown, to people and to programs."""

from collections.abc import Sequence

import msgspec

from overlace.lab.guest import Guest
from overlace.lab.guests.guests import Guests
from overlace.terminal.output import cell, show_table


class GuestStatus(msgspec.Struct, frozen=True):
    """A guest, and what QEMU says of it at each host where there is something of it."""

    guest: Guest
    states: dict[str, str]
    monitor: str


def describe_guests(guests: Guests) -> tuple[GuestStatus, ...]:
    """All guests as they are at this moment."""
    return tuple(
        GuestStatus(
            guest=guest,
            states={host: guests.run_state(guest.name, host) for host in guest.hosts},
            monitor=str(guests.place(guest.name).qmp),
        )
        for guest in guests.all
    )


def show_guests(described: Sequence[GuestStatus]) -> None:
    """Print guests for people."""
    show_table(
        ("guest", "host", "state", "memory", "disk", "addresses", "MAC", "port", "move"),
        [
            (
                it.guest.name,
                it.guest.host,
                it.states[it.guest.host],
                f"{it.guest.memory} MiB",
                "-" if it.guest.disk is None else f"{it.guest.disk.size >> 20} MiB {it.guest.disk.format}",
                cell(it.guest.addresses) if it.guest.addresses or not it.guest.dhcp else "dhcp",
                it.guest.mac,
                it.guest.iface_id,
                f"to {it.guest.receiving}: {it.states[it.guest.receiving]}" if it.guest.receiving else "-",
            )
            for it in described
        ],
    )
