"""The process of a guest at a host."""

from overlace.lab.errors import CommandFailed, LabError
from overlace.lab.execution import run
from overlace.lab.guest import Guest
from overlace.lab.guests import machine
from overlace.lab.guests.place import Place
from overlace.lab.machines import boot
from overlace.lab.machines.imaging import Image
from overlace.lab.machines.monitor import Monitor
from overlace.lab.process import ProcessId, read_pidfile, terminate


def start(guest: Guest, place: Place, image: Image, *, incoming: bool) -> ProcessId:
    """Start QEMU at a host; returns when its monitor can be asked. Raises `LabError`."""
    stop(place.keeper)
    _make_disk(guest, place)
    try:
        run(machine.command_line(guest, place, image, incoming=incoming), netns=place.namespace)
    except CommandFailed as error:
        raise LabError(f"QEMU does not start guest '{guest.name}' at {place.host}: {error.output}") from error
    process = read_pidfile(place.pidfile)
    if process is None:
        raise LabError(f"QEMU of guest '{guest.name}' ended at once; see {place.console_log}")
    return process


def hold(guest: Guest, place: Place) -> None:
    """Start who has the guest's disk at a host where the guest is not. Raises `LabError`. May be repeated."""
    if read_pidfile(place.keeper.pidfile) is not None:
        return
    _make_disk(guest, place)
    try:
        run(machine.keeper_command_line(guest, place.keeper), netns=place.namespace)
    except CommandFailed as error:
        raise LabError(
            f"QEMU does not hold the disk of '{guest.name}' at {place.host}: {error.output}"
        ) from error


def await_boot(guest: Guest, place: Place) -> None:
    """Wait until the guest says on its console that it is ready. Raises `LabError` with its last words."""
    boot.await_ready(guest.name, "guest", place.console_log, place.pidfile)


def run_state(place: Place) -> str:
    """What QEMU says of the guest: running, inmigrate, postmigrate ...; `stopped` when there is no process."""
    if read_pidfile(place.pidfile) is None:
        return "stopped"
    try:
        with Monitor(place.lab) as monitor:
            return str(monitor.execute("query-status")["status"])
    except LabError:
        return "stopped" if read_pidfile(place.pidfile) is None else "silent"


def stop(place: Place) -> None:
    """End the process at a host; its disk stays. What does not run is passed over."""
    process = read_pidfile(place.pidfile)
    if process is not None:
        terminate([process])


def end(place: Place) -> None:
    """End the process at a host and remove all of the guest's files there; what is not there is passed over."""
    stop(place)
    stop(place.keeper)
    place.clear()


def _make_disk(guest: Guest, place: Place) -> None:
    place.directory.mkdir(parents=True, exist_ok=True)
    if guest.disk is not None and not place.disk.exists():
        run(["qemu-img", "create", "-q", "-f", guest.disk.format, str(place.disk), str(guest.disk.size)])
