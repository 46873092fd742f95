"""The controller's own machine: its disk, its clock, its limits, and how it serves."""

from collections.abc import Iterator
from datetime import timedelta

from overlace.app.doctor.facts import Facts, MachineFacts
from overlace.app.doctor.finding import Finding, error, note, warning
from overlace.app.settings import is_loopback
from overlace.model.site import Host, TransitSwitch
from overlace.southbound.status import Phase

FULL = 64 << 20
"""Bytes: less than this is full."""
LOW = 1 << 30
LOW_SHARE = 0.05
TOLERANCE = timedelta(seconds=5)
FILES_A_SWITCH = 4
FILES_BESIDES = 600
"""The API's connections, the database, and what else a process has open."""
_WILDCARDS = ("", "0.0.0.0", "::")


def check_machine(facts: Facts) -> Iterator[Finding]:
    """The machine, and what was said on the command line."""
    yield from _disk(facts.machine)
    yield from _clock(facts)
    yield from _files(facts)
    yield from _service(facts)


def _disk(machine: MachineFacts) -> Iterator[Finding]:
    where = f"beside {machine.database}"
    if machine.unwritable is not None or machine.store_failure is not None:
        yield error(
            "store_unwritable",
            machine.database,
            f"nothing can be written {where}: {machine.unwritable or machine.store_failure}",
            "the disk is full or read only, or the files belong to another user",
            "make room, remount, or give the directory to the controller's user; changes are refused until then",
        )
    elif machine.free < FULL:
        yield error(
            "disk_full",
            machine.database,
            f"{machine.free >> 20} MiB are left {where}",
            "the disk is full",
            "make room; until then changes may be refused at any time",
        )
    elif machine.free < LOW and machine.free < machine.size * LOW_SHARE:
        share = 100 * machine.free / machine.size
        yield warning(
            "disk_low",
            machine.database,
            f"{machine.free >> 20} MiB ({share:.0f} %) are left {where}",
            "the disk is nearly full",
            "make room before changes are refused",
        )


def _clock(facts: Facts) -> Iterator[Finding]:
    newest = facts.machine.newest_change
    if newest is not None and newest - facts.now > TOLERANCE:
        yield error(
            "clock_back",
            "controller",
            f"the last change of the database is of {newest:%Y-%m-%d %H:%M}, now it is {facts.now:%Y-%m-%d %H:%M} UTC",
            "the clock of this machine was set back, or was ahead before",
            "set it right (chrony or systemd-timesyncd); certificates made meanwhile may not be valid yet",
        )
    if not facts.machine.clock_synchronised:
        yield note(
            "clock_unsynchronised",
            "controller",
            "nobody keeps the clock of this machine right",
            "no time service runs, or it has not reached its servers",
            "run chrony or systemd-timesyncd: certificates and the log of changes go by this clock",
        )


def _files(facts: Facts) -> Iterator[Finding]:
    known = facts.snapshot.count(Host) + facts.snapshot.count(TransitSwitch)
    wanted = FILES_BESIDES + FILES_A_SWITCH * known
    if facts.machine.file_limit < wanted:
        yield warning(
            "file_limit",
            "controller",
            f"the controller may have {facts.machine.file_limit} files open, and {known} switches may need {wanted}",
            "the limit of the shell or the unit that started it (RLIMIT_NOFILE)",
            f"LimitNOFILE=65536 in its unit, or ulimit -n {wanted}",
        )


def _service(facts: Facts) -> Iterator[Finding]:
    service = facts.service
    local = service.switch_address not in _WILDCARDS and is_loopback(service.switch_address)
    absent = all(each.phase is Phase.ABSENT for each in facts.switches.values())
    if local and facts.switches and absent:
        yield error(
            "switch_address_loopback",
            "controller",
            f"switches are served at {service.switch_address} only, and none is connected",
            "--switch-address was left out: other machines cannot connect to loopback",
            "overlace serve --switch-address ADDRESS: one of this machine that hosts reach",
        )
    if service.is_plaintext and not local:
        yield warning(
            "plaintext",
            "controller",
            f"hosts are served over plain TCP at {service.switch_address or 'every address'}",
            "--plaintext was given: whoever reaches the port can pose as a host and listen",
            "start without --plaintext, and join the hosts again",
        )
    if service.api_in_the_clear:
        yield note(
            "api_in_the_clear",
            "controller",
            "passwords and tokens cross the network in the clear",
            f"--api-without-tls was given: {service.api_in_the_clear}",
            "if that is not so any more: --api-certificate and --api-key",
        )
